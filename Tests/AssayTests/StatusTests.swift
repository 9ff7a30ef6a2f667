import Assay
import Testing

@Suite("Status") struct StatusTests {
    static let legal: [Status: Set<Status>] = [
        .pending: [.running, .skipped, .aborted, .cancelled],
        .running: [.succeeded, .partial, .failed, .cancelled, .paused],
        .paused: [.running, .cancelled],
    ]

    @Test("moves along the table and nowhere else", arguments: Status.allCases, Status.allCases)
    func move(from: Status, to: Status) {
        if Self.legal[from]?.contains(to) == true {
            #expect((try? from.moved(to: to)) == to)
        } else {
            let error = #expect(throws: ProcessingError.self) { try from.moved(to: to) }
            #expect(error?.code == .illegalMove)
            #expect(error?.message.hasPrefix("cannot go from \(from.rawValue) to \(to.rawValue)") == true)
        }
    }

    @Test("is final when nothing can follow", arguments: Status.allCases) func terminal(status: Status) {
        #expect(status.isTerminal == (Self.legal[status] == nil))
    }
}

@Suite("Errors") struct ErrorTests {
    static let table: [(code: String, exception: String, retryable: Bool)] = [
        ("prevalidation", "PrevalidationError", false), ("transformation", "TransformationError", false),
        ("validation", "ValidationError", false), ("extraction", "ExtractionError", true), ("api", "ApiError", true),
        ("processing", "ProcessingError", true), ("aggregation", "ResultAggregationError", false),
        ("cost", "CostCalculationError", false), ("timeout", "TimeoutError", true),
        ("cancelled", "CancelledError", true), ("worker_crashed", "WorkerCrashedError", true),
        ("protocol", "ProtocolError", false), ("budget_exhausted", "BudgetExhaustedError", false),
        ("circuit_open", "CircuitOpenError", true), ("unknown_step", "UnknownStepError", false),
        ("definition_changed", "DefinitionChangedError", false), ("input_changed", "InputChangedError", false),
        ("denied", "DeniedError", false), ("program_broken", "ProgramBrokenError", true),
        ("interrupted", "InterruptedError", true), ("recovery_exhausted", "InterruptedError", false),
        ("queue_full", "QueueFullError", true), ("runner_unavailable", "RunnerUnavailableError", true),
        ("already_running", "AlreadyRunningError", true), ("store", "StoreError", true), ("graph", "GraphError", false),
        ("pipe_full", "PipeError", true), ("pipe_empty", "PipeError", true), ("pipe_closed", "PipeError", false),
        ("configuration", "ConfigurationError", false), ("not_found", "NotFoundError", false),
        ("exists", "ExistsError", false), ("illegal_move", "IllegalMoveError", false),
    ]

    @Test("every code has its name and says whether another attempt may help", arguments: table)
    func code(code: String, exception: String, retryable: Bool) throws {
        let error = ProcessingError(try #require(ProcessingError.Code(rawValue: code)), "text")
        #expect(error.exception == exception)
        #expect(error.retryable == retryable)
    }

    @Test("the table is complete") func complete() {
        #expect(Set(Self.table.map(\.code)) == Set(ProcessingError.Code.allCases.map(\.rawValue)))
    }

    struct Described: FailureDescribing {
        var failureCode: ProcessingError.Code? = .api
        var message = "HTTP 404"
        var retryable: Bool? = false
    }

    @Test("what user code throws keeps its name, and a failure that describes itself its code and word") func thrown()
        async throws
    {
        let report = try await Engine.testing().run([1, 2, 3]) { (n: Int, _: Context) -> Int in
            switch n {
            case 1: throw Refusal(description: "plain")
            case 2: throw Described()
            default: throw ProcessingError(.api, "busy")
            }
        }
        let records = report.outcomes.compactMap(\.error)
        #expect(records.map(\.exception) == ["Refusal", "Described", "ApiError"])
        #expect(records.map(\.code) == [.extraction, .api, .api])
        #expect(records.map(\.message) == ["plain", "HTTP 404", "busy"])
        #expect(records.map(\.retryable) == [true, false, true])
    }

    @Test("a cancellation that nobody asked for is an ordinary failure") func cancellation() async throws {
        let report = try await Engine.testing().run([1]) { (_: Int, _: Context) -> Int in throw CancellationError() }
        #expect(report.status == .failed)
        #expect(report.error?.code == .extraction)
        #expect(report.error?.exception == "CancellationError")
    }

    @Test("a message is cut at 8 KiB between characters") func cut() {
        let error = ProcessingError(.api, String(repeating: "é", count: 5_000) + "x")
        #expect(error.message.utf8.count == 8_192)
        #expect(ProcessingError(.api, "x" + String(repeating: "é", count: 5_000)).message.utf8.count == 8_191)
    }

    @Test("a failure record reads back as it was written") func record() async throws {
        let report = try await Engine.testing().run([1]) { (_: Int, context: Context) -> Int in
            try await context.step("a") { throw Refusal() }
        }
        let record = try #require(report.error)
        #expect(FailureRecord(json: record.jsonValue) == record)
        #expect(
            record.jsonValue.object?.keys == [
                "attempt", "code", "exception", "input_id", "message", "payload", "phase", "retryable", "step",
                "success",
            ])
    }
}
