import Synchronization

/// The batches of a call, in the order in which they finish.
///
/// Nothing happens before the first batch is requested. In the sequential form, each batch is cut and started only when
/// it is requested. In the parallel form, batches come in order of completion, and no more are in memory than may be in
/// progress. A caller that stops requesting batches and releases the iterator cancels the call. The batches can be
/// taken once.
public struct BatchStream: AsyncSequence, Sendable {
    public typealias Element = BatchResult

    let course: BatchCourse

    public func makeAsyncIterator() -> Iterator { Iterator(course: course) }

    /// An iterator that takes the batches one at a time.
    public final class Iterator: AsyncIteratorProtocol {
        private let course: BatchCourse
        private var hasAsked = false

        init(course: BatchCourse) { self.course = course }

        deinit { if hasAsked { course.leave() } }

        /// Returns the next batch; `nil` when there are no more or the call was cancelled.
        ///
        /// - Throws: ``ProcessingError`` as ``Engine/run(_:over:options:watching:)``.
        public func next() async throws -> BatchResult? {
            hasAsked = true
            return try await course.next()
        }
    }

    /// Runs all batches and returns them sorted by index.
    ///
    /// Only this form calls the processor's `aggregate`. All outputs and outcomes are in memory.
    ///
    /// - Throws: ``ProcessingError`` as ``Engine/run(_:over:options:watching:)``, `illegal_move` when batches were
    ///   taken from the stream before, `CancellationError` when the calling task is cancelled.
    public func list() async throws -> [BatchResult] {
        try course.keepAll()
        var batches: [BatchResult] = []
        for try await batch in self { batches.append(batch) }
        // What a cancelled call returned is not the whole list.
        try Task.checkCancellation()
        return batches.sorted { $0.batchIndex < $1.batchIndex }
    }

    /// Waits for the end of the call and returns its report. The call ends when all batches were taken or their taker
    /// is gone.
    ///
    /// If no batch was requested yet, it runs all of them and drops them.
    ///
    /// - Throws: what ended the call without a report.
    public func report() async throws -> Report {
        if !course.hasBegun { for try await _ in self {} }
        return try await course.report()
    }
}

/// The exchange between a call in batches and its taker, each of which waits for the other.
final class BatchCourse: Sendable {
    /// Begins the call and returns when it has ended.
    typealias Begin =
        @Sendable (_ keepsAll: Bool, _ give: @escaping @Sendable (BatchResult) async -> Void) async throws -> Report

    private struct State {
        var task: Task<Void, Never>?
        var keepsAll = false
        var isLeft = false
        /// The taker that waits for a batch.
        var taker: CheckedContinuation<BatchResult?, any Error>?
        /// A batch that was not taken yet.
        var offer: BatchResult?
        /// The giver of a batch that waits until the call may continue.
        var giver: CheckedContinuation<Void, Never>?
        var end: Result<Report, any Error>?
        var readers: [CheckedContinuation<Report, any Error>] = []
    }

    private let state = Mutex(State())
    private let begin: Begin
    /// Whether the call continues when the next batch is requested, rather than when the last one was taken.
    private let isLazy: Bool

    init(isLazy: Bool, _ begin: @escaping Begin) {
        self.isLazy = isLazy
        self.begin = begin
    }

    // MARK: The taker's side

    var hasBegun: Bool { state.withLock { $0.task != nil } }

    /// Makes the call aggregate the outputs of all batches.
    func keepAll() throws {
        try state.withLock { state in
            guard state.task == nil else {
                throw ProcessingError(
                    .illegalMove, "batches were taken from this call before; make another for the list")
            }
            state.keepsAll = true
        }
    }

    func next() async throws -> BatchResult? {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { taker in take(taker) }
        } onCancel: {
            leave()
        }
    }

    private enum Take {
        case waits(giver: CheckedContinuation<Void, Never>?)
        case batch(BatchResult, giver: CheckedContinuation<Void, Never>?)
        case end(Result<Report, any Error>)
        case isTaken
    }

    private func take(_ taker: CheckedContinuation<BatchResult?, any Error>) {
        let take: Take = state.withLock { state in
            guard state.taker == nil else { return .isTaken }
            if let batch = state.offer {
                state.offer = nil
                return .batch(batch, giver: isLazy ? nil : state.giver.take())
            }
            if let end = state.end { return .end(end) }
            state.taker = taker
            if state.task == nil {
                let keepsAll = state.keepsAll
                state.task = Task { await carryOut(keepsAll: keepsAll) }
            }
            return .waits(giver: state.giver.take())
        }
        switch take {
        case .waits(let giver): giver?.resume()
        case .batch(let batch, let giver):
            giver?.resume()
            taker.resume(returning: batch)
        case .end(.success): taker.resume(returning: nil)
        case .end(.failure(let error)): taker.resume(throwing: error)
        case .isTaken:
            taker.resume(throwing: ProcessingError(.illegalMove, "the batches of a call are taken one at a time"))
        }
    }

    /// Cancels the call and drops what it still gives.
    func leave() {
        let (task, giver, readers) = state.withLock { state in
            state.isLeft = true
            state.offer = nil
            // A call that is left before it began does not begin anymore.
            if state.task == nil, state.end == nil { state.end = .failure(CancellationError()) }
            defer { if state.task == nil { state.readers = [] } }
            return (state.task, state.giver.take(), state.task == nil ? state.readers : [])
        }
        task?.cancel()
        giver?.resume()
        for reader in readers { reader.resume(throwing: CancellationError()) }
    }

    func report() async throws -> Report {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { reader in
                let end = state.withLock { state in
                    if state.end == nil { state.readers.append(reader) }
                    return state.end
                }
                if let end { reader.resume(with: end) }
            }
        } onCancel: {
            leave()
        }
    }

    // MARK: The call's side

    private func carryOut(keepsAll: Bool) async {
        let result: Result<Report, any Error>
        do { result = .success(try await begin(keepsAll) { await self.give($0) }) } catch { result = .failure(error) }
        let (taker, readers) = state.withLock { state in
            state.end = result
            defer { state.readers = [] }
            return (state.taker.take(), state.readers)
        }
        for reader in readers { reader.resume(with: result) }
        taker?.resume(with: result.map { _ in nil })
    }

    /// Gives a batch to the taker and returns when the call may continue.
    private func give(_ batch: BatchResult) async {
        await withCheckedContinuation { giver in
            let (taker, goesOn) = state.withLock { state -> (CheckedContinuation<BatchResult?, any Error>?, Bool) in
                guard !state.isLeft else { return (nil, true) }
                let taker = state.taker.take()
                if taker == nil { state.offer = batch }
                guard taker == nil || isLazy else { return (taker, true) }
                state.giver = giver
                return (taker, false)
            }
            taker?.resume(returning: batch)
            if goesOn { giver.resume() }
        }
    }
}
