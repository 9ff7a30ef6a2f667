import Dispatch
import Synchronization

/// Does something after a while, unless it is cancelled before.
///
/// From its end on it holds nothing: a timer of the system may keep what it was to do until its time, and with that
/// descriptors, processes and memory of something that ended long ago.
package final class Countdown: Sendable {
    private let body: Mutex<(@Sendable () -> Void)?>

    /// Begins to count.
    package init(_ limit: Duration, _ body: @escaping @Sendable () -> Void) {
        self.body = Mutex(body)
        DispatchQueue.global().asyncAfter(deadline: .now() + limit / .seconds(1)) { [self] in take()?() }
    }

    /// Ends it; what it was to do is not done and let go.
    package func cancel() { _ = take() }

    private func take() -> (@Sendable () -> Void)? {
        body.withLock { body in
            defer { body = nil }
            return body
        }
    }
}
