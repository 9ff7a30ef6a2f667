/// Asks several strategies; the first retry or skip in the list wins, and where there is none the run is halted.
///
/// One that throws is passed over. A final halt ends the list: what stands after it is not looked at.
public struct CompositeStrategy: ErrorStrategy {
    /// Whether the strategies are asked one after another or all at once.
    public enum Order: String, Codable, Sendable, CaseIterable {
        case sequential, parallel
    }

    /// The strategies in their order.
    public let strategies: [any ErrorStrategy]
    /// How they are asked.
    public let order: Order
    /// The one circuit breaker there is among them. Kept, since composites may stand within each other many deep.
    public let breaker: CircuitBreakerPolicy?

    /// What applies where nothing is said: two retries after 0.5 s and 1 s, then up to ten skips.
    public static let standard = CompositeStrategy(unchecked: [
        RetryStrategy(.ofDefaultStrategy, setAt: "the default"), SkipStrategy(unchecked: 10, setAt: "the default"),
    ])

    /// A strategy of others.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` when there are none, or two different circuit breakers
    ///   among them, of which a node has one.
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

    /// The answer, and whose it is.
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
        // Of several halts the one counts that says how.
        var verdict =
            halts.first { $0.namesTimeout } ?? halts.first
            ?? StrategyVerdict(answer: .halt, strategy: self, place: failure.place)
        verdict.limits = halts.flatMap(\.limits)
        return verdict
    }

    /// What all strategies say when they are asked at once; `nil` for one that throws.
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

/// An answer, and the strategy it came from, which counts it as its own.
struct StrategyVerdict: Sendable {
    let answer: ErrorAnswer
    let strategy: any ErrorStrategy
    let place: StrategyPlace
    /// For a halt: the limits that were used up, of all that halted.
    var limits: [String] = []

    /// Whether it is a halt that says how long nodes in flight may go on.
    var namesTimeout: Bool { if case .halt(let halt) = answer { halt.namedTimeout != nil } else { false } }
}

extension ErrorStrategy {
    /// What the strategy answers, and which of its parts does; `nil` when it throws.
    func verdict(on failure: NodeFailure) async -> StrategyVerdict? {
        if let composite = self as? CompositeStrategy { return await composite.firstVerdict(on: failure) }
        guard let answer = try? await answer(to: failure) else { return nil }
        var verdict = StrategyVerdict(answer: answer, strategy: self, place: failure.place)
        if case .halt = answer, let limit = limit(after: failure) { verdict.limits = [limit] }
        return verdict
    }
}
