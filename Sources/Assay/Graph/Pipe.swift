import Synchronization

/// How many values pipes hold that were not told otherwise.
public enum PipeCapacity {
    /// Between two nodes.
    public static let standard = 1_000
    /// For values that come in bursts.
    public static let buffered = 10_000
    /// For values that are to be passed on as they come.
    public static let streaming = 10
}

/// A queue of limited length between those who put values in and those who take them out.
///
/// First in, first out; waiters are served in the order of their arrival. Everything
/// may be called from anywhere. A caller that is cancelled while it waits has put nothing in and taken nothing out.
public final class Pipe<Value: Sendable>: Sendable {
    private typealias Putter = (
        id: Int, value: Value, since: Duration, continuation: CheckedContinuation<Void, any Error>
    )
    private typealias Getter = (id: Int, continuation: CheckedContinuation<Value?, any Error>)

    private struct State {
        var values: ArraySlice<Value> = []
        var putters: ArraySlice<Putter> = []
        var getters: ArraySlice<Getter> = []
        var statistics: PipeStatistics
        var failure: (any Error)?
        var nextCaller = 0
        var watchers: [(putters: Int, getters: Int, continuation: CheckedContinuation<Void, Never>)] = []

        var takesValues: Bool { statistics.state == .open || statistics.state == .full }

        /// Wakes those who watch for as many waiting callers as there are now.
        mutating func wakeWatchers() {
            let (putters, getters) = (putters.count, getters.count)
            for watcher in watchers where watcher.putters <= putters && watcher.getters <= getters {
                watcher.continuation.resume()
            }
            watchers.removeAll { $0.putters <= putters && $0.getters <= getters }
        }
    }

    /// The pipe's name, for messages: `a:output->b:input`.
    public let name: String
    /// How many values it holds.
    public let capacity: Int

    private let time: any TimeSource
    private let madeAt: Duration
    private let size: @Sendable (Value) -> Int
    private let state: Mutex<State>

    /// A pipe for values of any kind.
    ///
    /// - Parameters:
    ///   - capacity: how many values it holds, at least 1.
    ///   - time: the clock of its statistics and time limits.
    ///   - size: how many bytes a value counts in the statistics.
    /// - Throws: ``ProcessingError`` with code `configuration` for a capacity below 1.
    public init(
        _ name: String, capacity: Int = PipeCapacity.standard, time: any TimeSource = World.system.time,
        size: @escaping @Sendable (Value) -> Int
    ) throws(ProcessingError) {
        guard capacity >= 1 else {
            throw ProcessingError(.configuration, "capacity must be at least 1, found \(capacity)")
        }
        self.name = name
        self.capacity = capacity
        self.time = time
        self.size = size
        madeAt = time.uptime()
        var statistics = PipeStatistics(capacity: capacity)
        statistics.totalBytes = 0
        state = Mutex(State(statistics: statistics))
    }

    // MARK: Putting in

    /// Puts a value in, waiting until there is room.
    ///
    /// - Throws: ``ProcessingError`` with code `pipe_closed` when the pipe takes no more values, or stops to while this
    ///   waits; `CancellationError` when the calling task is cancelled while this waits.
    public func put(_ value: Value) async throws {
        let id = nextCaller()
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let answer: Result<Void, any Error>? = state.withLock { state in
                    guard state.takesValues else { return .failure(closed(state)) }
                    guard state.statistics.isFull else {
                        store(value, &state)
                        return .success(())
                    }
                    guard !Task.isCancelled else { return .failure(CancellationError()) }
                    state.putters.append((id, value, time.uptime(), continuation))
                    state.wakeWatchers()
                    return nil
                }
                if let answer { continuation.resume(with: answer) }
            }
        } onCancel: {
            let putter: Putter? = state.withLock { state in
                guard let place = state.putters.firstIndex(where: { $0.id == id }) else { return nil }
                let putter = state.putters.remove(at: place)
                state.statistics.blocked += time.uptime() - putter.since
                return putter
            }
            putter?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Puts a value in if there is room.
    ///
    /// - Throws: ``ProcessingError`` with code `pipe_full` when there is none, `pipe_closed` when the pipe takes no more
    ///   values.
    public func tryPut(_ value: Value) throws {
        try state.withLock { state in
            guard state.takesValues else { throw closed(state) }
            guard !state.statistics.isFull else {
                throw ProcessingError(.pipeFull, "pipe '\(name)' is full: it holds \(capacity) values")
            }
            store(value, &state)
        }
    }

    /// Keeps a value, or hands it to the longest waiter for one; there is room.
    private func store(_ value: Value, _ state: inout State) {
        state.statistics.noteValue(size(value), at: time.now())
        guard let getter = state.getters.popFirst() else { return state.values.append(value) }
        state.statistics.noteTaken(at: time.now())
        getter.continuation.resume(returning: value)
    }

    // MARK: Taking out

    /// Takes the next value out, waiting for it; `nil` when the pipe is closed and empty.
    ///
    /// - Throws: the error that the pipe was failed with, once it is empty; `CancellationError` when the calling task is
    ///   cancelled while this waits.
    public func get() async throws -> Value? { try await wait(as: nextCaller()) }

    /// Takes the next value out, waiting for it no longer than `limit`; `nil` when the pipe is closed and empty.
    ///
    /// - Throws: as ``get()``, and ``ProcessingError`` with code `timeout`.
    public func get(timeout limit: Duration) async throws -> Value? {
        let id = nextCaller()
        let deadline = time.uptime() + limit
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                // A wait that is cut short is one that is no longer needed.
                guard (try? await self.time.sleep(until: deadline)) != nil else { return }
                let error = ProcessingError(
                    .timeout, "pipe '\(self.name)' gave no value for \(limit.secondsText)")
                self.takeGetter(id)?.continuation.resume(throwing: error)
            }
            defer { group.cancelAll() }
            return try await wait(as: id)
        }
    }

    private func wait(as id: Int) async throws -> Value? {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let answer: Result<Value?, any Error>? = state.withLock { state in
                    if let value = take(&state) { return .success(value) }
                    if let failure = state.failure { return .failure(failure) }
                    guard state.takesValues else { return .success(nil) }
                    guard !Task.isCancelled else { return .failure(CancellationError()) }
                    state.getters.append((id, continuation))
                    state.wakeWatchers()
                    return nil
                }
                if let answer { continuation.resume(with: answer) }
            }
        } onCancel: {
            takeGetter(id)?.continuation.resume(throwing: CancellationError())
        }
    }

    private func takeGetter(_ id: Int) -> Getter? {
        state.withLock { state in
            state.getters.firstIndex { $0.id == id }.map { state.getters.remove(at: $0) }
        }
    }

    /// Takes the next value out if there is one.
    ///
    /// - Throws: ``ProcessingError`` with code `pipe_empty` when there is none yet, `pipe_closed` when there will be none;
    ///   the error that the pipe was failed with, once it is empty.
    public func tryGet() throws -> Value {
        try state.withLock { state in
            if let value = take(&state) { return value }
            if let failure = state.failure { throw failure }
            guard state.takesValues else { throw closed(state) }
            throw ProcessingError(.pipeEmpty, "pipe '\(name)' is empty")
        }
    }

    /// The next value, whose place goes to the longest waiter for room.
    private func take(_ state: inout State) -> Value? {
        guard let value = state.values.popFirst() else { return nil }
        state.statistics.noteTaken(at: time.now())
        if let putter = state.putters.popFirst() {
            state.statistics.blocked += time.uptime() - putter.since
            store(putter.value, &state)
            putter.continuation.resume()
        }
        return value
    }

    // MARK: The end

    /// Lets no further value in; those in it can still be taken out. A second time this changes nothing.
    public func close() { end(.closed, nil) }

    /// Lets no further value in, and puts `error` behind those in it. After ``close()`` this changes nothing.
    public func fail(_ error: any Error) { end(.error, error) }

    private func end(_ ending: PipeStatistics.State, _ failure: (any Error)?) {
        let (putters, getters, error) = state.withLock { state in
            guard state.takesValues else { return (ArraySlice<Putter>(), ArraySlice<Getter>(), closed(state)) }
            state.statistics.state = ending
            state.failure = failure
            let now = time.uptime()
            for putter in state.putters { state.statistics.blocked += now - putter.since }
            defer { (state.putters, state.getters) = ([], []) }
            return (state.putters, state.getters, closed(state))
        }
        for putter in putters { putter.continuation.resume(throwing: error) }
        for getter in getters {
            if let failure {
                getter.continuation.resume(throwing: failure)
            } else {
                getter.continuation.resume(returning: nil)
            }
        }
    }

    private func closed(_ state: State) -> ProcessingError {
        ProcessingError(
            .pipeClosed, "pipe '\(name)' \(state.failure == nil ? "is closed" : "has failed") and takes no more values",
            cause: state.failure)
    }

    // MARK: Watching

    /// How the pipe stands now.
    public var statistics: PipeStatistics {
        state.withLock { state in
            let now = time.uptime()
            var statistics = state.statistics
            statistics.uptime = now - madeAt
            for putter in state.putters { statistics.blocked += now - putter.since }
            return statistics
        }
    }

    /// Returns once at least so many callers wait for room, and so many for a value.
    func waitForCallers(putting putters: Int = 0, getting getters: Int = 0) async {
        await withCheckedContinuation { continuation in
            state.withLock { state in
                state.watchers.append((putters, getters, continuation))
                state.wakeWatchers()
            }
        }
    }

    private func nextCaller() -> Int {
        state.withLock { state in
            state.nextCaller += 1
            return state.nextCaller
        }
    }
}

extension Pipe where Value: Codable {
    /// A pipe whose values count as the bytes of their JSON, which is made for that at each ``put(_:)``.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` for a capacity below 1.
    public convenience init(
        _ name: String, capacity: Int = PipeCapacity.standard, time: any TimeSource = World.system.time
    ) throws(ProcessingError) {
        // A value that cannot be written as JSON has no bytes to count.
        try self.init(name, capacity: capacity, time: time) { (try? JSONValue(encoding: $0).jsonBytes.count) ?? 0 }
    }
}
