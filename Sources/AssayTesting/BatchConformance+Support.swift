import Assay
import Synchronization

extension BatchStream {
    /// Takes every batch as it comes.
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

/// A lazy sequence that may be handed over, since only one call reads it.
struct UncheckedSequence<Base: Sequence>: Sequence, @unchecked Sendable {
    let base: Base

    init(_ base: Base) { self.base = base }

    func makeIterator() -> Base.Iterator { base.makeIterator() }
}

/// A door that is closed until it is opened.
final class Gate: Sendable {
    private let state = Mutex<(isOpen: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))

    func pass() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}

/// Counts who is inside at once, and keeps the first ones there until enough have come.
final class Load: Sendable {
    private let state = Mutex<(inside: Int, most: Int)>((0, 0))
    private let gate = Gate()

    var most: Int { state.withLock { $0.most } }

    func through(_ number: Int, until enough: Int) async -> Int {
        let isFull = state.withLock { state in
            state.inside += 1
            state.most = max(state.most, state.inside)
            return state.most == enough
        }
        if isFull { gate.open() }
        await gate.pass()
        state.withLock { $0.inside -= 1 }
        return number
    }
}

/// A run that is handed from the code that begins it to the code that waits for it.
final class Handed: Sendable {
    private let handle = Mutex<RunHandle?>(nil)
    private let gate = Gate()

    func put(_ handle: RunHandle) {
        self.handle.withLock { $0 = handle }
        gate.open()
    }

    func get() async -> RunHandle {
        await gate.pass()
        return handle.withLock { $0 }!
    }
}
