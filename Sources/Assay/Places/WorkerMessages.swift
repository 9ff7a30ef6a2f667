import Logging

/// The first message to a worker: the processor it is to serve.
struct HelloMessage {
    let processor: String
    let definition: String
    /// The interval of its heartbeats.
    let beat: Duration
    let setup: JSONValue

    var parts: [[UInt8]] {
        [.string(processor), .string(definition), JSONValue(wire: beat)].parts(setup.jsonBytes)
    }
}

extension HelloMessage {
    init(parts: [[UInt8]]) throws(FrameFault) {
        let words = try Words(parts.first)
        guard let beat = Duration(wire: words[2]), parts.count > 1 else {
            throw FrameFault("a hello without its parts")
        }
        self.init(
            processor: try words.text(0), definition: try words.text(1), beat: beat, setup: try Words.json(parts[1]))
    }
}

/// The data that all items of a run share.
struct RunMessage {
    let runID: Run.ID
    let executionID: Execution.ID
    let processorID: Identifier
    let scope: Scope
    let lineage: Lineage
    let logLevel: Logger.Level
    let terms: WorkTerms

    init(_ context: Context) {
        runID = context.runID
        executionID = context.executionID
        processorID = context.processorID
        scope = context.scope
        lineage = context.lineage
        logLevel = context.logger.logLevel
        terms = context.desk.terms
    }

    var parts: [[UInt8]] {
        [
            .string(runID.text), .string(executionID.text), .string(processorID.text),
            JSONValue(scope.accountID?.text), JSONValue(scope.underwritingID?.text),
            JSONValue(scope.executionID?.text), .string(lineage.parentRunID.text),
            JSONValue(lineage.previousRunID?.text), JSONValue(lineage.retryCount), JSONValue(lineage.lastErrorStep),
            .string(logLevel.rawValue), JSONValue(wire: terms.itemTimeout), JSONValue(terms.maxWorkers),
            .string(terms.recovery.rawValue),
        ].parts(JSONValue.object(lineage.metadata).jsonBytes)
    }

    init(parts: [[UInt8]]) throws(FrameFault) {
        let words = try Words(parts.first)
        func name(_ index: Int) throws(FrameFault) -> Identifier { Identifier(unchecked: try words.text(index)) }
        runID = try name(0)
        executionID = try name(1)
        processorID = try name(2)
        scope = Scope(
            accountID: words[3]?.string.map { ExternalID(unchecked: $0) },
            underwritingID: words[4]?.string.map { ExternalID(unchecked: $0) },
            executionID: words[5]?.string.map { Identifier(unchecked: $0) })
        guard parts.count > 1 else { throw FrameFault("a run without its metadata") }
        lineage = Lineage(
            parentRunID: try name(6), previousRunID: words[7]?.string.map { Identifier(unchecked: $0) },
            retryCount: words[8]?.number?.integer ?? 0, lastErrorStep: words[9]?.string,
            metadata: try Words.object(parts[1]))
        logLevel = Logger.Level(rawValue: try words.text(10)) ?? .info
        guard let limit = Duration(wire: words[11]), let workers = words[12]?.number?.integer,
            let recovery = RecoveryMode(rawValue: try words.text(13))
        else { throw FrameFault("a run without its terms") }
        terms = WorkTerms(itemTimeout: limit, maxWorkers: workers, recovery: recovery)
    }
}

/// The result of the work on an item.
enum AnswerMessage {
    case returned([UInt8])
    case threw(WireError)

    var parts: [[UInt8]] {
        switch self {
        case .returned(let value): ["returned"].parts(value)
        case .threw(let error): ["threw", error.jsonValue].parts()
        }
    }

    init(parts: [[UInt8]]) throws(FrameFault) {
        let words = try Words(parts.first)
        switch try words.text(0) {
        case "returned" where parts.count > 1: self = .returned(parts[1])
        case "threw":
            guard let error = WireError(words[1]) else { throw FrameFault("a failure without its reason") }
            self = .threw(error)
        case let other: throw FrameFault("the unknown answer '\(other)'")
        }
    }
}
