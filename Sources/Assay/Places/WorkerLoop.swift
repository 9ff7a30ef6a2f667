@preconcurrency import Foundation
import Synchronization

/// The life of a worker process: it works on one item at a time on the main thread, until the other side is gone.
struct WorkerLoop {
    private let socket = Descriptor(3)
    private let executor: LoopExecutor
    private var decoder = FrameDecoder()
    private var chunk = [UInt8](repeating: 0, count: 64 << 10)

    init() throws(ProcessingError) { executor = try LoopExecutor() }

    /// Serves the processor that the first message names.
    mutating func run(_ resolve: WorkerProcess.Resolver) throws -> Never {
        _ = fcntl(socket.number, F_SETFD, FD_CLOEXEC)
        signal(SIGPIPE, SIG_IGN)
        // The output of user code goes where its errors go, line by line, so a crash loses none of it.
        setvbuf(stdout, nil, Int32(_IOLBF), 0)

        let hello = try HelloMessage(parts: receive().parts)
        guard let nonce = decoder.nonce else { WorkerWire.end() }
        let wire = WorkerWire(socket, nonce)
        let processor: RegisteredProcessor
        do {
            processor = try WorkerProcess.resolve(hello.processor, setup: hello.setup, with: resolve)
            guard processor.sharedDefinition.text == hello.definition else {
                throw ProcessingError(
                    .configuration,
                    "the worker's '\(hello.processor)' has another version, other parameters, variables or files")
            }
        } catch {
            wire.send(Frame(kind: .ready, parts: [WireError(error).jsonValue].parts()))
            _ = receive()
            WorkerWire.end()
        }
        wire.watch(beat: hello.beat)
        wire.send(Frame(kind: .ready, parts: [JSONValue]().parts()))

        var run: OrderTerms?
        while true {
            let frame = receive()
            switch frame.kind {
            case .run: run = try OrderTerms(parts: frame.parts[...])
            case .work:
                guard let run else { throw FrameFault("an item of no run") }
                wire.note(working: true)
                try work(on: frame, of: run, with: processor, wire)
                wire.note(working: false)
            // A reply to an item that has been answered: no one here waits for it.
            case .reply: break
            case .hello, .ready, .answer, .ask, .tell, .beat: throw FrameFault("a frame of kind \(frame.kind)")
            }
        }
    }

    private mutating func work(
        on frame: Frame, of run: OrderTerms, with processor: RegisteredProcessor, _ wire: WorkerWire
    ) throws {
        let order = try WorkOrder(run, attempt: Int(frame.attempt), itemParts: frame.parts[...])
        let channel = FrameChannel(wire, request: frame.request, attempt: frame.attempt)
        executor.begin()
        Task(executorPreference: executor) { [executor] in
            await processor.work(on: order, for: channel)
            executor.finish()
        }
        while !executor.runJobs() {
            if let reply = try decoder.next() {
                if reply.kind == .reply, reply.request == frame.request { try channel.take(reply) }
            } else if executor.waits(for: socket) {
                fill()
            }
        }
    }

    // MARK: Receiving

    /// Returns the next frame, waiting for it.
    private mutating func receive() -> Frame {
        while true {
            do {
                if let frame = try decoder.next() { return frame }
            } catch { WorkerWire.end() }
            fill()
        }
    }

    private mutating func fill() {
        let count = recv(socket.number, &chunk, chunk.count, 0)
        if count > 0 {
            chunk.withUnsafeBytes { decoder.append(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        } else if count == 0 || errno != EINTR {
            // The worker was released: its output is not lost.
            fflush(nil)
            WorkerWire.end()
        }
    }
}
