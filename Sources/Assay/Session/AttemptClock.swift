import Synchronization

/// The time left to an attempt at an item. It does not run while the engine makes the attempt wait.
final class AttemptClock: Sendable {
    private struct State {
        /// The ordinal of the timed attempt. Waits of earlier attempts no longer count.
        var number = 0
        var deadline = Duration.zero
        var heartbeat: Duration?
        var lastSign = Duration.zero
        /// The number of waits in progress, and since when.
        var waits = 0
        var waitsSince = Duration.zero
        var alarm: Alarm?

        var end: Duration? {
            guard waits == 0 else { return nil }
            return heartbeat.map { min(deadline, lastSign + $0) } ?? deadline
        }
    }

    /// A wait in progress.
    struct Wait {
        fileprivate let number: Int
    }

    private let state = Mutex(State())

    /// Begins an attempt.
    ///
    /// - Parameters:
    ///   - heartbeat: how long it may go without a sign of life; `nil`: as long as it has time.
    ///   - alarm: rings when the end of the attempt moves closer.
    func begin(at now: Duration, limit: Duration, heartbeat: Duration?, alarm: Alarm? = nil) {
        state.withLock { state in
            state = State(
                number: state.number + 1, deadline: now + limit, heartbeat: heartbeat, lastSign: now, alarm: alarm)
        }
    }

    /// The moment when the attempt is out of time or has been silent for too long; `nil` while it is made to wait.
    var end: Duration? { state.withLock { $0.end } }

    /// Returns whether the attempt has been silent for too long.
    func isSilent(at now: Duration) -> Bool {
        state.withLock { state in state.waits == 0 && state.heartbeat.map { now - state.lastSign >= $0 } == true }
    }

    /// Records a sign of life.
    func beat(at now: Duration) { state.withLock { $0.lastSign = max($0.lastSign, now) } }

    /// Stops the clock while the attempt is made to wait. Each call is ended by ``goOn(after:at:)``.
    func pause(at now: Duration) -> Wait {
        state.withLock { state in
            if state.waits == 0 { state.waitsSince = now }
            state.waits += 1
            return Wait(number: state.number)
        }
    }

    /// Ends a wait. The clock runs again when the last of several concurrent waits has ended.
    func goOn(after wait: Wait, at now: Duration) {
        let (end, alarm) = state.withLock { state -> (Duration?, Alarm?) in
            guard state.number == wait.number else { return (nil, nil) }
            state.waits -= 1
            if state.waits == 0 {
                state.deadline += now - state.waitsSince
                // The attempt could not send a heartbeat in the meantime.
                state.lastSign = now
            }
            return (state.end, state.alarm)
        }
        if let end { alarm?.ring(for: end) }
    }
}

/// An alarm that wakes the supervisor of attempts when an end is closer than it knows.
final class Alarm: Sendable {
    private struct State {
        /// The earliest end that was rung for since the last look.
        var first: Duration?
        var sleepsUntil: Duration?

        var isRung: Bool {
            guard let first, let sleepsUntil else { return false }
            return first < sleepsUntil
        }
    }

    private let state = Mutex(State())
    private let rings = Signal()

    /// Reports that an attempt ends at `moment`.
    func ring(for moment: Duration) {
        let isRung = state.withLock { state in
            state.first = min(state.first ?? moment, moment)
            return state.isRung
        }
        if isRung { rings.raise() }
    }

    /// Resets the alarm. Call it before looking at ends: the sleep that follows hears everything that rings from here
    /// on.
    func listen() { state.withLock { $0 = State() } }

    /// Sleeps until `moment`, until it rings for an earlier end, or until the task is cancelled.
    func sleep(until moment: Duration, by time: any TimeSource) async {
        let isRung = state.withLock { state in
            state.sleepsUntil = moment
            return state.isRung
        }
        guard !isRung else { return }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await time.sleep(until: moment) }
            group.addTask { await self.rings.wait { self.state.withLock { $0.isRung } } }
            await group.next()
            group.cancelAll()
        }
    }
}
