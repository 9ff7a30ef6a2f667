import Logging

/// What `transform` and `validate` may ask for while a run is only planned: nothing that costs or lasts.
struct PlanDesk: Desk {
    /// A processor asked for something that a plan does not do.
    struct NotPlanned: Error {}

    let terms: WorkTerms

    func warn(_ message: String, in context: Context) {}
    func logger(for context: Context) -> Logger { Logger(label: "assay") { _ in SwiftLogNoOpLogHandler() } }
    func say(_ text: String, at level: Logger.Level, from source: LogLine.Source, in context: Context) {}
    func openStep(_ name: String, inside outer: String?, in context: Context) throws -> OpenedStep {
        throw NotPlanned()
    }
    func rejectSaved(_ path: String, because error: any Error, in context: Context) throws { throw NotPlanned() }
    func failStep(_ step: OpenedStep) {}
    func closeStep(_ step: OpenedStep, value: Payload, in context: Context) throws { throw NotPlanned() }
    func charge(_ usage: Usage, in context: Context) throws -> Bool { throw NotPlanned() }
    func openCall(_ request: CallRequest, in context: Context) throws -> CallDecision { throw NotPlanned() }
    func closeCall(_ id: String, _ settlement: Call.Settlement?, _ end: CallEnd, in context: Context) throws {
        throw NotPlanned()
    }
    func emit(_ chunk: Payload, in context: Context) throws { throw NotPlanned() }
    func heartbeat(in context: Context) {}
    func answered(in context: Context) {}
    func hint(_ kind: String, _ message: String, explainsTimeout: Bool, in context: Context) {}
    func waiting<Value: Sendable>(
        for wait: EngineWait, in context: Context, _ body: @escaping @Sendable (WaitSign) async throws -> Value
    ) async throws -> Value { try await body(WaitSign(wait)) }
}
