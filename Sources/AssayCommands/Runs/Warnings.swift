import Assay
import Synchronization

/// The output for warnings from parts of a target: messages, and events once there is an engine.
final class Warnings: Sendable {
    private struct State {
        // Weak, because the engine indirectly holds this object.
        weak var engine: Engine?
    }

    private let console: Console
    private let state = Mutex(State())

    init(_ console: Console) { self.console = console }

    /// Makes later warnings events of `engine`, which the command shows.
    func pass(to engine: Engine) { state.withLock { $0.engine = engine } }

    /// Gives a warning.
    func tell(_ message: String) {
        if let engine = state.withLock({ $0.engine }) {
            engine.warn(message)
        } else {
            console.warn(message.safe)
        }
    }
}
