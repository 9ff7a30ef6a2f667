import Synchronization

/// Whether a program or worker dies of some of a run's items, or of whatever it is given.
///
/// One that has died on three items before it ever answered is suspected: it is tried with the last item of the list and
/// with one from the middle before any other. If these die too, the program is broken, and no item is to blame.
final class Suspicion: Sendable {
    /// How many items it may die on before it is suspected.
    static let tolerated = 3

    /// An item out of order, with which a suspected program is tried.
    enum Probe: CaseIterable {
        case last, middle
    }

    /// What to start next.
    enum Order {
        case inOrder
        case probe(Probe)
        /// Nothing, until the probes in progress have ended.
        case wait
        /// Nothing any more.
        case broken
    }

    private struct State {
        var hasAnswered = false
        /// The items that it died on, in order, with the last death.
        var dead: [Int] = []
        var names: [String] = []
        var lastDeath = ""
        var isSuspected = false
        var probes: [Probe] = []
        /// The places of probes in progress.
        var trying: Set<Int> = []
        var probesDied = 0
        var isBroken = false
        /// The places of items that killed in an earlier run.
        var killers: Set<Int> = []

        /// Goes on in order, with nothing held against anybody.
        mutating func clear() {
            (isSuspected, probes, trying, probesDied, dead, names) = (false, [], [], 0, [], [])
        }

        /// Draws the conclusion once no probe is left.
        mutating func conclude() {
            guard isSuspected, probes.isEmpty, trying.isEmpty else { return }
            // Without any item left to try it with there is none to be spared either.
            if probesDied > 0 { isBroken = true } else { clear() }
        }
    }

    private let state = Mutex(State())
    private let news = Signal()
    // Asked for every item, and almost always false: a look at these spares the lock that all lanes share.
    private let hasDied = Atomic(false)
    private let hasAnswered = Atomic(false)
    private let hasKillers = Atomic(false)

    // MARK: What happened

    /// Records that the program answered, which shows that it can.
    func noteAnswer() {
        guard !hasAnswered.load(ordering: .acquiring) else { return }
        state.withLock { state in
            guard !state.hasAnswered else { return }
            state.hasAnswered = true
            hasAnswered.store(true, ordering: .releasing)
            guard !state.isBroken else { return }
            state.clear()
        }
        news.raise()
    }

    /// Records that the program died on the item at `place`.
    func noteDeath(at place: Int, of name: String, because error: ProcessingError) {
        state.withLock { state in
            guard !state.hasAnswered, !state.isBroken else { return }
            hasDied.store(true, ordering: .releasing)
            state.lastDeath = error.message
            if !state.dead.contains(place) {
                state.dead.append(place)
                state.names.append(name)
            }
            if state.trying.remove(place) != nil {
                state.probesDied += 1
                state.conclude()
            } else if !state.isSuspected, state.dead.count >= Self.tolerated {
                (state.isSuspected, state.probes) = (true, Probe.allCases)
            }
        }
        news.raise()
    }

    /// Records that the item at `place` is no longer worked on; a probe that neither died nor was answered for shows
    /// nothing, and the run goes on in order.
    func noteEnd(at place: Int) {
        guard hasDied.load(ordering: .acquiring) else { return }
        state.withLock { state in
            guard state.trying.remove(place) != nil else { return }
            state.clear()
        }
        news.raise()
    }

    // MARK: What to do

    /// What to start next; of a probe the taker says what became of it by ``begin(at:)``.
    func order() -> Order {
        guard hasDied.load(ordering: .acquiring) else { return .inOrder }
        return state.withLock { state in
            if state.isBroken { return .broken }
            guard state.isSuspected else { return .inOrder }
            guard !state.probes.isEmpty else { return .wait }
            return .probe(state.probes.removeFirst())
        }
    }

    /// Whether the item at `place` is one that it is tried with now.
    func isTrying(_ place: Int) -> Bool {
        hasDied.load(ordering: .acquiring) && state.withLock { $0.trying.contains(place) }
    }

    /// Whether nothing is to be started for the time being: until the probes in progress have ended, or for good.
    var holdsBack: Bool {
        hasDied.load(ordering: .acquiring) && state.withLock { $0.isBroken || $0.isSuspected && $0.probes.isEmpty }
    }

    /// Whether it died of whatever it was given.
    var isBroken: Bool { state.withLock { $0.isBroken } }

    /// Says that a probe is made with the item at `place`, or that there is none left for it.
    func begin(at place: Int?) {
        state.withLock { state in
            if let place { state.trying.insert(place) }
            state.conclude()
        }
        news.raise()
    }

    /// Returns when there may be another order, the run is stopped, or the task is cancelled.
    func waitForNews(orStopIn stops: StopState) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.waitForNews() }
            group.addTask { await stops.wait { _ in true } }
            await group.next()
            group.cancelAll()
        }
    }

    private func waitForNews() async {
        await news.wait { state.withLock { !$0.isSuspected || $0.isBroken || !$0.probes.isEmpty } }
    }

    /// Why the run is given up.
    func failure(of processor: Identifier) -> ProcessingError {
        let (names, last) = state.withLock { ($0.names, $0.lastDeath) }
        let shown = names.prefix(8).map { "'\($0.cut(toBytes: 128))'" }.joined(separator: ", ")
        return ProcessingError(
            .programBroken,
            "'\(processor)' died on each of the \(names.count) inputs it was given before it had answered any: \(shown)\(names.count > 8 ? ", …" : ""); "
                + "the others were not given to it; mend the program and resume the run. At last: \(last)")
    }

    // MARK: Items that killed before

    /// Says that an earlier run lost programs on the item at `place`.
    func noteKiller(at place: Int) {
        state.withLock { _ = $0.killers.insert(place) }
        hasKillers.store(true, ordering: .releasing)
    }

    /// Whether the item at `place` is started after those that have killed nothing.
    func isKiller(_ place: Int) -> Bool {
        hasKillers.load(ordering: .acquiring) && state.withLock { $0.killers.contains(place) }
    }
}

extension Outcome {
    /// Whether programs or workers died of the item.
    var hasKilled: Bool { reason == .poison || error?.code == .workerCrashed }
}
