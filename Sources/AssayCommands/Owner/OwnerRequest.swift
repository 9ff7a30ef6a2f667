package import Assay

/// What another program may ask of the one that owns a store: one JSON object a line.
package enum OwnerRequest: Hashable, Sendable {
    /// To stop a run; items in flight may finish or not.
    case cancel(Run.ID, drain: Bool)
    /// To tell how a run stands now.
    case state(Run.ID)
    /// To tell how a run stands whenever that changes, until it has ended.
    case watch(Run.ID)
    /// To let a paused run go on, without its breakpoints if it is to go on to its end.
    case move(Run.ID, Pause.Move, toEnd: Bool)
    /// To do something with the queue, in the words of ``QueueVerb``.
    case queue(JSONValue)
    /// To make an alert inactive.
    case clearAlert(String)

    /// The request in a line.
    package init(line: [UInt8]) throws(CommandFailure) {
        let json: JSONValue
        do { json = try JSONValue(json: line) } catch { throw CommandFailure.usage("not a JSON object: \(error)") }
        if json["request"]?.string == "queue" {
            self = .queue(json["verb"] ?? .null)
            return
        }
        if json["request"]?.string == "clear_alert", let alert = json["alert"]?.string {
            self = .clearAlert(alert)
            return
        }
        guard let run = json["run"]?.string.flatMap({ Identifier($0) }) else {
            throw CommandFailure.usage("key 'run' must name a run")
        }
        switch json["request"]?.string {
        case "cancel":
            guard let drain = json["drain"]?.bool else {
                throw CommandFailure.usage("key 'drain' must be true or false")
            }
            self = .cancel(run, drain: drain)
        case "state": self = .state(run)
        case "watch": self = .watch(run)
        case "move":
            guard let move = json["move"]?.string.flatMap({ Pause.Move(rawValue: $0) }),
                let toEnd = json["to_end"]?.bool
            else { throw CommandFailure.usage("key 'move' must be continue or step, 'to_end' true or false") }
            self = .move(run, move, toEnd: toEnd)
        default: throw CommandFailure.usage("key 'request' must be cancel, clear_alert, move, queue, state or watch")
        }
    }

    /// The request as JSON.
    package var jsonValue: JSONValue {
        switch self {
        case .cancel(let run, let drain): ["request": "cancel", "run": .string(run.text), "drain": .bool(drain)]
        case .state(let run): ["request": "state", "run": .string(run.text)]
        case .watch(let run): ["request": "watch", "run": .string(run.text)]
        case .move(let run, let move, let toEnd):
            [
                "request": "move", "run": .string(run.text), "move": .string(move.rawValue), "to_end": .bool(toEnd),
            ]
        case .queue(let verb): ["request": "queue", "verb": verb]
        case .clearAlert(let name): ["request": "clear_alert", "alert": .string(name)]
        }
    }
}

/// What the owner of a store answers: one JSON object a line.
package enum OwnerAnswer: Sendable {
    /// The stop is in force.
    case stopping
    /// The run is none of those that are in progress here.
    case notInProgress
    /// How the run stands.
    case progress(ProgressBlock)
    /// The run goes on, and something about it may be new.
    case goesOn
    /// The run has ended, and its end is in the store; this is how its program ends.
    case ended(ExitStatus)
    /// What was asked of the queue or of a paused run is done, and in the store.
    case done(JSONValue)
    /// What was asked was refused or failed, and how a program says so that was told this.
    case failed(ExitStatus, String)
    /// The request was not understood.
    case refused(String)

    /// The answer to what failed with `error`.
    init(_ error: any Error) {
        let failure = CommandFailure(error)
        self = .failed(failure.status, failure.message)
    }

    /// The answer in a line.
    package init(line: [UInt8]) throws(CommandFailure) {
        let json: JSONValue
        do { json = try JSONValue(json: line) } catch {
            throw CommandFailure(.unavailable, "the program that holds the run answers in words nobody knows: \(error)")
        }
        switch json["answer"]?.string {
        case "stopping": self = .stopping
        case "not_in_progress": self = .notInProgress
        case "progress":
            guard let block = ProgressBlock(json: json) else { throw Self.unknown }
            self = .progress(block)
        case "goes_on": self = .goesOn
        case "ended":
            guard let code = json["exit"]?.number?.integer, let exit = ExitStatus(rawValue: Int32(code)) else {
                throw Self.unknown
            }
            self = .ended(exit)
        case "done": self = .done(json["result"] ?? .null)
        case "failed":
            let exit = json["exit"]?.number?.integer.flatMap { ExitStatus(rawValue: Int32($0)) }
            self = .failed(exit ?? .failed, json["message"]?.string ?? "")
        case "refused": self = .refused(json["message"]?.string ?? "")
        default: throw Self.unknown
        }
    }

    private static var unknown: CommandFailure {
        CommandFailure(
            .unavailable, "the program that holds the run answers in words this version does not know; wait for its end"
        )
    }

    /// The answer as JSON.
    package var jsonValue: JSONValue {
        switch self {
        case .stopping: return ["answer": "stopping"]
        case .notInProgress: return ["answer": "not_in_progress"]
        case .progress(let block):
            var object = block.jsonValue.object ?? [:]
            object["answer"] = "progress"
            return .object(object)
        case .goesOn: return ["answer": "goes_on"]
        case .ended(let exit): return ["answer": "ended", "exit": JSONValue(count: Int(exit.rawValue))]
        case .done(let result): return ["answer": "done", "result": result]
        case .failed(let exit, let message):
            return ["answer": "failed", "exit": JSONValue(count: Int(exit.rawValue)), "message": .string(message)]
        case .refused(let message): return ["answer": "refused", "message": .string(message)]
        }
    }
}
