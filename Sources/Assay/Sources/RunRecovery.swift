import Synchronization

/// The failure handling of one run of a graph: its strategies, what they have counted, and which items were skipped.
///
/// Counts are exact however many items fail at the same time. All functions may be called concurrently.
public final class RunRecovery: Sendable {
    /// The permission to make an attempt. The end of every admitted attempt must be reported.
    public struct Admission: Sendable {
        /// Whether the attempt decides if a breaker may close again.
        let isTrial: Bool
    }

    /// The number of skipped items that are kept.
    public static let skippedItemsKept = 1_000

    private struct State {
        var failures: [NodeItem: Int] = [:]
        var skips: [StrategyPlace: StrategySkips] = [:]
        var skipped: [SkippedItem] = []
        var skippedCount = 0
        var isHalted = false
    }

    private struct NodeItem: Hashable {
        let node: Identifier
        let inputID: ExternalID
    }

    private let graph: Identifier
    private let standard: any ErrorStrategy
    private let strategies: [Identifier: any ErrorStrategy]
    private let breakers: CircuitBreakers
    private let world: World
    private let tell: @Sendable (_ node: Identifier, _ breaker: CircuitBreaker.State) -> Void
    private let state: Mutex<State>

    /// Creates the failure handling of a run of the graph named `graph`.
    ///
    /// - Parameters:
    ///   - standard: the strategy of nodes that have none of their own.
    ///   - strategies: the strategies of nodes.
    ///   - breakers: holds the circuit breakers of nodes, each under `graph/node`.
    ///   - tell: called when a node's breaker changes its state.
    public convenience init(
        graph: Identifier, standard: any ErrorStrategy = CompositeStrategy.standard,
        strategies: [Identifier: any ErrorStrategy] = [:], breakers: CircuitBreakers, world: World,
        tell: @escaping @Sendable (_ node: Identifier, _ breaker: CircuitBreaker.State) -> Void = { _, _ in }
    ) {
        self.init(
            graph: graph, standard: standard, strategies: strategies, breakers: breakers, world: world, skips: [:],
            tell: tell)
    }

    /// - Parameter skips: the skips that were counted in the run before.
    init(
        graph: Identifier, standard: any ErrorStrategy, strategies: [Identifier: any ErrorStrategy],
        breakers: CircuitBreakers, world: World, skips: [StrategyPlace: StrategySkips],
        tell: @escaping @Sendable (_ node: Identifier, _ breaker: CircuitBreaker.State) -> Void
    ) {
        self.graph = graph
        self.standard = standard
        self.strategies = strategies
        self.breakers = breakers
        self.world = world
        self.tell = tell
        state = Mutex(State(skips: skips))
    }

    /// The number of items that each strategy has skipped.
    var skips: [StrategyPlace: StrategySkips] { state.withLock { $0.skips } }

    // MARK: Attempts

    /// Admits an attempt at `node`.
    ///
    /// - Throws: ``ProcessingError`` with code `circuit_open` when its breaker refuses. Pass that failure to
    ///   ``answer(to:of:at:data:after:context:)`` without an admission.
    public func admit(_ node: Identifier) throws(ProcessingError) -> Admission {
        guard let policy = strategy(of: node).breaker else { return Admission(isTrial: false) }
        let now = world.time.uptime()
        let (answer, moved) = breakers.use(breakerName(of: node), policy) { breaker in
            (
                isAdmitted: breaker.admits(at: now), isTrial: breaker.state == .halfOpen,
                remaining: breaker.remaining(at: now)
            )
        }
        if let moved { tell(node, moved) }
        guard !answer.isAdmitted else { return Admission(isTrial: answer.isTrial) }
        throw ProcessingError(
            .circuitOpen,
            answer.remaining > .zero
                ? "node '\(node)' keeps failing and is not run for another \(answer.remaining.secondsText)"
                : "node '\(node)' kept failing and is being tried on another item",
            retryAfter: answer.remaining)
    }

    /// Records an attempt at `node` that succeeded.
    public func succeed(_ node: Identifier, after admission: Admission) {
        _ = note(node, admission) { $0.succeed() }
    }

    /// Records an attempt at `node` whose end says nothing about the node.
    public func withdraw(_ node: Identifier, after admission: Admission) {
        _ = note(node, admission) { $0.withdraw() }
    }

    /// Decides what to do with an item at a node after a failure.
    ///
    /// When this returns a halt, the strategy's own clean-up has had its time.
    ///
    /// - Parameters:
    ///   - data: the node's input.
    ///   - admission: the admission of the attempt; `nil` when there was none.
    ///   - context: the run and the attempt.
    public func answer(
        to error: ProcessingError, of node: Identifier, at inputID: String, data: JSONValue,
        after admission: Admission?, context: Context? = nil
    ) async -> ErrorAnswer {
        let now = world.time.uptime()
        let breaker = note(node, admission) { $0.fail(at: now) }
        let number = state.withLock { state in
            let key = NodeItem(node: node, inputID: ExternalID(unchecked: inputID))
            state.failures[key, default: 0] += 1
            return state.failures[key, default: 1]
        }
        let strategy = strategy(of: node)
        while true {
            let counts = state.withLock { $0.skips }
            var failure = NodeFailure(
                error: error, node: node, inputID: inputID, inputData: data, number: number, context: context,
                breaker: breaker, chance: world.chance, counts: counts, place: place(of: node))
            failure.graph = graph
            guard let verdict = await strategy.verdict(on: failure) else { return .halt }
            switch verdict.answer {
            case .retry: return verdict.answer
            case .skip:
                // Another item may have been skipped while this decision was made.
                guard count(skipOf: failure, at: verdict.place, seen: counts) else { continue }
                return .skip
            case .halt(var halt):
                await cleanUp(verdict, failure, halt)
                halt.limits = verdict.limits.isEmpty ? nil : verdict.limits.joined(separator: ", and ")
                return .halt(halt)
            }
        }
    }

    /// Forgets the failures of an item that has left the graph.
    public func forget(_ inputID: String, at nodes: some Sequence<Identifier>) {
        state.withLock { state in
            for node in nodes {
                state.failures[NodeItem(node: node, inputID: ExternalID(unchecked: inputID))] = nil
            }
        }
    }

    // MARK: Skipped items

    /// The newest ``skippedItemsKept`` items that were skipped, oldest first.
    public var skippedItems: [SkippedItem] { state.withLock { $0.skipped } }

    /// The number of times an item was skipped at a node.
    public var skippedCount: Int { state.withLock { $0.skippedCount } }

    // MARK: Parts

    private func strategy(of node: Identifier) -> any ErrorStrategy { strategies[node] ?? standard }

    private func place(of node: Identifier) -> StrategyPlace {
        StrategyPlace(node: strategies[node] == nil ? nil : node)
    }

    private func breakerName(of node: Identifier) -> String { "\(graph)/\(node)" }

    /// Notifies a node's breaker that an attempt ended.
    ///
    /// - Returns: the new state of the breaker; `nil` when there is none.
    private func note(
        _ node: Identifier, _ admission: Admission?, _ body: (inout CircuitBreaker) -> Void
    ) -> CircuitBreaker.State? {
        guard let policy = strategy(of: node).breaker else { return nil }
        let (state, moved) = breakers.use(breakerName(of: node), policy) { breaker in
            // An attempt that was admitted earlier says nothing about the current state of the node.
            if let admission, admission.isTrial == (breaker.state == .halfOpen) { body(&breaker) }
            return breaker.state
        }
        if let moved { tell(node, moved) }
        return state
    }

    /// Counts a skip, unless the strategy has skipped another item since `counts` were read.
    private func count(
        skipOf failure: NodeFailure, at place: StrategyPlace, seen counts: [StrategyPlace: StrategySkips]
    ) -> Bool {
        let skipped = SkippedItem(
            processorID: failure.node, inputID: failure.inputID, error: failure.error, timestamp: world.time.now(),
            inputData: failure.inputData)
        return state.withLock { state in
            guard state.skips[place] == counts[place] else { return false }
            let node = place.node == nil ? " at node '\(failure.node)'" : ""
            state.skips[place, default: StrategySkips()].add("\(failure.inputID.visible)\(node)")
            state.skippedCount += 1
            state.skipped.append(skipped)
            if state.skipped.count > Self.skippedItemsKept { state.skipped.removeFirst() }
            return true
        }
    }

    /// Lets the strategy that halted the run clean up, once per run and within its time.
    private func cleanUp(_ verdict: StrategyVerdict, _ failure: NodeFailure, _ halt: ErrorAnswer.Halt) async {
        let isFirst = state.withLock { state in
            defer { state.isHalted = true }
            return !state.isHalted
        }
        guard isFirst else { return }
        let deadline = world.time.uptime() + halt.cleanupTimeout
        let time = world.time
        await withTaskGroup(of: Void.self) { group in
            // An error of the clean-up changes nothing: the run is halted for the original failure anyway.
            group.addTask { try? await verdict.strategy.halted(by: failure) }
            group.addTask { try? await time.sleep(until: deadline) }
            await group.next()
            group.cancelAll()
        }
    }
}

/// An item that continues without the output of a node.
public struct SkippedItem: Sendable {
    /// The node that has no output for it.
    public let processorID: Identifier
    /// The item.
    public let inputID: String
    /// The failure of the node.
    public let error: ProcessingError
    /// The moment when it was skipped.
    public let timestamp: Timestamp
    /// The input of the node.
    public let inputData: JSONValue

    /// The record as JSON.
    public var jsonValue: JSONValue {
        [
            "processor_id": .string(processorID.text), "input_id": .string(inputID),
            "error": .string(error.message), "timestamp": timestamp.jsonValue, "input_data": inputData,
        ]
    }
}
