import Synchronization

/// The time that a run has worked. It does not run while the run is paused.
final class Stopwatch: Sendable {
    /// When the run began; for one that continues from a pause, as long ago as it had worked before.
    let startedAt: Duration
    private let time: any TimeSource
    /// The time the run was paused so far, and the start of its current pause.
    private let pauses = Mutex<(total: Duration, since: Duration?)>((.zero, nil))

    /// Starts at `worked`, the time that the run had worked before.
    init(_ time: any TimeSource, worked: Duration) {
        self.time = time
        startedAt = time.uptime() - worked
    }

    /// Stops or starts it.
    func stands(_ stands: Bool) {
        let now = time.uptime()
        pauses.withLock { pauses in
            if let since = pauses.since { pauses.total += now - since }
            pauses.since = stands ? now : nil
        }
    }

    /// The time worked until now.
    var timeWorked: Duration {
        let now = time.uptime()
        return pauses.withLock { now - startedAt - $0.total - ($0.since.map { now - $0 } ?? .zero) }
    }
}
