public import Logging
import Synchronization

/// The events of an engine: recorded in the store, kept in a ring and delivered to subscribers.
///
/// An event without a listener costs one lookup in a set of kinds; its data is not even built.
public final class EventStream: Sendable {
    /// A function that takes one event. It runs on its own task and gets the events in order.
    public typealias Subscriber = @Sendable (Event) async throws -> Void

    private let state: Mutex<State>
    private let isEnabled: Bool
    private let level: Logger.Level
    private let capacity: Int
    private let logger: Logger
    private let time: any TimeSource
    /// One bit for each kind that some subscriber wants.
    private let wanted = Atomic<UInt64>(0)

    private struct State {
        var ring: [Event] = []
        var dropped = 0
        var tally: EventTally
        var subscriptions: [Int: Subscription] = [:]
        var nextSubscription = 0
        /// For each running graph, a function that counts its taps.
        var tapCounters: [Int: @Sendable () -> Int] = [:]
        var nextCounter = 0
    }

    private struct Subscription {
        let kinds: Set<Event.Kind>
        let continuation: AsyncStream<Event>.Continuation
        let counts: SubscriptionCounts
    }

    /// Creates a stream that records events of `level` and above.
    ///
    /// - Parameters:
    ///   - isEnabled: whether any events are recorded and delivered at all.
    ///   - capacity: how many of the newest recorded events are kept for ``latest(_:)``.
    ///   - logger: the log for recorded events and failing subscribers.
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

    /// Delivers every event of `kinds` (all when `nil`) to `subscriber` until ``EventSubscription/finish()``.
    ///
    /// Each subscriber has a buffer of 1000 events. When it is slow, the oldest are dropped. Errors it throws are
    /// logged and affect no one else.
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

    /// Returns the newest recorded events, oldest first, at most `count`.
    public func latest(_ count: Int = 100) -> [Event] {
        state.withLock { Array($0.ring.suffix(min(count, capacity))) }
    }

    /// The number of recorded events that the ring has dropped.
    public var dropped: Int { state.withLock { $0.dropped + max(0, $0.ring.count - capacity) } }

    /// Returns a summary of the events recorded so far.
    public func summary() -> EventSummary {
        let (now, uptime) = (time.now(), time.uptime())
        let activeTaps = state.withLock { Array($0.tapCounters.values) }.reduce(0) { $0 + $1() }
        return state.withLock { state in
            let minuteAgo = now.advanced(by: .seconds(-60))
            // The ring is in order except for clock jumps; the newest events are checked first.
            let recent = state.ring.reversed().prefix { $0.timestamp > minuteAgo }.count
            return EventSummary(
                state.tally, recent: recent, uptime: uptime - state.tally.startedAt, activeTaps: activeTaps)
        }
    }

    /// Makes ``summary()`` count the taps of a graph until ``forgetTaps(_:)``.
    func countTaps(_ count: @escaping @Sendable () -> Int) -> Int {
        state.withLock { state in
            state.nextCounter += 1
            state.tapCounters[state.nextCounter] = count
            return state.nextCounter
        }
    }

    /// Stops counting the taps of a graph that has ended.
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
    /// Its bit in a set of kinds.
    fileprivate var bit: UInt64 { 1 << UInt64(Self.places[self] ?? 0) }

    private static let places = Dictionary(
        uniqueKeysWithValues: allCases.enumerated().map { ($0.element, $0.offset) })
}

/// A subscription to events, which lasts until ``finish()``.
public struct EventSubscription: Sendable {
    private let counts: SubscriptionCounts
    private let end: @Sendable () async -> Void

    init(_ counts: SubscriptionCounts, _ end: @escaping @Sendable () async -> Void) {
        self.counts = counts
        self.end = end
    }

    /// The number of times the subscriber threw.
    public var errors: Int { counts.errors }

    /// The number of events it missed because it was too slow.
    public var dropped: Int { counts.dropped }

    /// Ends the subscription and waits until the subscriber has handled all events sent before.
    public func finish() async { await end() }
}

/// The counts of a subscriber's errors and dropped events.
final class SubscriptionCounts: Sendable {
    private let counts = Mutex((errors: 0, dropped: 0))

    var errors: Int { counts.withLock { $0.errors } }
    var dropped: Int { counts.withLock { $0.dropped } }

    func noteError() { counts.withLock { $0.errors += 1 } }
    func noteDrop() { counts.withLock { $0.dropped += 1 } }
}
