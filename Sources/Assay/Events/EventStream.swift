public import Logging
import Synchronization

/// The events of an engine: recorded in the store, kept in a ring, and handed to subscribers.
///
/// An event that nobody wants costs one look at a set of kinds: its data is not even made.
public final class EventStream: Sendable {
    /// Takes one event; runs on a task of its own, events in order.
    public typealias Subscriber = @Sendable (Event) async throws -> Void

    private let state: Mutex<State>
    private let isEnabled: Bool
    private let level: Logger.Level
    private let capacity: Int
    private let logger: Logger
    private let time: any TimeSource
    /// A bit for each kind that a subscriber has asked for.
    private let wanted = Atomic<UInt64>(0)

    private struct State {
        var ring: [Event] = []
        var dropped = 0
        var tally: EventTally
        var subscriptions: [Int: Subscription] = [:]
        var nextSubscription = 0
        /// The graphs that run, each with whatever counts its taps.
        var tapCounters: [Int: @Sendable () -> Int] = [:]
        var nextCounter = 0
    }

    private struct Subscription {
        let kinds: Set<Event.Kind>
        let continuation: AsyncStream<Event>.Continuation
        let counts: SubscriptionCounts
    }

    /// A stream that records events of `level` and above.
    ///
    /// - Parameters:
    ///   - isEnabled: whether anybody gets any event at all.
    ///   - capacity: how many of the newest recorded events are kept for ``latest(_:)``.
    ///   - logger: where recorded events and failing subscribers are logged.
    ///   - time: the clock of ``summary()``.
    public init(
        isEnabled: Bool = true, level: Logger.Level = .info, capacity: Int = 10_000,
        logger: Logger = Logger(label: "assay") { _ in SwiftLogNoOpLogHandler() },
        time: any TimeSource = World.system.time
    ) {
        self.isEnabled = isEnabled
        self.level = level
        self.capacity = capacity
        self.logger = logger
        self.time = time
        state = Mutex(State(tally: EventTally(startedAt: time.uptime())))
    }

    /// Hands every event of `kinds` (all when `nil`) to `subscriber` until the subscription is let go.
    ///
    /// Each subscriber has a buffer of 1000 events, of which the oldest are dropped when it is slow. What it throws
    /// is logged and disturbs nobody.
    public func subscribe(_ kinds: Set<Event.Kind>? = nil, _ subscriber: @escaping Subscriber) -> EventSubscription {
        let (stream, continuation) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingNewest(1_000))
        let kinds = kinds ?? Set(Event.Kind.allCases)
        let counts = SubscriptionCounts()
        let id = state.withLock { state in
            state.nextSubscription += 1
            state.subscriptions[state.nextSubscription] = Subscription(
                kinds: kinds, continuation: continuation, counts: counts)
            wanted.store(Self.bits(of: state), ordering: .releasing)
            return state.nextSubscription
        }
        let logger = logger
        let delivery = Task {
            for await event in stream {
                do { try await subscriber(event) } catch {
                    counts.noteError()
                    logger.error("an event subscriber failed: \(error)", metadata: ["event": "\(event.kind.rawValue)"])
                }
            }
        }
        return EventSubscription(counts) { [weak self] in
            self?.unsubscribe(id)
            await delivery.value
        }
    }

    private func unsubscribe(_ id: Int) {
        state.withLock { state in
            state.subscriptions.removeValue(forKey: id)?.continuation.finish()
            wanted.store(Self.bits(of: state), ordering: .releasing)
        }
    }

    private static func bits(of state: State) -> UInt64 {
        state.subscriptions.values.reduce(0) { bits, subscription in
            subscription.kinds.reduce(bits) { $0 | $1.bit }
        }
    }

    /// The newest recorded events, oldest first, at most `count`.
    public func latest(_ count: Int = 100) -> [Event] {
        state.withLock { Array($0.ring.suffix(min(count, capacity))) }
    }

    /// How many recorded events the ring has dropped.
    public var dropped: Int { state.withLock { $0.dropped + max(0, $0.ring.count - capacity) } }

    /// How what was recorded so far adds up.
    public func summary() -> EventSummary {
        let (now, uptime) = (time.now(), time.uptime())
        let activeTaps = state.withLock { Array($0.tapCounters.values) }.reduce(0) { $0 + $1() }
        return state.withLock { state in
            let minuteAgo = now.advanced(by: .seconds(-60))
            // The ring is in order but for jumps of the clock; the newest are looked at first.
            let recent = state.ring.reversed().prefix { $0.timestamp > minuteAgo }.count
            return EventSummary(
                state.tally, recent: recent, uptime: uptime - state.tally.startedAt, activeTaps: activeTaps)
        }
    }

    /// Has ``summary()`` count the taps of a graph until ``forgetTaps(_:)``.
    func countTaps(_ count: @escaping @Sendable () -> Int) -> Int {
        state.withLock { state in
            state.nextCounter += 1
            state.tapCounters[state.nextCounter] = count
            return state.nextCounter
        }
    }

    /// No longer counts the taps of a graph that has ended.
    func forgetTaps(_ counter: Int) { state.withLock { $0.tapCounters[counter] = nil } }

    func records(_ kind: Event.Kind) -> Bool { isEnabled && kind.level >= level }

    func wants(_ kind: Event.Kind) -> Bool {
        guard isEnabled else { return false }
        if records(kind) { return true }
        let wanted = wanted.load(ordering: .acquiring)
        return wanted != 0 && wanted & kind.bit != 0
    }

    func send(_ event: Event) {
        let recorded = records(event.kind)
        state.withLock { state in
            if recorded {
                state.tally.add(event)
                state.ring.append(event)
                if state.ring.count >= 2 * capacity {
                    state.dropped += state.ring.count - capacity
                    state.ring.removeFirst(state.ring.count - capacity)
                }
            }
            for subscription in state.subscriptions.values where subscription.kinds.contains(event.kind) {
                if case .dropped = subscription.continuation.yield(event) { subscription.counts.noteDrop() }
            }
        }
        if recorded, logger.logLevel <= event.level {
            var metadata: Logger.Metadata = [:]
            for (key, value) in [
                ("run", event.runID?.text), ("processor", event.processorID?.text), ("item", event.inputID),
            ] {
                metadata[key] = value.map { "\($0)" }
            }
            let detail = event.data.isEmpty ? "" : " " + JSONValue.object(event.data).json
            logger.log(level: event.level, "\(event.kind.rawValue)\(detail)", metadata: metadata)
        }
    }
}

extension Event.Kind {
    /// Its place in a set of kinds.
    fileprivate var bit: UInt64 { 1 << UInt64(Self.places[self] ?? 0) }

    private static let places = Dictionary(
        uniqueKeysWithValues: allCases.enumerated().map { ($0.element, $0.offset) })
}

/// A subscription to events; ends when asked to.
public struct EventSubscription: Sendable {
    private let counts: SubscriptionCounts
    private let end: @Sendable () async -> Void

    init(_ counts: SubscriptionCounts, _ end: @escaping @Sendable () async -> Void) {
        self.counts = counts
        self.end = end
    }

    /// How often the subscriber threw.
    public var errors: Int { counts.errors }

    /// How many events it did not get because it was too slow.
    public var dropped: Int { counts.dropped }

    /// Ends the subscription and waits until what was sent before has been taken.
    public func finish() async { await end() }
}

/// How a subscriber has fared.
final class SubscriptionCounts: Sendable {
    private let counts = Mutex((errors: 0, dropped: 0))

    var errors: Int { counts.withLock { $0.errors } }
    var dropped: Int { counts.withLock { $0.dropped } }

    func noteError() { counts.withLock { $0.errors += 1 } }
    func noteDrop() { counts.withLock { $0.dropped += 1 } }
}
