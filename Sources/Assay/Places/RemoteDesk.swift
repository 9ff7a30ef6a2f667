import Logging

/// The desk of an item where it is worked on. Requests go to the engine at the other end of a channel.
final class RemoteDesk: Desk {
    private let channel: any DeskChannel
    private let logLevel: Logger.Level
    let terms: WorkTerms
    private let openCalls = Gate()

    init(_ channel: any DeskChannel, _ order: OrderTerms) {
        self.channel = channel
        (logLevel, terms) = (order.logLevel, order.limits)
    }

    // MARK: The desk

    func logger(for context: Context) -> Logger {
        Logger(label: "assay") { _ in RemoteLogHandler(desk: self, logLevel: logLevel) }
    }

    func say(_ text: String, at level: Logger.Level, from source: LogLine.Source, in context: Context) {
        tell(.log(level, text.cut(toBytes: LogLine.longestText), metadata: [:]))
    }

    func warn(_ message: String, in context: Context) { tell(.warn(message.cut(toBytes: 8_192))) }

    func openStep(_ name: String, inside outer: String?, in context: Context) async throws -> OpenedStep {
        guard case .openedStep(let path, let saved) = try await ask(.openStep(name, inside: outer)) else {
            throw FrameFault("another reply than a step")
        }
        return OpenedStep(
            path: path, attempt: context.attempt, saved: try saved.map { try JSONValue(json: $0) }, start: .zero)
    }

    func rejectSaved(_ path: String, because error: any Error, in context: Context) async throws {
        _ = try await ask(.rejectSaved(path: path, reason: "\(error)".cut(toBytes: 8_192)))
    }

    func failStep(_ step: OpenedStep) { tell(.failStep(path: step.path)) }

    func closeStep(_ step: OpenedStep, value: Payload, in context: Context) async throws {
        let text: [UInt8]
        do { text = try value.jsonText() } catch {
            throw ProcessingError(.processing, "the value of step '\(step.path)' cannot be written as JSON: \(error)")
        }
        if let refusal = channel.refusal(ofValue: text, "the value of step '\(step.path)'") { throw refusal }
        _ = try await ask(.closeStep(path: step.path, value: text))
    }

    func charge(_ usage: Usage, in context: Context) async throws -> Bool {
        if case .accepted = try await ask(.charge(usage)) { false } else { true }
    }

    func openCall(_ request: CallRequest, in context: Context) async throws -> CallDecision {
        switch try await ask(.openCall(request)) {
        case .hit(let value): return .hit(try JSONValue(json: value))
        case .proceed(let callID, let idempotencyKey, let number):
            openCalls.begin()
            return .proceed(Call(callID, idempotencyKey: idempotencyKey, number: number))
        default: throw FrameFault("another reply than a call")
        }
    }

    func closeCall(
        _ id: String, _ settlement: Call.Settlement?, _ end: CallEnd, in context: Context
    ) async throws {
        defer { openCalls.end() }
        let message: DeskMessage.CallEndMessage
        switch end {
        case .returned(let payload):
            do {
                let text = try payload.jsonText()
                if let refusal = channel.refusal(ofValue: text, "the value of a call") { throw refusal }
                message = .returned(text)
            } catch {
                // The call was made and is paid for, though no one receives its value.
                let settlement = settlement.map { Call.Settlement(cost: $0.cost, metadata: [:]) }
                _ = try await ask(.closeCall(id: id, settlement, .made))
                throw error
            }
        case .made: message = .made
        case .threw(let error): message = .threw(WireError(error))
        case .notMade: throw FrameFault("a call that was opened and not made")
        }
        let whole = DeskMessage.closeCall(id: id, settlement, message)
        if let refusal = channel.refusal(of: whole), let settlement {
            // The cost is known, though the metadata noted with it is lost.
            _ = try await ask(.closeCall(id: id, Call.Settlement(cost: settlement.cost, metadata: [:]), message))
            throw refusal
        }
        _ = try await ask(whole)
    }

    func emit(_ chunk: Payload, in context: Context) async throws {
        let text = try chunk.jsonText()
        if let refusal = channel.refusal(ofValue: text, "a piece of output") { throw refusal }
        _ = try await ask(.emit(text))
    }

    func heartbeat(in context: Context) throws {
        guard tell(.heartbeat) else { throw CancellationError() }
    }

    // Answers, and remarks on a program, are known on the other side.
    func answered(in context: Context) {}

    func hint(_ kind: String, _ message: String, explainsTimeout: Bool, in context: Context) {}

    // The other side has the item's clock and knows what it waits for.
    func waiting<Value: Sendable>(
        for wait: EngineWait, in context: Context, _ body: @escaping @Sendable (WaitSign) async throws -> Value
    ) async throws -> Value { try await body(WaitSign(wait)) }

    // MARK: The channel

    private func ask(_ message: DeskMessage) async throws -> DeskReply {
        if let refusal = channel.refusal(of: message) { throw refusal }
        let reply = try await channel.ask(message)
        if case .refused(let error) = reply { throw error.error }
        return reply
    }

    /// - Returns: `false` when the item has been answered.
    @discardableResult fileprivate func tell(_ message: DeskMessage) -> Bool { channel.tell(message) }

    // MARK: The end

    /// Sends the answer once no paid call is open, so that none is in doubt without need. Nothing is sent after it.
    func close(_ answer: WorkAnswer) async {
        await openCalls.passUncancelled()
        channel.close(answer)
    }
}

/// A log handler whose lines are written by the program that started the worker.
private struct RemoteLogHandler: LogHandler {
    let desk: RemoteDesk
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let texts = metadata.merging(event.metadata ?? [:]) { $1 }.mapValues { "\($0)".cut(toBytes: 64 << 10) }
        let size = texts.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
        desk.tell(
            .log(
                event.level, "\(event.message)".cut(toBytes: 64 << 10),
                metadata: size <= 1 << 20 ? texts : ["metadata": "left out: it has \(size) bytes"]))
    }
}
