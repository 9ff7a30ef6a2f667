/// Sums over the items and steps of a run.
public struct RunMetrics: Hashable, Sendable {
    /// Sums over the uses of one step or stage.
    public struct Step: Hashable, Sendable {
        /// The step or stage.
        public var name: String
        /// The number of times its body ran.
        public var calls = 0
        /// The number of times its value came from a saved step.
        public var restored = 0
        /// The number of times its body threw.
        public var failures = 0
        /// The time spent in its body.
        public var total = Duration.zero
        /// The longest single time.
        public var longest = Duration.zero

        /// Creates a step of which nothing is known yet.
        public init(name: String) { self.name = name }

        mutating func add(_ duration: Duration, failed: Bool) {
            calls += 1
            failures += failed ? 1 : 0
            total += duration
            longest = max(longest, duration)
        }
    }

    /// The number of items with more than one attempt.
    public var retriedItems = 0
    /// The number of look-ups that found something.
    public var cacheHits = 0
    /// The number of look-ups that found nothing.
    public var cacheMisses = 0
    /// The amount that cache hits saved.
    public var avoidedCost = MoneySum.zero
    /// The sums per step or stage, in order of first use.
    public var steps: [Step] = []
    /// The metrics per node of a graph, the one that took longest first; see ``Report/profile``.
    public var nodes: [NodeMetrics] = []

    /// Creates empty sums.
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

    /// Adds one item's outcome without its steps; every use of a step is added separately.
    mutating func add(_ outcome: Outcome) { retriedItems += outcome.attempts > 1 ? 1 : 0 }

    /// Adds the uses of steps.
    mutating func add(_ uses: [Outcome.Step]) {
        for use in uses {
            if use.restored { self[use.name].restored += 1 } else { add(use.name, use.duration, failed: use.failed) }
        }
    }
}
