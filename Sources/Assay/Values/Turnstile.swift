/// A turnstile that lets a number of tasks in at a time, first come, first served.
package final class Turnstile: Sendable {
    private let waiters: Waiters<Int>

    /// - Parameter places: how many may be inside at a time.
    package init(places: Int = 1) { waiters = Waiters(places) }

    /// The number of tasks that wait for a place.
    var waiting: Int { waiters.count }

    /// Waits for a place, or until the calling task is cancelled.
    ///
    /// - Returns: whether the caller is inside, and must leave.
    package func enter() async -> Bool {
        await waiters.wait(isStopped: true) { free in
            guard free > 0 else { return false }
            free -= 1
            return true
        }
    }

    /// Takes a place unless all are taken.
    ///
    /// - Returns: whether the caller is inside, and must leave.
    package func enterIfFree() -> Bool {
        waiters.read { free in
            guard free > 0 else { return false }
            free -= 1
            return true
        }
    }

    /// Waits for a place, for work that must be done even if the calling task is cancelled. The caller must leave.
    package func enterUncancelled() async {
        _ = await waiters.wait(isStopped: false) { free in
            guard free > 0 else { return false }
            free -= 1
            return true
        }
    }

    /// Gives the place to the next in line.
    package func leave() {
        waiters.change { free, waiting in
            guard waiting == 0 else { return 1 }
            free += 1
            return 0
        }
    }
}
