/// A sign that something has changed, for tasks that wait until a condition holds.
///
/// Code that changes what a condition reads raises the signal afterwards. Every raise checks the condition again, so no
/// change is missed.
package final class Signal: Sendable {
    private let waiters = Waiters(0)

    package init() {}

    /// Says that something has changed.
    package func raise() {
        waiters.change { raises, waiting in
            raises &+= 1
            return waiting
        }
    }

    /// Waits until `holds`, or until the calling task is cancelled.
    package func wait(until holds: () -> Bool) async { await wait(isStopped: true, until: holds) }

    /// Waits until `holds`, for work that must be done even if the calling task is cancelled.
    package func waitUncancelled(until holds: () -> Bool) async { await wait(isStopped: false, until: holds) }

    private func wait(isStopped: Bool, until holds: () -> Bool) async {
        while true {
            let seen = waiters.state
            guard !holds(), await waiters.wait(isStopped: isStopped, unless: { $0 != seen }) else { return }
        }
    }
}
