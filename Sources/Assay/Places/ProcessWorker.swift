import Foundation
import Synchronization

/// A worker that is a process, started for its first item, and again for the next item after it has died.
///
/// The lane's loop runs on a thread of its own, which waits for the process as for any blocking call.
final class ProcessWorker: Worker {
    private struct State {
        var link: WorkerLink?
        var base: Base?
        var items: UInt64 = 0
        var stopped = false
    }

    /// The data that all items of a run share; sent when it changes.
    private struct Base: Equatable {
        let runID: Run.ID
        let scope: Scope
    }

    private let pool: WorkerPool
    private let processor: RegisteredProcessor
    private let thread = WorkerThread()
    private let state = Mutex(State())

    init(_ processor: RegisteredProcessor, in pool: WorkerPool) {
        self.processor = processor
        self.pool = pool
    }

    var executor: (any TaskExecutor)? { thread }

    // MARK: One item

    func extract(_ input: Payload, in context: Context) async throws -> Payload {
        try pool.admit()
        let order = WorkOrder(input, in: context)
        let parts = try order.itemParts
        let size = parts[1].count
        guard size <= Frame.maximumValue else { throw Frame.tooLarge("the input", size) }
        if size > 8 << 20 {
            context.desk.hint(
                "large_item",
                "'\(context.inputID ?? "")' has \(size >> 20) MiB of JSON, which the process runner copies; use the runner 'thread' or smaller batches",
                explainsTimeout: false, in: context)
        }
        let link = try await currentLink()
        do {
            return try await converse(about: order, parts, with: link, in: context)
        } catch let loss as WorkerLoss {
            let stopped = state.withLock { state in
                (state.link, state.base) = (nil, nil)
                return state.stopped
            }
            // Ended on request: no one waits for this answer.
            if stopped { throw CancellationError() }
            if loss.isCrash { pool.noteDeath(of: "\(context.executionID)|\(context.inputID ?? "")") }
            throw loss
        }
    }

    private func converse(
        about order: WorkOrder, _ parts: [[UInt8]], with link: WorkerLink, in context: Context
    ) async throws -> Payload {
        link.output.beginItem(context)
        defer { link.output.endItem() }
        let base = Base(runID: context.runID, scope: context.scope)
        if state.withLock({ $0.base != base }) {
            try link.send(Frame(kind: .run, parts: order.terms.parts), "the run with its metadata")
        }
        let number = state.withLock { state in
            state.items += 1
            state.base = base
            return state.items
        }
        let attempt = UInt32(truncatingIfNeeded: order.attempt)
        try link.send(
            Frame(kind: .work, request: number, attempt: attempt, parts: parts), "the input with its name")

        let service = DeskService(context)
        // Requests that may wait are served while reading continues: what they wait for may be the next message.
        return try await withThrowingTaskGroup(of: Void.self) { group in
            while true {
                let frame = try await next(from: link)
                guard frame.request == number, frame.attempt == attempt else {
                    try await kill(link, .babbled(FrameFault("a frame of another item")))
                }
                switch frame.kind {
                case .answer:
                    context.desk.answered(in: context)
                    return try await answer(in: frame, from: link)
                case .tell: try service.hear(try await message(in: frame, from: link))
                case .ask:
                    let message = try await message(in: frame, from: link)
                    @Sendable func serve() async {
                        var reply = Frame(
                            kind: .reply, request: number, attempt: attempt, ref: frame.ref,
                            parts: await service.reply(to: message).parts)
                        do { try link.send(reply, "the saved value") } catch {
                            reply.parts = DeskReply.refused(WireError(error)).parts
                            try? link.send(reply, "a refusal")
                        }
                    }
                    if case .openStep = message {
                        await serve()
                    } else {
                        group.addTask(executorPreference: globalConcurrentExecutor) { await serve() }
                    }
                case .hello, .ready, .run, .work, .reply, .beat:
                    try await kill(link, .babbled(FrameFault("a frame of kind \(frame.kind)")))
                }
            }
        }
    }

    /// Returns the result of the item's work.
    private func answer(in frame: Frame, from link: WorkerLink) async throws -> Payload {
        do {
            switch try WorkAnswer(parts: frame.parts) {
            case .returned(let value): return Payload(jsonText: value)
            case .threw(let error): throw error.error
            }
        } catch let fault as FrameFault {
            try await kill(link, .babbled(fault))
        }
    }

    private func message(in frame: Frame, from link: WorkerLink) async throws -> DeskMessage {
        do throws(FrameFault) {
            let message = try DeskMessage(parts: frame.parts)
            guard message.isAsked == (frame.kind == .ask) else {
                throw FrameFault("a question that has no reply, or the other way round")
            }
            return message
        } catch {
            try await kill(link, .babbled(error))
        }
    }

    /// Returns the next message.
    ///
    /// - Throws: ``WorkerLoss``, once nothing of the worker is left.
    private func next(from link: WorkerLink) async throws -> Frame {
        let frame: Frame?
        do { frame = try link.next() } catch { try await kill(link, error) }
        if let frame { return frame }
        let exit = await link.child.waitForExit()
        throw WorkerLoss.crashed("\(exit)", lastWords: link.lastWords)
    }

    private func kill(_ link: WorkerLink, _ loss: WorkerLoss) async throws -> Never {
        link.child.signalGroup(SIGKILL)
        await link.child.waitForExit()
        throw loss
    }

    // MARK: The process

    /// The number of processes in a row that may die before one is ready.
    private static let starts = 10

    /// Returns the current process, or a new one that has reported that it has the processor.
    private func currentLink() async throws -> WorkerLink {
        if let link = state.withLock({ $0.link }) { return link }
        var start = 1
        while true {
            do { return try await startLink() } catch let loss as WorkerLoss {
                if state.withLock({ $0.stopped }) { throw CancellationError() }
                // Another program may have killed it without meaning this worker.
                if loss.isCrash, start < Self.starts {
                    start += 1
                    continue
                }
                if case .unavailable = loss { throw loss }
                let reason = loss.error(inStep: nil).message
                throw WorkerLoss.unavailable(
                    ProcessingError(
                        .runnerUnavailable, "a worker could not be started: \(reason)", retryable: false))
            }
        }
    }

    private func startLink() async throws -> WorkerLink {
        let link: WorkerLink
        do { link = try WorkerLink(pool.launch, hiding: processor.secrets) } catch {
            // If a resource had run out, only this attempt fails. Another attempt, or another item, may succeed.
            guard !error.retryable else { throw error }
            throw WorkerLoss.unavailable(error)
        }
        let stopped = state.withLock { state in
            state.link = link
            return state.stopped
        }
        if stopped { link.child.signalGroup(SIGKILL) }
        do { try await greet(link) } catch {
            state.withLock { $0.link = nil }
            throw error
        }
        return link
    }

    /// Asks a new process for the processor.
    private func greet(_ link: WorkerLink) async throws {
        let hello = HelloMessage(
            processor: processor.name.text, definition: processor.sharedDefinition.text,
            beat: pool.launch.heartbeatTimeout / 3, setup: pool.launch.setup)
        do { try link.send(Frame(kind: .hello, parts: hello.parts), "what a worker makes its processor from") } catch {
            link.retire()
            throw WorkerLoss.unavailable(error)
        }
        let frame = try await next(from: link)
        guard frame.kind == .ready, let words = try? Words(frame.parts.first) else {
            try await kill(link, .babbled(FrameFault("something else than that it is ready")))
        }
        if let refusal = WireError(words[0]) {
            link.retire()
            throw WorkerLoss.unavailable(ProcessingError(wrapping: refusal.error, as: .configuration))
        }
        link.noteReady()
    }

    func stop() async {
        let link = state.withLock { state in
            state.stopped = true
            return state.link
        }
        await link?.child.end()
    }

    func retire() {
        let link = state.withLock { state in
            state.stopped = true
            defer { state.link = nil }
            return state.link
        }
        link?.retire()
        thread.retire()
    }
}

extension Frame {
    /// The longest JSON text of one value. A frame has other parts, too.
    static let maximumValue = maximumLength - (64 << 10)

    /// Returns the failure of something that does not fit a frame.
    static func tooLarge(_ what: String, _ size: Int) -> ProcessingError {
        let tenths = (size * 10 + (1 << 19)) >> 20
        return ProcessingError(
            .processing,
            "\(what) has \(tenths / 10).\(tenths % 10) MiB of JSON, and a worker process takes up to \(maximumLength >> 20) MiB; use the runner 'thread' or smaller values",
            retryable: false)
    }
}

extension WorkerLoss {
    /// The loss of a worker that was killed because of what it sent.
    static func babbled(_ fault: FrameFault) -> WorkerLoss {
        .crashed("was killed because it sent \(fault),", lastWords: nil)
    }
}
