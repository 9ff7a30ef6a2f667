import Metrics

/// The metrics that a queue sends to the backend that the program has set up.
struct QueueMeters: Sendable {
    private let submissions: Counter
    private let starts: Counter
    private let denials: Counter
    private let wait: Timer
    private let pending: Gauge
    private let running: Gauge
    private let ends: @Sendable (Status) -> Counter

    /// Creates the meters of a queue.
    init(queue: String) {
        let dimensions = [("queue", queue)]
        submissions = Counter(label: "assay_executions_submitted_total", dimensions: dimensions)
        starts = Counter(label: "assay_executions_started_total", dimensions: dimensions)
        denials = Counter(label: "assay_admissions_denied_total", dimensions: dimensions)
        wait = Timer(label: "assay_execution_wait_seconds", dimensions: dimensions)
        pending = Gauge(label: "assay_executions_pending", dimensions: dimensions)
        running = Gauge(label: "assay_executions_running", dimensions: dimensions)
        ends = { Counter(label: "assay_executions_total", dimensions: dimensions + [("status", $0.rawValue)]) }
    }

    func count(submitted count: Int) { submissions.increment(by: count) }

    func countDenial() { denials.increment() }

    func count(endedAs status: Status) { ends(status).increment() }

    /// Counts a start, and how long the execution had waited since its submission.
    func count(startedAfter duration: Duration) {
        starts.increment()
        wait.recordNanoseconds(duration.milliseconds * 1_000_000)
    }

    func note(_ counts: StatusCounts) {
        pending.record(counts.pending)
        running.record(counts.running)
    }
}

extension ExecutionQueue {
    /// Sends the event of a change of status.
    func tell(_ execution: Execution, from: Status?, to: Status? = nil) {
        guard engine.events.wants(.executionStatus) else { return }
        engine.events.send(
            Event(
                .executionStatus, timestamp: world.time.now(), runID: nil, executionID: execution.id,
                processorID: execution.processorID, inputID: nil,
                data: [
                    "from": JSONValue(from?.rawValue), "to": .string((to ?? execution.status).rawValue),
                    "priority": JSONValue(finite: execution.priority), "queue": .string(configuration.name),
                ]))
    }

    /// Sends the event of a denial.
    func tellDenial(_ execution: Execution, _ reason: String) {
        guard engine.events.wants(.admissionDenied) else { return }
        engine.events.send(
            Event(
                .admissionDenied, timestamp: world.time.now(), runID: nil, executionID: execution.id,
                processorID: execution.processorID, inputID: nil,
                data: [
                    "reason": .string(reason), "denials": JSONValue(execution.denials.count),
                    "priority": JSONValue(finite: execution.priority),
                    "aborted": .bool(execution.status == .aborted), "queue": .string(configuration.name),
                ]))
    }
}
