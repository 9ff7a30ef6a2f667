import Logging
import Synchronization

/// The desk outside of `extract`: charges and calls, recorded at once.
///
/// The desk of an item adds steps to this.
final class RunDesk: Desk {
    private let session: RunSession
    /// The desk of the item's work that this is a part of; `nil` outside of an item's work.
    private let work: ItemDesk?
    private let openCalls = Mutex(OpenCalls())

    init(session: RunSession, work: ItemDesk? = nil) {
        self.session = session
        self.work = work
    }

    var terms: WorkTerms { session.options.terms }

    func logger(for context: Context) -> Logger { session.logger(for: context) }

    func say(_ text: String, at level: Logger.Level, from source: LogLine.Source, in context: Context) {
        session.say(text, at: level, from: source, in: context)
    }

    func warn(_ message: String, in context: Context) { session.warn(message, item: context.inputID) }

    func openStep(_ name: String, inside outer: String?, in context: Context) throws -> OpenedStep {
        throw Self.refused("step", context)
    }

    func rejectSaved(_ path: String, because error: any Error, in context: Context) throws {
        throw Self.refused("step", context)
    }

    func failStep(_ step: OpenedStep) {}

    func closeStep(_ step: OpenedStep, value: Payload, in context: Context) throws {
        throw Self.refused("step", context)
    }

    func charge(_ usage: Usage, in context: Context) async throws -> Bool {
        var usage = usage
        usage.step = nil
        let charge = try await session.paidCalls.charge(for: usage, by: session.payingWork(in: context))
        try await session.spend(charge, hasHappened: usage.incurred, inside: usage.inside, in: context)
        try await session.record(counted: [charge])
        note(worth: charge.cost, key: usage.key, inside: usage.inside, in: context)
        return true
    }

    func openCall(_ request: CallRequest, in context: Context) async throws -> CallDecision {
        var request = request
        request.step = nil
        let identity =
            request.key.map { Digest(of: $0) }
            ?? Digest(of: ["unkeyed", .string(context.processorID.text), .string(context.phase.rawValue)])
        switch try await session.paidCalls.open(request, identity: identity, by: session.payingWork(in: context)) {
        case .hit(let value, let worth):
            note(worth: worth, inside: request.inside, in: context)
            return .hit(value)
        case .proceed(let open):
            openCalls.withLock { $0.add(open, attempt: context.attempt) }
            return .proceed(open.call)
        }
    }

    func closeCall(
        _ id: String, _ settlement: Call.Settlement?, _ end: CallEnd, in context: Context
    ) async throws {
        let (open, _) = openCalls.withLock { $0.end(id, attempt: context.attempt) }
        guard let open else {
            let cost = try await session.paidCalls.close(
                callNamed: id, end, settlement, by: session.payingWork(in: context))
            return note(worth: cost, inside: .none, in: context)
        }
        let cost = try await session.paidCalls.close(open, end, settlement, isLate: false, for: context.inputID)
        note(worth: cost, inside: open.inside, in: context)
    }

    private func note(worth amount: Money, key: String? = nil, inside nest: CallNest, in context: Context) {
        if let work { return work.note(worth: amount, key: key, step: nil, inside: nest, in: context) }
        for call in nest.known { call.note(worth: amount) }
    }

    func emit(_ chunk: Payload, in context: Context) throws { throw Self.refused("emit", context) }

    func heartbeat(in context: Context) throws { throw Self.refused("heartbeat", context) }

    func answered(in context: Context) { session.suspicion.noteAnswer() }

    func hint(_ kind: String, _ message: String, explainsTimeout: Bool, in context: Context) {
        session.hint(kind, message)
    }

    func waiting<Value: Sendable>(
        for wait: EngineWait, in context: Context, _ body: @escaping @Sendable (WaitSign) async throws -> Value
    ) async throws -> Value { try await session.wait(for: wait, body) }

    private static func refused(_ what: String, _ context: Context) -> ProcessingError {
        ProcessingError(.configuration, "'\(what)' works in extraction only, not in \(context.phase.rawValue)")
    }
}
