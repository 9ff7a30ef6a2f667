import Foundation
import Synchronization

/// The channel of one order in a worker process, over the frames to the program that started it.
final class FrameChannel: DeskChannel {
    private struct State {
        var lastRef: UInt32 = 0
        var waiting: [UInt32: CheckedContinuation<DeskReply, any Error>] = [:]
        var closed = false
    }

    private let wire: WorkerWire
    private let request: UInt64
    private let attempt: UInt32
    private let state = Mutex(State())

    init(_ wire: WorkerWire, request: UInt64, attempt: UInt32) {
        (self.wire, self.request, self.attempt) = (wire, request, attempt)
    }

    func refusal(of message: DeskMessage) -> ProcessingError? {
        let length = Frame(kind: .ask, parts: message.parts).length
        return length > Frame.maximumLength ? Frame.tooLarge(message.title, length) : nil
    }

    func refusal(ofValue text: [UInt8], _ what: @autoclosure () -> String) -> ProcessingError? {
        text.count > Frame.maximumValue ? Frame.tooLarge(what(), text.count) : nil
    }

    func ask(_ message: DeskMessage) async throws -> DeskReply {
        let parts = message.parts
        return try await withCheckedThrowingContinuation { continuation in
            let sent = state.withLock { state in
                guard !state.closed else { return false }
                state.lastRef += 1
                state.waiting[state.lastRef] = continuation
                wire.send(Frame(kind: .ask, request: request, attempt: attempt, ref: state.lastRef, parts: parts))
                return true
            }
            if !sent { continuation.resume(throwing: CancellationError()) }
        }
    }

    func tell(_ message: DeskMessage) -> Bool {
        let frame = Frame(kind: .tell, request: request, attempt: attempt, parts: message.parts)
        return state.withLock { state in
            // A fact is not worth a failure: the caller has cut it short already.
            if !state.closed, frame.length <= Frame.maximumLength { wire.send(frame) }
            return !state.closed
        }
    }

    /// Accepts a reply.
    func take(_ frame: Frame) throws {
        let reply = try DeskReply(parts: frame.parts)
        let asker = state.withLock { $0.waiting.removeValue(forKey: frame.ref) }
        asker?.resume(returning: reply)
    }

    func close(_ answer: WorkAnswer) {
        // The item's output is on its way before the answer.
        fflush(nil)
        let left = state.withLock { state in
            state.closed = true
            wire.send(Frame(kind: .answer, request: request, attempt: attempt, parts: answer.parts))
            defer { state.waiting = [:] }
            return state.waiting.values
        }
        for asker in left { asker.resume(throwing: CancellationError()) }
    }
}
