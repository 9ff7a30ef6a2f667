import Synchronization

/// A flag that records the first request for the program to end.
package final class StopFlag: Sendable {
    private let state = Mutex<StopSignal?>(nil)

    /// Creates a flag that is not raised.
    package init() {}

    /// The first signal.
    package var signal: StopSignal? { state.withLock { $0 } }

    /// Records the signal unless one was recorded before.
    package func raise(_ signal: StopSignal) { state.withLock { $0 = $0 ?? signal } }
}
