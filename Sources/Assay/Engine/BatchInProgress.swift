/// What the session of a batch remembers of its items until the batch has ended.
struct BatchInProgress {
    /// How items have ended so far, by their places in the run.
    var outcomes: [Int: Outcome] = [:]
    /// The places of items whose outcomes were told before the batch was cut.
    var told: Set<Int> = []
    /// What its items cost, in order of recording.
    var charges: [Charge] = []
    /// Whether calls of unknown outcome were made.
    var hasDoubts = false
    /// Calls of earlier runs that are in doubt and that its items have passed by.
    var metDoubts: Set<String> = []
    /// When items were first started, and how many attempts were made before the batch was tried again.
    var beginnings: [Int: (startedAt: Duration, attempts: Int)] = [:]

    /// The outcomes in item order.
    var sortedOutcomes: [Outcome] { outcomes.values.sorted { $0.index < $1.index } }

    /// How its items stand.
    var counts: Counts {
        var counts = Counts(total: outcomes.count)
        for outcome in outcomes.values { counts.add(outcome.status) }
        return counts
    }
}

extension RunSession {
    /// How many attempts at an item were made before its batch was tried again.
    func attemptsBefore(_ index: Int) -> Int { isBatch ? withBatch { $0.beginnings[index]?.attempts ?? 0 } : 0 }

    /// When an item was first started, which may be now, and how many attempts were made before.
    func begin(_ index: Int, at now: Duration) -> (startedAt: Duration, attempts: Int) {
        guard isBatch else { return (now, 0) }
        return withBatch { batch in
            let beginning = batch.beginnings[index] ?? (now, 0)
            batch.beginnings[index] = beginning
            return beginning
        }
    }
}
