import Logging
import Synchronization

/// A service that passes the messages of a processor in a worker process to the desk of its item.
final class DeskService: Sendable {
    private struct State {
        var steps: [String: OpenedStep] = [:]
        var calls: [String: (call: Call, enclosing: [Call])] = [:]
    }

    private let context: Context
    private let state = Mutex(State())

    init(_ context: Context) { self.context = context }

    /// Handles a message that needs no reply.
    func hear(_ message: DeskMessage) throws {
        switch message {
        case .failStep(let path):
            if let step = state.withLock({ $0.steps.removeValue(forKey: path) }) { context.desk.failStep(step) }
        case .heartbeat: try context.desk.heartbeat(in: context)
        case .warn(let message): context.desk.warn(message, in: context)
        case .log(let level, let text, let metadata):
            context.logger.log(level: level, "\(text)", metadata: metadata.mapValues { "\($0)" })
        case .openStep, .rejectSaved, .closeStep, .charge, .openCall, .closeCall, .emit: break
        }
    }

    /// Carries out a request. A refusal is a reply like any other.
    func reply(to message: DeskMessage) async -> DeskReply {
        do { return try await answer(message) } catch { return .refused(WireError(error)) }
    }

    /// Returns the open calls of a nest.
    private func calls(_ nest: CallNest) -> [Call] {
        guard !nest.calls.isEmpty else { return [] }
        let open = state.withLock { $0.calls.values.map(\.call) }
        return nest.calls.compactMap { number in open.first { $0.number == number } }
    }

    /// Runs `body` as part of a step and of calls.
    private func within<Value: Sendable>(
        _ step: String?, _ calls: [Call], _ body: () async throws -> Value
    ) async throws -> Value {
        try await Context.$enclosingStep.withValue(step) {
            try await Context.$enclosingCalls.withValue(calls, operation: body)
        }
    }

    private func answer(_ message: DeskMessage) async throws -> DeskReply {
        let desk = context.desk
        switch message {
        case .openStep(let name, let outer):
            let opened = try await desk.openStep(name, inside: outer, in: context)
            state.withLock { $0.steps[opened.path] = opened }
            return .openedStep(path: opened.path, saved: opened.saved?.jsonBytes)
        case .rejectSaved(let path, let reason):
            try await desk.rejectSaved(path, because: FrameFault(reason), in: context)
        case .closeStep(let path, let value):
            guard let step = state.withLock({ $0.steps.removeValue(forKey: path) }) else {
                throw FrameFault("step '\(path)' was not opened")
            }
            try await desk.closeStep(step, value: Payload(jsonText: value), in: context)
        case .charge(let usage, let step):
            let isRecorded = try await within(step, calls(usage.inside)) {
                try await desk.charge(usage, in: context)
            }
            return isRecorded ? .done : .accepted
        case .openCall(let request, let step):
            let enclosing = calls(request.inside)
            let decision = try await within(step, enclosing) { try await desk.openCall(request, in: context) }
            switch decision {
            case .hit(let value): return .hit(value.jsonBytes)
            case .proceed(let call):
                state.withLock { $0.calls[call.record.callID] = (call, enclosing) }
                return .proceed(
                    callID: call.record.callID, idempotencyKey: call.idempotencyKey, number: call.number)
            }
        case .closeCall(let id, let settlement, let end, let step):
            guard let (call, enclosing) = state.withLock({ $0.calls.removeValue(forKey: id) }) else {
                throw FrameFault("call '\(id)' was not opened")
            }
            if let settlement { call.settle(settlement) }
            let ending: CallEnd =
                switch end {
                case .returned(let value): .returned(Payload(jsonText: value))
                case .made: .made
                case .threw(let error): .threw(error.error)
                }
            try await within(step, enclosing) { try await desk.closeCall(call, ending, in: context) }
        case .emit(let chunk): try await desk.emit(Payload(jsonText: chunk), in: context)
        case .failStep, .heartbeat, .warn, .log: throw FrameFault("a question that has no reply")
        }
        return .done
    }
}
