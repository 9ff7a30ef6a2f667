/// A latch that opens once and stays open.
package final class Latch: Sendable {
    private let waiters = Waiters(false)

    package init() {}

    package var isOpen: Bool { waiters.state }

    /// Lets everyone pass from now on.
    package func open() {
        waiters.change { isOpen, waiting in
            isOpen = true
            return waiting
        }
    }

    /// Waits until it is open, or until the calling task is cancelled.
    package func pass() async { _ = await waiters.wait(isStopped: true) { $0 } }

    /// Waits until it is open, for work that must be done even if the calling task is cancelled.
    package func passUncancelled() async { _ = await waiters.wait(isStopped: false) { $0 } }
}
