import Assay
import Synchronization

/// A door that lets no one through until it is opened, and tells how many have come to it.
package final class Door: Sendable {
    private let latch = Latch()
    private let arrivals = Mutex(0)
    private let news = Signal()

    package init() {}

    /// Waits until the door is open; cancellation does not open it.
    package func pass() async {
        arrivals.withLock { $0 += 1 }
        news.raise()
        await latch.passUncancelled()
    }

    /// Lets everyone through from now on.
    package func open() { latch.open() }

    /// The number of callers that have come to the door.
    package var count: Int { arrivals.withLock { $0 } }

    /// Waits until `count` callers have come to the door.
    package func arrived(_ count: Int = 1) async { await news.wait { self.count >= count } }
}

/// Waits until the calling task is cancelled, and throws then as cooperative code does.
package func waitForCancellation() async throws -> Never {
    await Latch().pass()
    throw CancellationError()
}
