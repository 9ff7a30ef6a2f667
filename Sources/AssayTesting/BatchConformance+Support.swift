import Assay
import Synchronization

extension BatchStream {
    /// Returns every batch, taken as it comes.
    func all() async throws -> [BatchResult] {
        var batches: [BatchResult] = []
        for try await batch in self { batches.append(batch) }
        return batches
    }
}

extension RunOptions {
    static func threads(_ count: Int) throws -> RunOptions {
        var options = RunOptions()
        options.runner = try ThreadRunner(maxWorkers: count)
        return options
    }
}

/// A lazy sequence that may be sent to another task, because only one call reads it.
struct UncheckedSequence<Base: Sequence>: Sequence, @unchecked Sendable {
    let base: Base

    init(_ base: Base) { self.base = base }

    func makeIterator() -> Base.Iterator { base.makeIterator() }
}

/// A counter of callers inside at once, which keeps the first ones inside until enough have come.
final class Load: Sendable {
    private let state = Mutex<(inside: Int, most: Int)>((0, 0))
    private let gate = Latch()

    var most: Int { state.withLock { $0.most } }

    func through(_ number: Int, until enough: Int) async -> Int {
        let isFull = state.withLock { state in
            state.inside += 1
            state.most = max(state.most, state.inside)
            return state.most == enough
        }
        if isFull { gate.open() }
        await gate.passUncancelled()
        state.withLock { $0.inside -= 1 }
        return number
    }
}

/// A run handle that is passed from the caller that begins the run to one that waits for it.
final class Handed: Sendable {
    private let handle = Mutex<RunHandle?>(nil)
    private let gate = Latch()

    func put(_ handle: RunHandle) {
        self.handle.withLock { $0 = handle }
        gate.open()
    }

    func get() async -> RunHandle {
        await gate.passUncancelled()
        return handle.withLock { $0 }!
    }
}
