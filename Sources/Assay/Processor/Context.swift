public import Logging

/// The interface of a processor to its run; a value for one run, and for one item and attempt if there is one.
public struct Context: Sendable {
    /// The run.
    public let runID: Run.ID
    /// The execution of the run.
    public let executionID: Execution.ID
    /// The running processor.
    public let processorID: Identifier
    /// The scope of the work: the run's scope, completed with the item's own ids.
    public let scope: Scope
    /// The runs that this one descends from.
    public let lineage: Lineage
    /// The current item; `nil` in `aggregate`.
    public let inputID: String?
    /// The attempt at this item, counted from 1.
    public let attempt: Int
    /// The phase of the run.
    public let phase: Phase
    /// A log whose lines are kept with the run, by processor, item and attempt, and also go to the engine's log.
    ///
    /// Lines below `info` are kept only when the engine's log takes them. `assay logs` shows the kept lines.
    public var logger: Logger { desk.logger(for: self) }

    /// The context of the same run and processor without an item.
    package var withoutItem: Context {
        Context(
            runID: runID, executionID: executionID, processorID: processorID, scope: scope, lineage: lineage,
            inputID: nil, attempt: 0, phase: phase, itemIndex: nil, file: nil, desk: desk)
    }

    let itemIndex: Int?
    /// The file that the current item stands for or has beside its data; `nil` for an item without a file and at graph
    /// nodes that are not sources.
    public let file: InputFile?
    /// The engine's side, which receives all requests.
    package let desk: any Desk

    /// The full name of the step whose body is running.
    @TaskLocal package static var enclosingStep: String?

    /// The paid calls whose bodies are running inside each other, outer calls first. They cannot end before requests in
    /// their bodies are answered, and the cost of those requests is saved when their values come from the cache.
    @TaskLocal private static var enclosingCalls: [Call] = []

    /// Runs a part of `extract` and saves its value: a later attempt or run gets the value and skips the body.
    ///
    /// The value is durable before this returns. The second use of a name in one item is `name#2`; a step inside a
    /// step is `outer/inner`; steps that run concurrently in one item must have different names.
    ///
    /// - Throws: what `body` throws, in which case nothing is saved; ``ProcessingError`` with code `configuration`
    ///   outside of `extract`, and `store` when the value cannot be saved.
    public func step<Value: Codable & Sendable>(
        _ name: String, _ body: () async throws -> Value
    ) async throws -> Value {
        let opened = try await desk.openStep(name, inside: Self.enclosingStep, in: self)
        if let saved = opened.saved {
            do {
                return try saved.decoded(as: Value.self)
            } catch {
                try await desk.rejectSaved(opened.path, because: error, in: self)
            }
        }
        let value: Value
        do {
            value = try await Self.$enclosingStep.withValue(opened.path, operation: body)
        } catch {
            desk.failStep(opened)
            throw error
        }
        try await desk.closeStep(opened, value: Payload(value), in: self)
        return value
    }

    /// Records the use of something that costs money.
    ///
    /// The charge is recorded once, with the step or the outcome it belongs to, no matter what happens afterwards. With
    /// a `key` it is recorded at once, because only the store knows whether the key is on record. With `incurred` it
    /// states a fact that has already happened, and it is recorded at once, too.
    ///
    /// - Parameters:
    ///   - quantity: the number of units, multiplied by the unit price when no `cost` is given.
    ///   - cost: the amount; `nil` means unit price × quantity.
    ///   - key: a key under which an execution and item is charged only once; `nil` means every time.
    /// - Throws: ``ProcessingError`` with code `cost` for an amount that is not exact or too large, and
    ///   `budget_exhausted` when it does not fit a budget; nothing is recorded then.
    public func charge(
        _ service: String, _ operation: String, quantity: Number = 1, cost: Money? = nil, key: String? = nil,
        incurred: Bool = false, metadata: JSONObject = [:]
    ) async throws {
        let usage = Usage(
            service: service, operation: operation, quantity: quantity, cost: cost, key: key, incurred: incurred,
            metadata: metadata, step: Self.enclosingStep, inside: CallNest(bodiesOf: Self.enclosingCalls))
        _ = try await desk.charge(usage, in: self)
    }

    /// Makes a paid call, or returns the cached value of an equal call that was paid for before. Its intent is on
    /// record before the call and its outcome after it.
    ///
    /// - Parameters:
    ///   - maximumCost: the most that it may cost; `nil` means the unit price.
    ///   - key: the parameters that make calls equal; `nil` means never cached, so a program that dies after the call
    ///     and before the next step is saved makes the call again and pays for it again.
    ///   - options: caching and billing.
    ///   - body: makes the call, passes on ``Call/idempotencyKey``, and may report the cost.
    /// - Throws: what `body` throws; ``ProcessingError`` with code `store` when the intent cannot be written, in which
    ///   case `body` does not run.
    public func call<Value: Codable & Sendable>(
        _ service: String, _ operation: String, maximumCost: Money? = nil, key: JSONValue? = nil,
        options: CallOptions = CallOptions(), _ body: (Call) async throws -> Value
    ) async throws -> Value {
        let request = CallRequest(
            service: service, operation: operation, maximumCost: maximumCost, key: key, options: options,
            step: Self.enclosingStep, inside: CallNest(bodiesOf: Self.enclosingCalls))
        switch try await desk.openCall(request, in: self) {
        case .hit(let value): return try value.decoded(as: Value.self)
        case .proceed(let call):
            let value: Value
            let calls = Self.enclosingCalls + [call]
            do { value = try await Self.$enclosingCalls.withValue(calls) { try await body(call) } } catch {
                try await desk.closeCall(call.id, call.settlement, .threw(error), in: self)
                throw error
            }
            try await desk.closeCall(call.id, call.settlement, .returned(Payload(value)), in: self)
            return value
        }
    }

    /// Delivers a piece of output to the watchers of the execution.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` outside of `extract`.
    public func emit(_ chunk: some Codable & Sendable) async throws { try await desk.emit(Payload(chunk), in: self) }

    /// Reports that the work continues, which restarts the heartbeat time-out.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` outside of `extract`; `CancellationError` when the item
    ///   has been abandoned.
    public func heartbeat() throws { try desk.heartbeat(in: self) }
}
