public import Assay
import AssayTesting
import Synchronization
import Testing

/// The runners of this program.
enum Runners {
    static let all: [any Runner] = [.sequential] + threads
    static let threads: [any Runner] = [1, 4, 64].map { count in
        do { return try ThreadRunner(maxWorkers: count) } catch { preconditionFailure("\(error)") }
    }
}

extension RunOptions {
    /// All defaults, with what `change` changes.
    static func with(_ change: (inout RunOptions) throws -> Void) rethrows -> RunOptions {
        var options = RunOptions()
        try change(&options)
        return options
    }

    /// All defaults on `runner`.
    static func on(_ runner: any Runner) -> RunOptions { with { $0.runner = runner } }
}

extension Engine {
    /// An engine without chance whose clock jumps to the end of each short wait.
    static func testing(
        _ store: any Store = MemoryStore(), prices: PriceList = PriceList(), policies: [any ChargePolicy] = [],
        events: EventStream = EventStream(), time: ManualTime = ManualTime(runsFree: true)
    ) -> Engine {
        Engine(
            store: store, prices: prices, chargePolicies: policies, events: events, world: .testing(time: time))
    }

    /// Runs a function over inputs.
    func run<Input: Codable & Sendable, Output: Codable & Sendable>(
        _ inputs: [Input], options: RunOptions = RunOptions(), name: String = "test",
        _ body: @escaping @Sendable (Input, Context) async throws -> Output
    ) async throws -> Report {
        try await run(ClosureProcessor(name, body), over: inputs, options: options)
    }

    /// Runs a processor over items.
    func run(_ processor: some Processor, items: [Item], options: RunOptions = RunOptions()) async throws -> Report {
        try await run(RegisteredProcessor(processor), over: items, options: options)
    }

    /// Runs a processor again over items in the execution of `report`.
    func again(
        _ processor: some Processor, after report: Report, items: [Item], options: RunOptions = RunOptions()
    ) async throws -> Report {
        var options = options
        options.executionID = report.executionID
        options.previousRunID = report.runID
        return try await run(processor, items: items, options: options)
    }

    /// Resumes the run of `report`.
    func resume(
        _ processor: some Processor, after report: Report, options: RunOptions = RunOptions(), failedOnly: Bool = false
    ) async throws -> Report {
        try await resume(
            report.runID, with: RegisteredProcessor(processor), options: options, failedOnly: failedOnly)
    }
}

extension Money: ExpressibleByStringLiteral {
    /// The amount that a literal writes.
    public init(stringLiteral text: String) {
        guard let number = Number(text), let money = try? Money(sum: number) else { preconditionFailure("'\(text)'") }
        self = money
    }
}

extension MoneySum: ExpressibleByStringLiteral {
    /// The sum that a literal writes.
    public init(stringLiteral text: String) { self.init(Money(stringLiteral: text)) }
}

extension PriceList {
    /// A list of base prices by processor and unit prices by service and operation.
    static func of(base: [String: Price] = [:], units: [String: Money] = [:]) -> PriceList {
        var list = PriceList()
        for (name, price) in base { list.add(price, for: .processor(name)) }
        for (name, amount) in units {
            let parts = name.split(separator: "/").map(String.init)
            list.add(Price(amount), for: .service(parts[0], operation: parts[1]))
        }
        return list
    }
}

/// A failure of user code.
struct Refusal: Error, CustomStringConvertible {
    var description = "refused"
}

/// Values as they come in from wherever.
final class Notes<Value: Sendable>: Sendable {
    private let values = Mutex<[Value]>([])
    func add(_ value: Value) { values.withLock { $0.append(value) } }
    var all: [Value] { values.withLock { $0 } }
}

/// The code of what `body` throws.
func code(of body: () async throws -> some Any) async -> ProcessingError.Code? {
    do {
        _ = try await body()
        return nil
    } catch let error as ProcessingError {
        return error.code
    } catch {
        Issue.record("another kind of error: \(error)")
        return nil
    }
}

/// A plan, and what it told of each input once all of them were known.
struct FullPlan {
    let plan: Plan
    let entries: [Plan.Entry]

    init(_ make: ((Plan.Entry) async throws -> Void) async throws -> Plan) async throws {
        var told: [Plan.Entry] = []
        let plan = try await make { told.append($0) }
        (self.plan, entries) = (plan, told.map(plan.settled))
    }
}

extension Engine {
    /// A plan with its inputs.
    func fullPlan(
        _ processor: RegisteredProcessor, over items: [Item], options: RunOptions = RunOptions(),
        by sample: Run.ID? = nil
    ) async throws -> FullPlan {
        try await FullPlan { try await plan(processor, over: items, options: options, by: sample, each: $0) }
    }

    /// A plan of a graph with its inputs.
    func fullPlan(
        _ graph: Graph, over items: [Item], options: GraphOptions = GraphOptions(), by sample: Run.ID? = nil
    ) async throws -> FullPlan {
        try await FullPlan { try await plan(graph, over: items, options: options, by: sample, each: $0) }
    }
}
