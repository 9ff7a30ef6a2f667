import Synchronization

/// Whether something has asked the program to end, and what.
package final class StopFlag: Sendable {
    private let state = Mutex<StopSignal?>(nil)

    /// Nothing has.
    package init() {}

    /// What asked first.
    package var signal: StopSignal? { state.withLock { $0 } }

    /// Remembers what asked.
    package func raise(_ signal: StopSignal) { state.withLock { $0 = $0 ?? signal } }
}
