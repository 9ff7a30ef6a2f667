import Synchronization

/// The batches of a call, as they are finished.
///
/// Nothing happens before the first is asked for. One after another, each is cut and started only when it is asked for;
/// in the parallel form they come in order of completion, and no more of them are in memory than are in progress at
/// most. A consumer that stops asking and lets go of the iterator cancels the call. The batches can be taken once.
public struct BatchStream: AsyncSequence, Sendable {
    public typealias Element = BatchResult

    let course: BatchCourse

    public func makeAsyncIterator() -> Iterator { Iterator(course: course) }

    /// Takes the batches one after another.
    public final class Iterator: AsyncIteratorProtocol {
        private let course: BatchCourse
        private var hasAsked = false

        init(course: BatchCourse) { self.course = course }

        deinit { if hasAsked { course.leave() } }

        /// The next batch; `nil` when there are no more, or the call was cancelled.
        ///
        /// - Throws: ``ProcessingError`` as ``Engine/run(_:over:options:watching:)``.
        public func next() async throws -> BatchResult? {
            hasAsked = true
            return try await course.next()
        }
    }

    /// Carries all batches out and returns them sorted by their indices.
    ///
    /// In this form alone the processor's `aggregate` is called; outputs and outcomes are all in memory.
    ///
    /// - Throws: ``ProcessingError`` as ``Engine/run(_:over:options:watching:)``, `illegal_move` when batches were taken
    ///   from the stream before, `CancellationError` when the calling task is cancelled.
    public func list() async throws -> [BatchResult] {
        try course.keepAll()
        var batches: [BatchResult] = []
        for try await batch in self { batches.append(batch) }
        // What a cancelled call gave is not the list.
        try Task.checkCancellation()
        return batches.sorted { $0.batchIndex < $1.batchIndex }
    }

    /// The report of the call; waits for its end, which comes when all batches were taken or their taker has gone.
    ///
    /// When no batch was asked for yet, all are carried out and dropped.
    ///
    /// - Throws: what ended the call without a report.
    public func report() async throws -> Report {
        if !course.hasBegun { for try await _ in self {} }
        return try await course.report()
    }
}

/// A call in batches and its consumer, which wait for each other.
final class BatchCourse: Sendable {
    /// Begins the call and returns when it has ended.
    typealias Begin =
        @Sendable (_ keepsAll: Bool, _ give: @escaping @Sendable (BatchResult) async -> Void) async throws -> Report

    private struct State {
        var task: Task<Void, Never>?
        var keepsAll = false
        var isLeft = false
        /// Who waits for a batch.
        var taker: CheckedContinuation<BatchResult?, any Error>?
        /// A batch that nobody has taken yet.
        var offer: BatchResult?
        /// Who has given a batch and waits until the call may go on.
        var giver: CheckedContinuation<Void, Never>?
        var end: Result<Report, any Error>?
        var readers: [CheckedContinuation<Report, any Error>] = []
    }

    private let state = Mutex(State())
    private let begin: Begin
    /// Whether the call goes on when the next batch is asked for, rather than when the last one has been taken.
    private let isLazy: Bool

    init(isLazy: Bool, _ begin: @escaping Begin) {
        self.isLazy = isLazy
        self.begin = begin
    }

    // MARK: The taker's side

    var hasBegun: Bool { state.withLock { $0.task != nil } }

    /// Has the call aggregate what all batches bring.
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

    /// Cancels the call; what it still gives is dropped.
    func leave() {
        let (task, giver, readers) = state.withLock { state in
            state.isLeft = true
            state.offer = nil
            // A call that was left before it began does not begin any more.
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

    /// Gives a batch to the taker and returns when the call may go on.
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
