/// A list of strategies: the first retry or skip in the list wins, and without one the run is halted.
///
/// A strategy that throws is ignored. A final halt ends the list: strategies after it are ignored.
public struct CompositeStrategy: ErrorStrategy {
    /// The order of asking: one strategy after another or all at once.
    public enum Order: String, Codable, Sendable, CaseIterable {
        case sequential, parallel
    }

    /// The strategies in their order.
    public let strategies: [any ErrorStrategy]
    /// The order in which they are asked.
    public let order: Order
    /// The only circuit breaker among them. Stored, because composites may be nested deeply.
    public let breaker: CircuitBreakerPolicy?

    /// The default: two retries after 0.5 s and 1 s, then up to ten skips.
    public static let standard = CompositeStrategy(unchecked: [
        RetryStrategy(.ofDefaultStrategy, setAt: "the default"), SkipStrategy(unchecked: 10, setAt: "the default"),
    ])

    /// Creates a strategy that combines others.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` when there are none, or when two different circuit
    ///   breakers are among them; a node has only one.
    public init(_ strategies: [any ErrorStrategy], order: Order = .sequential) throws(ProcessingError) {
        guard !strategies.isEmpty else {
            throw ProcessingError(.configuration, "strategies needs at least one error strategy")
        }
        let breakers = Set(strategies.compactMap(\.breaker))
        guard breakers.count <= 1 else {
            throw ProcessingError(.configuration, "strategies must not have two different circuit breakers")
        }
        breaker = breakers.first
        self.strategies = strategies
        self.order = order
    }

    private init(unchecked strategies: [any ErrorStrategy]) {
        self.strategies = strategies
        order = .sequential
        breaker = nil
    }

    public func answer(to failure: NodeFailure) async -> ErrorAnswer { await firstVerdict(on: failure).answer }

    /// Returns the answer and the strategy it came from.
    func firstVerdict(on failure: NodeFailure) async -> StrategyVerdict {
        let verdicts = order == .parallel ? await asked(about: failure) : nil
        var halts: [StrategyVerdict] = []
        for index in strategies.indices {
            let answered: StrategyVerdict? =
                if let verdicts { verdicts[index] } else { await strategies[index].verdict(on: failure.part(index)) }
            guard let verdict = answered else { continue }
            guard case .halt(let halt) = verdict.answer, !halt.isFinal else { return verdict }
            halts.append(verdict)
        }
        // Of several halts, the first one that names a time-out counts.
        var verdict =
            halts.first { $0.namesTimeout } ?? halts.first
            ?? StrategyVerdict(answer: .halt, strategy: self, place: failure.place)
        verdict.limits = halts.flatMap(\.limits)
        return verdict
    }

    /// Asks all strategies at once and returns their verdicts; `nil` for a strategy that throws.
    private func asked(about failure: NodeFailure) async -> [StrategyVerdict?] {
        await withTaskGroup(of: (Int, StrategyVerdict?).self) { group in
            for (index, strategy) in strategies.enumerated() {
                group.addTask { (index, await strategy.verdict(on: failure.part(index))) }
            }
            var verdicts = [StrategyVerdict?](repeating: nil, count: strategies.count)
            for await (index, verdict) in group { verdicts[index] = verdict }
            return verdicts
        }
    }
}

/// An answer and the strategy it came from, which counts the answer as its own.
struct StrategyVerdict: Sendable {
    let answer: ErrorAnswer
    let strategy: any ErrorStrategy
    let place: StrategyPlace
    /// For a halt: the exhausted limits of all strategies that halted.
    var limits: [String] = []

    /// Whether it is a halt that says how long nodes in flight may continue.
    var namesTimeout: Bool { if case .halt(let halt) = answer { halt.namedTimeout != nil } else { false } }
}

extension ErrorStrategy {
    /// Returns the strategy's answer and which of its parts gave it; `nil` when it throws.
    func verdict(on failure: NodeFailure) async -> StrategyVerdict? {
        if let composite = self as? CompositeStrategy { return await composite.firstVerdict(on: failure) }
        guard let answer = try? await answer(to: failure) else { return nil }
        var verdict = StrategyVerdict(answer: answer, strategy: self, place: failure.place)
        if case .halt = answer, let limit = limit(after: failure) { verdict.limits = [limit] }
        return verdict
    }
}
