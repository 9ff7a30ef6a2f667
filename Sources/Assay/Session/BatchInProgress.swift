/// The state of a batch's items, which its session keeps until the batch has ended.
struct BatchInProgress {
    /// The outcomes so far, by place in the run.
    var outcomes: [Int: Outcome] = [:]
    /// The places of items whose outcomes were reported before the batch was cut.
    var told: Set<Int> = []
    /// The charges for its items, in order of recording.
    var charges: [Charge] = []
    /// Whether calls of unknown outcome were made.
    var hasDoubts = false
    /// Calls of earlier runs that are in doubt and that its items passed by.
    var metDoubts: Set<String> = []
    /// The first start of each item, and the number of attempts before the batch was retried.
    var beginnings: [Int: (startedAt: Duration, attempts: Int)] = [:]

    /// The outcomes in item order.
    var sortedOutcomes: [Outcome] { outcomes.values.sorted { $0.index < $1.index } }

    /// The outcomes counted by status.
    var counts: Counts {
        var counts = Counts(total: outcomes.count)
        for outcome in outcomes.values { counts.add(outcome.status) }
        return counts
    }
}
