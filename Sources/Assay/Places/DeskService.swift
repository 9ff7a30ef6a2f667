import Logging
import Synchronization

/// A service that passes the messages of a processor at work somewhere else to the desk of its item.
package final class DeskService: Sendable {
    private let context: Context
    private let steps = Mutex<[String: OpenedStep]>([:])

    package init(_ context: Context) { self.context = context }

    /// Handles a message that needs no reply.
    package func hear(_ message: DeskMessage) throws {
        switch message {
        case .failStep(let path):
            if let step = steps.withLock({ $0.removeValue(forKey: path) }) { context.desk.failStep(step) }
        case .heartbeat: try context.desk.heartbeat(in: context)
        case .warn(let message): context.desk.warn(message, in: context)
        case .log(let level, let text, let metadata):
            context.logger.log(level: level, "\(text)", metadata: metadata.mapValues { "\($0)" })
        case .openStep, .rejectSaved, .closeStep, .charge, .openCall, .closeCall, .emit: break
        }
    }

    /// Carries out a request. A refusal is a reply like any other.
    package func reply(to message: DeskMessage) async -> DeskReply {
        do { return try await answer(message) } catch { return .refused(WireError(error)) }
    }

    private func answer(_ message: DeskMessage) async throws -> DeskReply {
        let desk = context.desk
        switch message {
        case .openStep(let name, let outer):
            let opened = try await desk.openStep(name, inside: outer, in: context)
            steps.withLock { $0[opened.path] = opened }
            return .openedStep(path: opened.path, saved: opened.saved?.jsonBytes)
        case .rejectSaved(let path, let reason):
            try await desk.rejectSaved(path, because: FrameFault(reason), in: context)
        case .closeStep(let path, let value):
            guard let step = steps.withLock({ $0.removeValue(forKey: path) }) else {
                throw FrameFault("step '\(path)' was not opened")
            }
            try await desk.closeStep(step, value: Payload(jsonText: value), in: context)
        case .charge(let usage): return try await desk.charge(usage, in: context) ? .done : .accepted
        case .openCall(let request):
            switch try await desk.openCall(request, in: context) {
            case .hit(let value): return .hit(value.jsonBytes)
            case .proceed(let call):
                return .proceed(callID: call.id, idempotencyKey: call.idempotencyKey, number: call.number)
            }
        case .closeCall(let id, let settlement, let end):
            let ending: CallEnd =
                switch end {
                case .returned(let value): .returned(Payload(jsonText: value))
                case .made: .made
                case .threw(let error): .threw(error.error)
                }
            try await desk.closeCall(id, settlement, ending, in: context)
        case .emit(let chunk): try await desk.emit(Payload(jsonText: chunk), in: context)
        case .failStep, .heartbeat, .warn, .log: throw FrameFault("a question that has no reply")
        }
        return .done
    }
}
