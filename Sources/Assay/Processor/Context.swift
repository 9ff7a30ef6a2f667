public import Logging

/// What a processor may ask for while it works; a value of one run, of one item and attempt where there is one.
public struct Context: Sendable {
    /// The run.
    public let runID: Run.ID
    /// The execution of the run.
    public let executionID: Execution.ID
    /// The processor at work.
    public let processorID: Identifier
    /// For whom it works: the run's scope, filled up with the item's own ids.
    public let scope: Scope
    /// Which runs this one descends from.
    public let lineage: Lineage
    /// The item at work; `nil` in `aggregate`.
    public let inputID: String?
    /// The attempt at this item, from 1.
    public let attempt: Int
    /// The phase of the run.
    public let phase: Phase
    /// A log whose lines are kept with the run, by processor, item and attempt, and go to the engine's log as well.
    ///
    /// What matters less than `info` is kept only when the engine's log takes it. `assay logs` shows what is kept.
    public var logger: Logger { desk.logger(for: self) }

    /// The context of the same run and processor, of no item.
    package var withoutItem: Context {
        Context(
            runID: runID, executionID: executionID, processorID: processorID, scope: scope, lineage: lineage,
            inputID: nil, attempt: 0, phase: phase, itemIndex: nil, file: nil, desk: desk)
    }

    let itemIndex: Int?
    /// The file that the item at work stands for, or has beside its data; `nil` for an item without one, and at nodes of
    /// graphs that are no sources.
    public let file: InputFile?
    /// Where what is asked for is handed in.
    package let desk: any Desk

    /// The full name of the step whose body is running.
    @TaskLocal package static var enclosingStep: String?

    /// The paid calls whose bodies are running around each other, the outer ones first: they cannot end before what is
    /// asked for in them has its answer, and what that costs is spared when their values come from the cache.
    @TaskLocal static var enclosingCalls: [Call] = []

    private static var nest: CallNest { CallNest(calls: enclosingCalls.map(\.number)) }

    /// Does a part of `extract` whose value is saved: a later attempt or run gets the value and skips the body.
    ///
    /// The value is durable before this returns. The second use of a name in one item is `name#2`; a step inside a
    /// step is `outer/inner`; steps that run concurrently in one item must have different names.
    ///
    /// - Throws: what `body` throws, and then nothing is saved; ``ProcessingError`` with code `configuration` outside
    ///   of `extract`, `store` when the value cannot be saved.
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

    /// Records that something that costs money was used.
    ///
    /// Recorded once with the step or the outcome it belongs to, whatever happens afterwards; with a `key` at once,
    /// since only the store knows whether the key is on record. With `incurred` it states a fact that has already
    /// happened and is recorded at once, too.
    ///
    /// - Parameters:
    ///   - quantity: how many units; multiplied with the unit price when no `cost` is given.
    ///   - cost: the amount; `nil`: unit price × quantity.
    ///   - key: the same charge of the same execution and item is recorded once; `nil`: every time.
    /// - Throws: ``ProcessingError`` with code `cost` for an amount that is not exact or too large, and
    ///   `budget_exhausted` when it does not fit a budget; nothing is recorded then.
    public func charge(
        _ service: String, _ operation: String, quantity: Number = 1, cost: Money? = nil, key: String? = nil,
        incurred: Bool = false, metadata: JSONObject = [:]
    ) async throws {
        let usage = Usage(
            service: service, operation: operation, quantity: quantity, cost: cost, key: key, incurred: incurred,
            metadata: metadata, inside: Self.nest)
        _ = try await desk.charge(usage, in: self)
    }

    /// Calls something that costs money: from the cache when the same was paid for before, else with an intent on
    /// record before and an outcome after.
    ///
    /// - Parameters:
    ///   - maximumCost: the most it may cost; `nil`: the unit price.
    ///   - key: the parameters by which calls are equal; `nil`: never cached, so a program that dies after the call and
    ///     before the next step is saved makes it, and pays for it, again.
    ///   - options: caching and billing.
    ///   - body: makes the call, handing on ``Call/idempotencyKey``, and may say what it cost.
    /// - Throws: what `body` throws; ``ProcessingError`` with code `store` when the intent cannot be written, and then
    ///   `body` is not run.
    public func call<Value: Codable & Sendable>(
        _ service: String, _ operation: String, maximumCost: Money? = nil, key: JSONValue? = nil,
        options: CallOptions = CallOptions(), _ body: (Call) async throws -> Value
    ) async throws -> Value {
        let request = CallRequest(
            service: service, operation: operation, maximumCost: maximumCost, key: key, options: options,
            inside: Self.nest)
        switch try await desk.openCall(request, in: self) {
        case .hit(let value): return try value.decoded(as: Value.self)
        case .proceed(let call):
            let value: Value
            let calls = Self.enclosingCalls + [call]
            do { value = try await Self.$enclosingCalls.withValue(calls) { try await body(call) } } catch {
                try await desk.closeCall(call, .threw(error), in: self)
                throw error
            }
            try await desk.closeCall(call, .returned(Payload(value)), in: self)
            return value
        }
    }

    /// Delivers a piece of output to those who watch the execution.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` outside of `extract`.
    public func emit(_ chunk: some Codable & Sendable) async throws { try await desk.emit(Payload(chunk), in: self) }

    /// Says that the work goes on, which restarts the heartbeat time-out.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` outside of `extract`; `CancellationError` when the
    ///   item has been given up.
    public func heartbeat() throws { try desk.heartbeat(in: self) }
}
