import Assay
import AssayPipelines
import Logging
import Synchronization

/// A door at which processors wait until a test opens it, and a test until a processor has come.
final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var arrived = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
        var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    /// Waits until the door is open; does not look at cancellation.
    func pass() async {
        await withCheckedContinuation { continuation in
            let (isOpen, watchers) = state.withLock { state in
                state.arrived += 1
                if !state.isOpen { state.waiting.append(continuation) }
                let due = state.watchers.filter { $0.count <= state.arrived }
                state.watchers.removeAll { $0.count <= state.arrived }
                return (state.isOpen, due.map(\.continuation))
            }
            for watcher in watchers { watcher.resume() }
            if isOpen { continuation.resume() }
        }
    }

    /// Returns once `count` have come to the door.
    func arrival(of count: Int = 1) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                guard state.arrived < count else { return true }
                state.watchers.append((count, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    /// Lets everybody through.
    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Types with `waits`, whose items wait at this gate.
    var registry: Registry {
        get throws {
            var registry = Registry.standard
            try registry.register("waits", parameters: []) { name, _ in
                try RegisteredProcessor(
                    ClosureProcessor(name) { [self] (input: String, context: Context) -> String in
                        context.logger.info("about \(input)")
                        await pass()
                        return input
                    })
            }
            return registry
        }
    }
}
