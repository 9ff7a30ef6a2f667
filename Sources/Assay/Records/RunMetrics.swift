/// Sums over the items and steps of a run.
public struct RunMetrics: Hashable, Sendable {
    /// Sums over the uses of one step or stage.
    public struct Step: Hashable, Sendable {
        /// The step or stage.
        public var name: String
        /// How often its body ran.
        public var calls = 0
        /// How often its value came from a checkpoint.
        public var restored = 0
        /// How often its body threw.
        public var failures = 0
        /// Time spent in its body.
        public var total = Duration.zero
        /// The longest single time.
        public var longest = Duration.zero

        /// A step nothing is known of yet.
        public init(name: String) { self.name = name }

        mutating func add(_ duration: Duration, failed: Bool) {
            calls += 1
            failures += failed ? 1 : 0
            total += duration
            longest = max(longest, duration)
        }
    }

    /// Items with more than one attempt.
    public var retriedItems = 0
    /// Look-ups that found something.
    public var cacheHits = 0
    /// Look-ups that found nothing.
    public var cacheMisses = 0
    /// What cache hits saved.
    public var avoidedCost = MoneySum.zero
    /// Per step or stage, in order of first use.
    public var steps: [Step] = []
    /// Per node of a graph, the one that took longest first; see ``Report/profile``.
    public var nodes: [NodeMetrics] = []

    /// No sums yet.
    public init() {}

    /// Adds one use of the step or stage `name`.
    mutating func add(_ name: String, _ duration: Duration, failed: Bool = false) {
        self[name].add(duration, failed: failed)
    }

    /// The sums of the step or stage `name`.
    subscript(name: String) -> Step {
        get { steps.first { $0.name == name } ?? Step(name: name) }
        set {
            if let index = steps.firstIndex(where: { $0.name == name }) {
                steps[index] = newValue
            } else {
                steps.append(newValue)
            }
        }
    }

    /// Adds what one item's outcome says; its steps are added by themselves, every use of them.
    mutating func add(_ outcome: Outcome) { retriedItems += outcome.attempts > 1 ? 1 : 0 }

    /// Adds the uses of steps.
    mutating func add(_ uses: [Outcome.Step]) {
        for use in uses {
            if use.restored { self[use.name].restored += 1 } else { add(use.name, use.duration, failed: use.failed) }
        }
    }
}
