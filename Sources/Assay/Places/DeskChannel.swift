/// The way from a place where an order is worked on to the engine that has made the order.
package protocol DeskChannel: Sendable {
    /// Returns why a message cannot be sent; `nil` when it can.
    func refusal(of message: DeskMessage) -> ProcessingError?

    /// Returns why a value cannot be sent as JSON text; `nil` when it can.
    ///
    /// - Parameter what: the value, in words.
    func refusal(ofValue text: [UInt8], _ what: @autoclosure () -> String) -> ProcessingError?

    /// Sends a request and returns the reply.
    ///
    /// - Throws: `CancellationError` once the order has been answered, or when it cannot be answered any more.
    func ask(_ message: DeskMessage) async throws -> DeskReply

    /// Sends a fact; returns `false` once the order has been answered.
    @discardableResult func tell(_ message: DeskMessage) -> Bool

    /// Sends the answer to the order. Nothing of it is sent after that, and requests without a reply are cancelled.
    func close(_ answer: WorkAnswer)
}

extension DeskChannel {
    /// `nil` by default: every message can be sent.
    package func refusal(of message: DeskMessage) -> ProcessingError? { nil }

    /// `nil` by default: every value can be sent.
    package func refusal(ofValue text: [UInt8], _ what: @autoclosure () -> String) -> ProcessingError? { nil }
}

extension RegisteredProcessor {
    /// Works on an order of an engine at the other end of `channel`, and answers it.
    package func work(on order: WorkOrder, for channel: any DeskChannel) async {
        let desk = RemoteDesk(channel, order.terms)
        let answer: WorkAnswer
        do {
            let output = try await extract(order.input, order.context(desk))
            let text: [UInt8]
            do { text = try output.jsonText() } catch {
                throw ProcessingError(
                    .processing, "the output cannot be written as JSON: \(error)", retryable: false)
            }
            if let refusal = channel.refusal(ofValue: text, "the output") { throw refusal }
            answer = .returned(text)
        } catch {
            answer = .threw(WireError(error))
        }
        await desk.close(answer)
    }
}
