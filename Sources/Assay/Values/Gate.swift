/// A gate that is closed while anything is at work behind it.
package final class Gate: Sendable {
    private let waiters: Waiters<Int>

    /// - Parameter count: how much is at work behind it.
    package init(closedFor count: Int = 0) { waiters = Waiters(count) }

    /// Closes the gate until a further piece of work has ended.
    package func begin() {
        waiters.change { count, _ in
            count += 1
            return 0
        }
    }

    /// Ends a piece of work. The last one opens the gate.
    package func end() {
        waiters.change { count, waiting in
            count -= 1
            return count == 0 ? waiting : 0
        }
    }

    /// Waits until nothing is at work, for what must be done afterwards even if the calling task is cancelled.
    package func passUncancelled() async { _ = await waiters.wait(isStopped: false) { $0 == 0 } }
}
