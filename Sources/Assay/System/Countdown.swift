import Dispatch
import Synchronization

/// An action that runs after a delay, unless it is cancelled first.
///
/// After its end it holds nothing: a system timer may keep its action until the deadline, and with the action the
/// descriptors, processes and memory of something that ended long ago.
package final class Countdown: Sendable {
    private let body: Mutex<(@Sendable () -> Void)?>

    /// Starts the countdown.
    package init(_ limit: Duration, _ body: @escaping @Sendable () -> Void) {
        self.body = Mutex(body)
        DispatchQueue.global().asyncAfter(deadline: .now() + limit / .seconds(1)) { [self] in take()?() }
    }

    /// Cancels the countdown; the action does not run and is released.
    package func cancel() { _ = take() }

    private func take() -> (@Sendable () -> Void)? {
        body.withLock { body in
            defer { body = nil }
            return body
        }
    }
}
