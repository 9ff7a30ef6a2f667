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

/// How a paid call is cached and billed.
public struct CallOptions: Hashable, Sendable {
    /// When a call that failed is billed.
    public enum Billing: String, Codable, Sendable, CaseIterable {
        case onSuccess = "on_success"
        case onAttempt = "on_attempt"
    }

    /// How its value is kept.
    public var cache: CachePolicy
    /// Whether a failed attempt costs something; `nil`: as the run's options say.
    public var billing: Billing?
    /// What becomes of the call when nobody learns how it ended; `nil`: as the run's options say.
    public var doubtPolicy: DoubtPolicy?

    /// Options of the given parts.
    public init(cache: CachePolicy = CachePolicy(), billing: Billing? = nil, doubtPolicy: DoubtPolicy? = nil) {
        self.cache = cache
        self.billing = billing
        self.doubtPolicy = doubtPolicy
    }
}

/// What is known of a charge before prices are looked up.
package struct Usage: Sendable {
    package var service: String
    package var operation: String
    package var quantity: Number
    package var cost: Money?
    package var key: String?
    package var incurred: Bool
    package var metadata: JSONObject
    /// The calls around it.
    package var inside: CallNest

    package init(
        service: String, operation: String, quantity: Number = 1, cost: Money? = nil, key: String? = nil,
        incurred: Bool = false, metadata: JSONObject = [:], inside: CallNest = .none
    ) {
        self.service = service
        self.operation = operation
        self.quantity = quantity
        self.cost = cost
        self.key = key
        self.incurred = incurred
        self.metadata = metadata
        self.inside = inside
    }
}

/// What is known of a paid call before it is looked up.
package struct CallRequest: Sendable {
    package var service: String
    package var operation: String
    package var maximumCost: Money?
    package var key: JSONValue?
    package var options: CallOptions
    /// The calls around it.
    package var inside: CallNest

    package init(
        service: String, operation: String, maximumCost: Money? = nil, key: JSONValue? = nil,
        options: CallOptions = CallOptions(), inside: CallNest = .none
    ) {
        self.service = service
        self.operation = operation
        self.maximumCost = maximumCost
        self.key = key
        self.options = options
        self.inside = inside
    }
}

/// Whether a paid call is needed.
package enum CallDecision: Sendable {
    case hit(JSONValue)
    case proceed(Call)
}

/// How the body of a paid call ended.
package enum CallEnd: Sendable {
    case returned(Payload)
    /// It was made, and there is no value worth keeping.
    case made
    case threw(any Error)
    /// It was not begun.
    case notMade

    /// Whether the service did its work.
    var isMade: Bool {
        switch self {
        case .returned, .made: true
        case .threw, .notMade: false
        }
    }
}

/// A step that a processor asks for.
package struct OpenedStep: Sendable {
    /// Its full name: `outer/inner`, `name#2`.
    package var path: String
    /// The attempt that asks for it.
    package var attempt: Int
    /// Its saved value, when it has one.
    package var saved: JSONValue?
    /// When it was opened.
    package var start: Duration

    package init(path: String, attempt: Int, saved: JSONValue?, start: Duration) {
        self.path = path
        self.attempt = attempt
        self.saved = saved
        self.start = start
    }
}

/// The engine's side of a ``Context``: what a processor asks for is handed in here.
package protocol Desk: Sendable {
    /// How the run is done.
    var options: RunOptions { get }
    func logger(for context: Context) -> Logger
    /// Keeps what was said in the work of `context`, with secrets hidden.
    func say(_ text: String, at level: Logger.Level, from source: LogLine.Source, in context: Context)
    /// Tells those who watch of something that is not right and fails nothing.
    func warn(_ message: String, in context: Context)
    func openStep(_ name: String, inside outer: String?, in context: Context) async throws -> OpenedStep
    func rejectSaved(_ path: String, because error: any Error, in context: Context) async throws
    func failStep(_ step: OpenedStep)
    func closeStep(_ step: OpenedStep, value: Payload, in context: Context) async throws
    /// Records a charge, at once or with the work it belongs to; the answer is whether it is on record already.
    func charge(_ usage: Usage, in context: Context) async throws -> Bool
    func openCall(_ request: CallRequest, in context: Context) async throws -> CallDecision
    func closeCall(_ call: Call, _ end: CallEnd, in context: Context) async throws
    func emit(_ chunk: Payload, in context: Context) async throws
    func heartbeat(in context: Context) throws
    /// Takes note that what works on the item has answered: it does not die of whatever it is given.
    func answered(in context: Context)
    /// Says once in a run what is odd about what works on its items; where that may be why an attempt ran out of time, its
    /// failure says it as well.
    func hint(_ kind: String, _ message: String, explainsTimeout: Bool, in context: Context)
    /// Has the item wait for something while `body` runs: its time limit and heartbeat limit stand still, those who
    /// watch the run are shown why, and a stop ends it.
    ///
    /// `body` does nothing but wait; it ends when its task is cancelled. Several waits of one item may overlap.
    ///
    /// - Throws: what `body` throws; `CancellationError` when the attempt has been given up; ``ProcessingError`` with
    ///   code `cancelled` when a stop has ended the wait.
    func waiting<Value: Sendable>(
        for wait: EngineWait, in context: Context, _ body: @escaping @Sendable (WaitSign) async throws -> Value
    ) async throws -> Value
}
