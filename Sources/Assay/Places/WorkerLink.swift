internal import CSpawn
import Foundation
import Synchronization

/// A worker process and the socket to it, as seen from the program that started it.
final class WorkerLink: Sendable {
    let child: ChildProcess
    let output: WorkerOutput
    private let socket: Descriptor
    private let outbox: Outbox
    private let nonce: Frame.Nonce
    private let heartbeatTimeout: Duration
    /// The longest time that a worker may take to be ready, unless its heartbeat limit is longer.
    private static let startTimeout = Duration.seconds(30)
    private let inbox: Mutex<(decoder: FrameDecoder, chunk: [UInt8])>

    /// Starts a worker, which waits for its first message.
    ///
    /// - Throws: ``ProcessingError`` with code `runner_unavailable`.
    init(_ launch: WorkerLaunch, hiding filter: SecretFilter) throws(ProcessingError) {
        let (ours, theirs) = try Descriptor.socketPair()
        let (read, write) = try Descriptor.pipe()
        var environment = ProcessInfo.processInfo.environment
        // A Swift backtrace takes seconds to compute. The end of a worker must be known at once.
        environment["SWIFT_BACKTRACE"] = environment["SWIFT_BACKTRACE"] ?? "enable=no"
        child = try ChildProcess(
            .init(
                launch.executable, launch.arguments, environment: environment,
                descriptors: [nil, write, write, theirs]))
        output = WorkerOutput(read, process: child.id, hiding: filter, sink: launch.output)
        nonce = .random()
        socket = ours
        outbox = Outbox(ours)
        heartbeatTimeout = launch.heartbeatTimeout
        inbox = Mutex((FrameDecoder(nonce: nonce), [UInt8](repeating: 0, count: 64 << 10)))
        limitSilence(to: max(heartbeatTimeout, Self.startTimeout))
        // A grandchild may hold the other end, so the end of the worker, not of the stream, wakes the reader.
        child.whenEnded { _ in _ = shutdown(ours.number, Int32(SHUT_RDWR)) }
    }

    /// Records that the worker is ready, and limits its silence to the heartbeat limit.
    func noteReady() { limitSilence(to: heartbeatTimeout) }

    private func limitSilence(to limit: Duration) {
        assay_limit_receive(socket.number, Int32(clamping: max(1, limit.milliseconds)))
    }

    /// Sends a message without waiting for the worker to read.
    ///
    /// - Throws: ``ProcessingError`` when it is longer than a frame may be; nothing is sent then.
    func send(_ frame: Frame, _ what: @autoclosure () -> String) throws(ProcessingError) {
        guard frame.length <= Frame.maximumLength else { throw Frame.tooLarge(what(), frame.length) }
        outbox.send(frame.encoded(nonce))
    }

    /// Returns the worker's next message, waiting for it on the calling thread; `nil` when the worker has ended.
    ///
    /// One thread at a time may read.
    /// - Throws: ``WorkerLoss`` for bytes that are not a message and for silence.
    func next() throws(WorkerLoss) -> Frame? {
        try inbox.withLock { inbox throws(WorkerLoss) in
            while true {
                do throws(FrameFault) {
                    while let frame = try inbox.decoder.next() {
                        if frame.kind != .beat { return frame }
                    }
                } catch { throw .babbled(error) }
                let count = recv(socket.number, &inbox.chunk, inbox.chunk.count, 0)
                if count > 0 {
                    inbox.chunk.withUnsafeBytes {
                        inbox.decoder.append(UnsafeRawBufferPointer(rebasing: $0[..<count]))
                    }
                } else if count == 0 {
                    return nil
                } else if errno == EAGAIN || errno == EWOULDBLOCK {
                    throw .silent(heartbeatTimeout)
                } else if errno != EINTR {
                    return nil
                }
            }
        }
    }

    /// Releases an idle worker. It ends by itself, and is killed if it does not.
    func retire() {
        _ = shutdown(socket.number, Int32(SHUT_WR))
        let kill = Countdown(.seconds(5)) { [child] in child.signalGroup(SIGKILL) }
        child.whenEnded { _ in kill.cancel() }
    }

    /// The line in which the Swift runtime reported why it ended the worker.
    var lastWords: String? {
        output.tail.split(separator: "\n").last { $0.contains("Fatal error") }.map { String($0).cut(toBytes: 1_024) }
    }
}
