import Assay
import Synchronization

/// Where parts of a target say what is wrong and stops nothing: the messages, and events once there is an engine.
final class Warnings: Sendable {
    private struct State {
        // The engine holds what holds this.
        weak var engine: Engine?
    }

    private let console: Console
    private let state = Mutex(State())

    init(_ console: Console) { self.console = console }

    /// From now on warnings are events of `engine`, which the run's conductor shows.
    func pass(to engine: Engine) { state.withLock { $0.engine = engine } }

    /// Tells one.
    func tell(_ message: String) {
        if let engine = state.withLock({ $0.engine }) {
            engine.warn(message)
        } else {
            console.warn(message.safe)
        }
    }
}
