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

extension OrderTerms {
    /// Its parts: words, then the metadata of the run.
    var parts: [[UInt8]] {
        [
            .string(runID.text), .string(executionID.text), .string(processorID.text),
            JSONValue(scope.accountID?.text), JSONValue(scope.underwritingID?.text),
            JSONValue(scope.executionID?.text), .string(lineage.parentRunID.text),
            JSONValue(lineage.previousRunID?.text), JSONValue(lineage.retryCount), JSONValue(lineage.lastErrorStep),
            .string(logLevel.rawValue), JSONValue(wire: limits.itemTimeout), JSONValue(limits.maxWorkers),
            .string(limits.recovery.rawValue),
        ].parts(JSONValue.object(lineage.metadata).jsonBytes)
    }

    /// Creates the terms from their parts.
    ///
    /// - Throws: ``FrameFault`` for anything that ``parts`` does not make.
    init(parts: ArraySlice<[UInt8]>) throws(FrameFault) {
        guard parts.count > 1, let first = parts.first else { throw FrameFault("a run without its metadata") }
        let words = try Words(first)
        func name(_ index: Int) throws(FrameFault) -> Identifier { Identifier(unchecked: try words.text(index)) }
        guard let limit = Duration(wire: words[11]), let workers = words[12]?.number?.integer,
            let recovery = RecoveryMode(rawValue: try words.text(13))
        else { throw FrameFault("a run without its terms") }
        self.init(
            runID: try name(0), executionID: try name(1), processorID: try name(2),
            scope: Scope(
                accountID: words[3]?.string.map { ExternalID(unchecked: $0) },
                underwritingID: words[4]?.string.map { ExternalID(unchecked: $0) },
                executionID: words[5]?.string.map { Identifier(unchecked: $0) }),
            lineage: Lineage(
                parentRunID: try name(6), previousRunID: words[7]?.string.map { Identifier(unchecked: $0) },
                retryCount: words[8]?.number?.integer ?? 0, lastErrorStep: words[9]?.string,
                metadata: try Words.object(parts[parts.startIndex + 1])),
            logLevel: Logger.Level(rawValue: try words.text(10)) ?? .info,
            limits: WorkTerms(itemTimeout: limit, maxWorkers: workers, recovery: recovery))
    }
}

extension WorkOrder {
    /// The part with its item and, as JSON text, its input.
    ///
    /// - Throws: ``ProcessingError`` with code `processing` for an input that cannot be written as JSON.
    var itemParts: [[UInt8]] {
        get throws(ProcessingError) {
            let text: [UInt8]
            do { text = try input.jsonText() } catch {
                throw ProcessingError(
                    .processing, "the input cannot be written as JSON: \(error)", retryable: false)
            }
            let words: [JSONValue] = [JSONValue(inputID), JSONValue(itemIndex), file?.jsonValue ?? .null]
            return words.parts(text)
        }
    }

    /// Creates the order of a run from the parts with its item.
    ///
    /// - Throws: ``FrameFault`` for anything that ``itemParts`` does not make.
    init(_ terms: OrderTerms, attempt: Int, itemParts parts: ArraySlice<[UInt8]>) throws(FrameFault) {
        guard parts.count == 2, let text = parts.last else { throw FrameFault("an item without its data") }
        let words = try Words(parts.first)
        self.init(
            terms, inputID: words[0]?.string, itemIndex: words[1]?.number?.integer ?? 0,
            file: words[2].flatMap { InputFile(json: $0) }, attempt: attempt, input: Payload(jsonText: text))
    }
}

extension WorkOrder: Codable {
    package func encode(to encoder: any Encoder) throws {
        let parts = terms.parts + (try itemParts)
        try ([JSONValue(attempt)] + parts.map { try JSONValue(json: $0) }).encode(to: encoder)
    }

    package init(from decoder: any Decoder) throws {
        let values = try [JSONValue](from: decoder)
        guard let attempt = values.first?.number?.integer else { throw FrameFault("an order without its attempt") }
        let parts = values.dropFirst().map(\.jsonBytes)
        try self.init(OrderTerms(parts: parts.prefix(2)), attempt: attempt, itemParts: parts.dropFirst(2))
    }
}

/// The result of the work on an item.
package enum WorkAnswer: Sendable {
    /// What it returned, as JSON text.
    case returned([UInt8])
    case threw(WireError)
}

extension WorkAnswer: DeskValue {
    package var parts: [[UInt8]] {
        switch self {
        case .returned(let value): ["returned"].parts(value)
        case .threw(let error): ["threw", error.jsonValue].parts()
        }
    }

    package init(parts: [[UInt8]]) throws(FrameFault) {
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
