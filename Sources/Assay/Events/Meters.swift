import Metrics

/// The metrics of a run for the backend that the program has set up; without one, nothing is kept.
///
/// Updated directly and not from events, because a slow subscriber may miss events.
struct Meters: Sendable {
    private let items: [Status: Counter]
    private let duration: Timer
    private let attempts: Counter
    private let cost: FloatingPointCounter
    private let avoided: FloatingPointCounter
    private let runs: @Sendable (Status) -> Counter
    private let memory: @Sendable () -> Gauge
    private let batches: @Sendable (Status) -> Counter
    private let batchRetries: @Sendable () -> Counter
    private let batchDuration: @Sendable () -> Timer

    /// Creates the meters of a processor under a runner.
    init(processor: Identifier, runner: String) {
        let dimensions = [("processor", processor.text), ("runner", runner)]
        items = [Status.succeeded, .failed, .skipped, .cancelled].reduce(into: [:]) { items, status in
            items[status] = Counter(label: "assay_items_total", dimensions: dimensions + [("status", status.rawValue)])
        }
        duration = Timer(label: "assay_item_duration_seconds", dimensions: dimensions)
        attempts = Counter(label: "assay_item_attempts_total", dimensions: dimensions)
        cost = FloatingPointCounter(label: "assay_cost_total", dimensions: dimensions)
        avoided = FloatingPointCounter(label: "assay_avoided_cost_total", dimensions: dimensions)
        batches = { Counter(label: "assay_batches_total", dimensions: dimensions + [("status", $0.rawValue)]) }
        batchRetries = { Counter(label: "assay_batch_retries_total", dimensions: dimensions) }
        batchDuration = { Timer(label: "assay_batch_duration_seconds", dimensions: dimensions) }
        memory = { Gauge(label: "assay_memory_bytes") }
        runs = { Counter(label: "assay_runs_total", dimensions: dimensions + [("status", $0.rawValue)]) }
    }

    /// Counts an item whose outcome is in the store.
    func count(_ outcome: Outcome) {
        items[outcome.status]?.increment()
        guard outcome.attempts > 0 else { return }
        attempts.increment(by: outcome.attempts)
        duration.recordNanoseconds(outcome.duration.milliseconds * 1_000_000)
    }

    /// Counts a charge that is on record. Meters are for watching; the ledger has the exact sums.
    func count(_ charge: Charge) {
        cost.increment(by: Double(charge.cost.billionths) / 1e9)
        if let saved = charge.avoidedCost { avoided.increment(by: Double(saved.billionths) / 1e9) }
    }

    /// Counts a batch that has ended.
    func count(_ batch: BatchMetrics) {
        batches(batch.status).increment()
        if batch.retriesUsed > 0 { batchRetries().increment(by: batch.retriesUsed) }
        batchDuration().recordNanoseconds(batch.duration.milliseconds * 1_000_000)
    }

    /// Counts a run that has ended.
    func count(runEndedAs status: Status) {
        runs(status).increment()
        if let bytes = ResidentMemory.bytes { memory().record(bytes) }
    }
}
