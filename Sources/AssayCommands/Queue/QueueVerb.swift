import Assay
import AssaySQLite
import Foundation

/// Something that can be done with a queue, by the program that owns the store or in its name by another.
enum QueueVerb {
    case submit(spool: String)
    case pause, unpause
    case cancel(Execution.ID)
    case skip(Execution.ID, reason: String)
    case setPriority(Execution.ID, Double?)
    case retry(Execution.ID)
    case resume(Execution.ID, RunOptions.Recovery, RunOptions.DefinitionChange)
    case copy(Execution.ID, keepingMetadata: Bool)
    case prune(Set<Status>, olderThan: Duration?)
    /// Continues the paused run of an execution, in the program that works on the queue.
    case goOn(Run.ID, Pause.Move, toEnd: Bool)

    /// The verb as JSON.
    var jsonValue: JSONValue {
        func of(_ verb: String, _ id: Execution.ID, _ more: JSONObject = [:]) -> JSONValue {
            var object: JSONObject = ["verb": .string(verb), "execution_id": .string(id.text)]
            for member in more.members { object[member.key] = member.value }
            return .object(object)
        }
        switch self {
        case .submit(let spool): return ["verb": "submit", "spool": .string(spool)]
        case .pause: return ["verb": "pause"]
        case .unpause: return ["verb": "unpause"]
        case .cancel(let id): return of("cancel", id)
        case .skip(let id, let reason): return of("skip", id, ["reason": .string(reason)])
        case .setPriority(let id, let priority):
            return of("priority", id, ["priority": .string(priority.map { "\($0)" } ?? "normal")])
        case .retry(let id): return of("retry", id)
        case .resume(let id, let recovery, let onChange):
            return of(
                "resume", id, ["recovery": .string(recovery.rawValue), "on_change": .string(onChange.rawValue)])
        case .copy(let id, let keeping): return of("copy", id, ["metadata": .bool(keeping)])
        case .goOn(let run, let move, let toEnd):
            return [
                "verb": "go_on", "run_id": .string(run.text), "move": .string(move.rawValue), "to_end": .bool(toEnd),
            ]
        case .prune(let statuses, let age):
            return [
                "verb": "prune", "statuses": .array(statuses.map { .string($0.rawValue) }),
                "older_than_ms": age.map { .number(Number($0.milliseconds)) } ?? .null,
            ]
        }
    }

    /// The verb that ``jsonValue`` wrote; `nil` for anything else.
    init?(json: JSONValue) {
        func id() -> Execution.ID? { json["execution_id"]?.string.flatMap { Identifier($0) } }
        switch json["verb"]?.string {
        case "submit":
            guard let spool = json["spool"]?.string, SubmissionSpool.isName(spool) else { return nil }
            self = .submit(spool: spool)
        case "pause": self = .pause
        case "unpause": self = .unpause
        case "go_on":
            guard let run = json["run_id"]?.string.flatMap({ Identifier($0) }),
                let move = json["move"]?.string.flatMap({ Pause.Move(rawValue: $0) }), let toEnd = json["to_end"]?.bool
            else { return nil }
            self = .goOn(run, move, toEnd: toEnd)
        case "prune":
            let statuses = json["statuses"]?.array?.compactMap { $0.string.flatMap { Status(rawValue: $0) } }
            guard let statuses else { return nil }
            self = .prune(Set(statuses), olderThan: json["older_than_ms"]?.number?.integer.map { .milliseconds($0) })
        case let verb?:
            guard let id = id(), let named = QueueVerb(verb, id, json) else { return nil }
            self = named
        case nil: return nil
        }
    }

    private init?(_ verb: String, _ id: Execution.ID, _ json: JSONValue) {
        switch verb {
        case "cancel": self = .cancel(id)
        case "skip": self = .skip(id, reason: json["reason"]?.string ?? "")
        case "priority":
            guard let text = json["priority"]?.string, text == "normal" || Double(text) != nil else { return nil }
            self = .setPriority(id, Double(text))
        case "retry": self = .retry(id)
        case "resume":
            guard let recovery = json["recovery"]?.string.flatMap({ RunOptions.Recovery(rawValue: $0) }),
                let onChange = json["on_change"]?.string.flatMap({ RunOptions.DefinitionChange(rawValue: $0) })
            else { return nil }
            self = .resume(id, recovery, onChange)
        case "copy": self = .copy(id, keepingMetadata: json["metadata"]?.bool ?? false)
        default: return nil
        }
    }
}

extension ExecutionQueue {
    /// Does what `verb` says; the answer is about the execution concerned, or how many there were.
    ///
    /// - Parameters:
    ///   - folder: where spooled submissions lie.
    ///   - goingOn: lets a paused run go on; `nil` where nobody works.
    func carryOut(
        _ verb: QueueVerb, folder: String,
        goingOn: ((_ run: Run.ID, _ move: Pause.Move, _ toEnd: Bool) async throws -> JSONValue)? = nil
    ) async throws -> JSONValue {
        switch verb {
        case .submit(let spool):
            let spool = try SubmissionSpool(reading: spool, in: folder)
            defer { spool.remove() }
            return submitted(try await submit(spool.submission()))
        case .pause: try await pause()
        case .unpause: try await unpause()
        case .cancel(let id):
            let wasCancelled = try await cancel(id)
            return ["execution_id": .string(id.text), "cancelled": .bool(wasCancelled)]
        case .skip(let id, let reason):
            try await skip(id, reason: reason)
            return try await execution(id).brief
        case .setPriority(let id, let priority):
            try await setPriority(priority, of: id)
            return try await execution(id).brief
        case .retry(let id): return try await retry(id).brief
        case .resume(let id, let recovery, let onChange):
            return try await resume(id, recovery: recovery, onChange: onChange).brief
        case .copy(let id, let keeping): return try await copy(id, keepingMetadata: keeping).brief
        case .prune(let statuses, let age):
            return ["pruned": JSONValue(count: try await prune(statuses, olderThan: age))]
        case .goOn(let run, let move, let toEnd):
            guard let goingOn else { throw CommandFailure(.failed, "nobody works on the queue") }
            return try await goingOn(run, move, toEnd)
        }
        return ["paused": .bool(isPaused)]
    }
}

extension ExecutionQueue {
    /// What is told of an execution that was submitted now, with how many go before it.
    func submitted(_ execution: Execution) -> JSONValue {
        guard case .object(var row) = execution.brief else { return .null }
        row["waiting_before"] = waitingBefore(execution.id).map { JSONValue(count: $0) } ?? .null
        return .object(row)
    }
}

extension Execution {
    /// What is told of an execution where it stands in a line.
    var brief: JSONValue {
        var row = JSONObject()
        let keys = [
            "execution_id", "processor_id", "graph_id", "account_id", "underwriting_id", "status", "priority",
            "own_priority", "waits_for",
            "idempotency_key",
            "not_before", "metadata", "created_at", "started_at", "finished_at", "duration_ms", "denials", "chunks",
            "runs", "recoveries", "last_run_id", "retryable", "reason", "has_response",
        ]
        let all = jsonValue
        for key in keys { row[key] = all[key] }
        row["error"] =
            error.map { ["code": .string($0.code.rawValue), "message": .string($0.message)] } ?? .null
        return .object(row)
    }
}
