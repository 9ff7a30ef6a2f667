import DequeModule
import Synchronization

/// A piece of output of an execution that streams.
public struct Chunk: Sendable {
    /// Its place among all of them, from 0.
    public var number: Int
    /// The item that emitted it.
    public var inputID: String
    /// What was emitted.
    public var value: Payload
}

/// What an execution emits, in order, for anyone who listens; ends with the execution, with its error if it failed.
///
/// A late listener gets the last 1000 chunks first. The emitter waits while a listener is 1000 chunks behind.
public struct ChunkSequence: AsyncSequence, Sendable {
    let hub: ChunkHub

    /// Listens until it is let go.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let seat: ChunkHub.Seat

        /// The next chunk.
        ///
        /// - Throws: ``ProcessingError`` when the execution failed, `CancellationError` when the calling task is cancelled.
        public mutating func next() async throws -> Chunk? { try await seat.next() }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(seat: hub.enter()) }

    /// Returns once somebody who emits waits for a listener that is too far behind.
    package func heldUp() async { await hub.heldUp() }
}

/// Hands what one execution emits to all who listen.
final class ChunkHub: Sendable {
    /// How many chunks are kept, and how far a listener may be behind.
    static let kept = 1_000

    /// A listener; gone when nobody holds it.
    final class Seat: Sendable {
        private let hub: ChunkHub
        private let id: Int

        init(_ hub: ChunkHub, _ id: Int) { (self.hub, self.id) = (hub, id) }

        deinit { hub.leave(id) }

        func next() async throws -> Chunk? { try await hub.next(for: id) }
    }

    fileprivate struct State {
        var chunks = Deque<Chunk>()
        var count = 0
        var end: Result<Void, any Error>?
        /// The number of the chunk that each listener takes next.
        var positions: [Int: Int] = [:]
        var nextSeat = 0
        /// Listeners that wait for a chunk, and emitters that wait for listeners.
        var listening: [Int: CheckedContinuation<Void, Never>] = [:]
        var emitting: [CheckedContinuation<Void, Never>] = []
        /// Those who want to know when an emitter waits.
        var observers: [CheckedContinuation<Void, Never>] = []
        var oldest: Int { count - chunks.count }
        var isFull: Bool { positions.values.contains { count - $0 >= ChunkHub.kept } }
    }

    private let state = Mutex(State())

    /// How many chunks were emitted.
    var count: Int { state.withLock { $0.count } }

    /// Hands out a chunk as soon as no listener is too far behind.
    func emit(_ value: Payload, of inputID: String) async {
        while true {
            let listeners = state.withLock { state -> [CheckedContinuation<Void, Never>]? in
                guard !state.isFull || state.end != nil else { return nil }
                if state.chunks.count == Self.kept { state.chunks.removeFirst() }
                state.chunks.append(Chunk(number: state.count, inputID: inputID, value: value))
                state.count += 1
                defer { state.listening = [:] }
                return Array(state.listening.values)
            }
            if let listeners {
                for listener in listeners { listener.resume() }
                return
            }
            await withCheckedContinuation { continuation in
                let observers = state.withLock { state -> [CheckedContinuation<Void, Never>]? in
                    guard state.isFull, state.end == nil else { return nil }
                    state.emitting.append(continuation)
                    defer { state.observers = [] }
                    return state.observers
                }
                guard let observers else { return continuation.resume() }
                for observer in observers { observer.resume() }
            }
        }
    }

    /// Returns once an emitter waits for a listener.
    func heldUp() async {
        await withCheckedContinuation { continuation in
            let isHeld = state.withLock { state in
                if state.emitting.isEmpty { state.observers.append(continuation) }
                return !state.emitting.isEmpty
            }
            if isHeld { continuation.resume() }
        }
    }

    /// Begins anew for another run.
    func restart() {
        state.withLock { state in
            (state.end, state.count, state.chunks) = (nil, 0, [])
            state.positions = state.positions.mapValues { _ in 0 }
        }
    }

    /// No further chunk comes.
    func end(_ result: Result<Void, any Error>) {
        let waiting = state.withLock { state in
            state.end = result
            defer { (state.listening, state.emitting) = ([:], []) }
            return Array(state.listening.values) + state.emitting
        }
        for continuation in waiting { continuation.resume() }
    }

    func enter() -> Seat {
        state.withLock { state in
            state.nextSeat += 1
            state.positions[state.nextSeat] = state.oldest
            return Seat(self, state.nextSeat)
        }
    }

    private func leave(_ seat: Int) {
        let emitters = state.withLock { state in
            state.positions[seat] = nil
            return state.takeEmitters()
        }
        for emitter in emitters { emitter.resume() }
    }

    private func next(for seat: Int) async throws -> Chunk? {
        while true {
            try Task.checkCancellation()
            let (found, emitters) = try state.withLock { state -> (Chunk??, [CheckedContinuation<Void, Never>]) in
                let position = max(state.positions[seat] ?? state.count, state.oldest)
                guard position < state.count else {
                    return (try state.end.map { try $0.get() }.map { nil as Chunk? }, [])
                }
                state.positions[seat] = position + 1
                return (state.chunks[position - state.oldest], state.takeEmitters())
            }
            for emitter in emitters { emitter.resume() }
            if let found { return found }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let isNothing = state.withLock { state in
                        guard (state.positions[seat] ?? 0) >= state.count, state.end == nil, !Task.isCancelled else {
                            return false
                        }
                        state.listening[seat] = continuation
                        return true
                    }
                    if !isNothing { continuation.resume() }
                }
            } onCancel: {
                state.withLock { $0.listening.removeValue(forKey: seat) }?.resume()
            }
        }
    }
}

extension ChunkHub.State {
    /// Those who can emit now that a listener has gone on.
    fileprivate mutating func takeEmitters() -> [CheckedContinuation<Void, Never>] {
        guard !isFull else { return [] }
        defer { emitting = [] }
        return emitting
    }
}
