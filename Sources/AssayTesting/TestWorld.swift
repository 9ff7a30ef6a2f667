public import Assay
import Synchronization

/// A clock that only moves when a test moves it. A sleeper wakes when its deadline is reached.
public final class ManualTime: TimeSource {
    private struct Sleeper {
        let deadline: Duration
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var start: Timestamp
        var elapsed = Duration.zero
        var jumps = Duration.zero
        var sleepers: [Int: Sleeper] = [:]
        var nextSleeper = 0
        var slept: [Duration] = []
        var runsFree: Bool
    }

    private let state: Mutex<State>
    private let news = Signal()

    /// Creates a clock that starts at `start`.
    ///
    /// - Parameter runsFree: whether a wait of up to ten minutes moves the clock to its end at once instead of waiting
    ///   for ``advance(by:)``. Longer waits are time limits and never move the clock.
    public init(
        start: Timestamp = Timestamp("2025-03-03T09:15:00Z") ?? Timestamp(milliseconds: 0), runsFree: Bool = false
    ) {
        state = Mutex(State(start: start, runsFree: runsFree))
    }

    public func now() -> Timestamp { state.withLock { $0.start.advanced(by: $0.elapsed + $0.jumps) } }

    public func uptime() -> Duration { state.withLock { $0.elapsed } }

    /// The lengths of all waits so far, in the order in which they began.
    public var waits: [Duration] { state.withLock { $0.slept } }

    /// Moves the wall clock without any time passing.
    public func jump(by duration: Duration) { state.withLock { $0.jumps += duration } }

    /// Lets time pass and wakes the sleepers whose deadline is reached.
    public func advance(by duration: Duration) {
        let woken = state.withLock { state in
            state.elapsed += duration
            let due = state.sleepers.filter { $0.value.deadline <= state.elapsed }
            for id in due.keys { state.sleepers[id] = nil }
            return due.values.map(\.continuation)
        }
        for continuation in woken { continuation.resume() }
    }

    /// Waits until at least `count` waits are in progress.
    public func waitForSleepers(_ count: Int = 1) async {
        await news.wait { state.withLock { $0.sleepers.count >= count } }
    }

    public func sleep(until deadline: Duration) async throws {
        try Task.checkCancellation()
        let id = state.withLock { state in
            state.nextSleeper += 1
            return state.nextSleeper
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isOver = state.withLock { state in
                    state.slept.append(deadline - state.elapsed)
                    if state.runsFree, deadline - state.elapsed <= .seconds(600) {
                        state.elapsed = max(state.elapsed, deadline)
                    }
                    guard deadline > state.elapsed, !Task.isCancelled else { return true }
                    state.sleepers[id] = Sleeper(deadline: deadline, continuation: continuation)
                    return false
                }
                if isOver { continuation.resume() } else { news.raise() }
            }
        } onCancel: {
            let sleeper = state.withLock { $0.sleepers.removeValue(forKey: id) }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
        try Task.checkCancellation()
    }
}

extension World {
    /// Returns a world without randomness: the given clock, identifiers `id-1`, `id-2`, …, and always the same number.
    public static func testing(time: any TimeSource = ManualTime(runsFree: true), chance: Double = 0.5) -> World {
        let counter = Counter()
        return World(time: time, makeIdentifier: { .numbered("id-", counter.next()) }, chance: { chance })
    }
}

extension Identifier {
    /// Returns the identifier made of `prefix` and `number`, for tests that number their names.
    public static func numbered(_ prefix: StaticString, _ number: Int) -> Identifier {
        guard let identifier = Identifier("\(prefix)\(number)") else {
            preconditionFailure("'\(prefix)' cannot begin an identifier")
        }
        return identifier
    }
}

/// A shared counter.
public final class Counter: Sendable {
    private let value = Mutex(0)

    /// Creates a counter at 0.
    public init() {}

    /// Adds one and returns the new value.
    @discardableResult public func next() -> Int {
        value.withLock { value in
            value += 1
            return value
        }
    }

    /// The number of calls of ``next()``.
    public var count: Int { value.withLock { $0 } }
}
