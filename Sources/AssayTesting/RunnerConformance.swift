public import Assay
import Synchronization

/// A rule that every runner keeps, as a check that throws a ``Finding`` when a runner breaks it.
public struct RunnerRule: Sendable, CustomStringConvertible {
    /// The rule, in words.
    public let description: String
    private let body: @Sendable (any Runner) async throws -> Void

    init(_ description: String, _ body: @escaping @Sendable (any Runner) async throws -> Void) {
        self.description = description
        self.body = body
    }

    /// Checks the rule on `runner`.
    public func check(_ runner: any Runner) async throws { try await body(runner) }

    /// Returns the processors that the rules run, for runners whose workers look them up by name.
    public static func processors() throws -> [RegisteredProcessor] { [try echo, try odd, try paid, try obedient] }

    /// Every rule but those of ``ofPrograms``.
    public static let all: [RunnerRule] =
        [
            outcomesKeepOrder, itemsStartInOrder, workersAreFewEnough, noItems, oneItem, nulls, singlePass,
            failuresStay, retriesFindSteps, billsAgree, workersRetire,
        ] + ends

    // MARK: Processors

    private static var echo: RegisteredProcessor {
        get throws { try RegisteredProcessor(ClosureProcessor<JSONValue, JSONValue>("echo") { input, _ in input }) }
    }

    /// A processor that refuses odd numbers.
    private static var odd: RegisteredProcessor {
        get throws {
            try RegisteredProcessor(
                ClosureProcessor<Int, Int>("odd") { number, _ in
                    guard number.isMultiple(of: 2) else { throw ProcessingError(.processing, "\(number) is odd") }
                    return number
                })
        }
    }

    /// A processor with three steps: the first charges, the second calls, and the third fails at the first attempt.
    private static var paid: RegisteredProcessor {
        get throws {
            try RegisteredProcessor(
                ClosureProcessor<Int, [Int]>("paid") { number, context in
                    let pages = try await context.step("read") {
                        try await context.charge("ocr", "page", quantity: Number(number))
                        return number
                    }
                    let found = try await context.step("search") {
                        try await context.call("clear", "search", key: .number(Number(number))) { _ in pages * 10 }
                    }
                    return try await context.step("sum") {
                        guard context.attempt > 1 else { throw ProcessingError(.processing, "not yet") }
                        return [pages, found]
                    }
                })
        }
    }

    private static var prices: PriceList {
        get throws {
            var list = PriceList()
            list.add(Price(try Money(10)), for: .processor("paid"))
            list.add(Price(Money(billionths: 500_000_000)), for: .service("ocr", operation: "page"))
            list.add(Price(try Money(5)), for: .service("clear", operation: "search"))
            return list
        }
    }

    // MARK: Rules

    private static let outcomesKeepOrder = RunnerRule("outcomes are in input order, whichever item ends first") {
        let runner = ObservedRunner($0, gate: 12)
        let report = try await run(echo, over: (1...12).map { .number(Number($0 as Int)) }, runner)
        try Finding.unless(report.outcomes.map(\.index) == Array(0..<12), "indices are \(report.outcomes.map(\.index))")
        let outputs = try report.outputs(as: Int.self)
        try Finding.unless(outputs == Array(1...12), "outputs are \(outputs)")
    }

    private static let itemsStartInOrder = RunnerRule("items start in input order") {
        let runner = ObservedRunner($0)
        _ = try await run(echo, over: (1...40).map { .number(Number($0 as Int)) }, runner)
        let begun = runner.begun.compactMap { Int($0.dropFirst("item_".count)) }
        try Finding.unless(begun.count == 40, "\(begun.count) of 40 items were started")
        for (place, item) in begun.enumerated() {
            // Items are handed to workers in order; how long a worker takes to begin is up to the machine.
            let overtaken = item - 1 - begun[..<place].count { $0 < item }
            try Finding.unless(
                overtaken < runner.maxWorkers, "item \(item) began before \(overtaken) items that come before it")
        }
    }

    private static let workersAreFewEnough = RunnerRule(
        "at most max_workers items are in flight, and as many if there are"
    ) {
        for count in [1, 3, 80] {
            let runner = ObservedRunner($0, gate: count)
            _ = try await run(echo, over: (1...count).map { .number(Number($0 as Int)) }, runner)
            let expected = min(runner.maxWorkers, count)
            try Finding.unless(
                runner.mostInFlight == expected,
                "\(runner.mostInFlight) of \(count) items were in flight, expected \(expected)")
            try Finding.unless(
                runner.workers == expected, "\(runner.workers) workers for \(count) items, expected \(expected)")
        }
    }

    private static let noItems = RunnerRule("no items: no outcomes, and no worker is started") {
        let runner = ObservedRunner($0)
        let report = try await run(echo, over: [], runner)
        try Finding.unless(
            report.status == .succeeded && report.outcomes.isEmpty, "the run is \(report.status.rawValue)")
        try Finding.unless(try report.summary(as: [JSONValue].self) == [], "the summary is not the empty list")
        try Finding.unless(runner.workers == 0, "\(runner.workers) workers were started")
    }

    private static let oneItem = RunnerRule("one item: one outcome from one worker") {
        let runner = ObservedRunner($0)
        let report = try await run(echo, over: ["only"], runner)
        try Finding.unless(try report.outputs(as: String.self) == ["only"], "the output is not the input")
        try Finding.unless(runner.workers == 1, "\(runner.workers) workers were started")
    }

    private static let nulls = RunnerRule("null inputs and outputs are values like any other") {
        let report = try await run(echo, over: [.null, 1, .null], ObservedRunner($0))
        try Finding.unless(report.success, "the run is \(report.status.rawValue)")
        try Finding.unless(try report.outputs(as: Int?.self) == [nil, 1, nil], "outputs are not the inputs")
    }

    private static let singlePass = RunnerRule("a sequence that can be read only once is read once and loses nothing") {
        let count = 2_500
        var next = 0
        let once = AnyIterator<Item> {
            next += 1
            return next <= count ? Item("n\(next)", next) : nil
        }
        var options = RunOptions()
        options.runner = $0
        let report = try await Engine(world: .testing()).run(echo, over: IteratorSequence(once), options: options)
        try Finding.unless(try report.outputs(as: Int.self) == Array(1...count), "outputs are not the inputs")
    }

    private static let failuresStay = RunnerRule("an item that fails does not disturb another") {
        let report = try await run(odd, over: (1...9).map { .number(Number($0 as Int)) }, ObservedRunner($0))
        try Finding.unless(report.status == .partial, "the run is \(report.status.rawValue)")
        for outcome in report.outcomes {
            let expected: Status = outcome.index.isMultiple(of: 2) ? .failed : .succeeded
            try Finding.unless(outcome.status == expected, "'\(outcome.inputID)' is \(outcome.status.rawValue)")
        }
        let message = report.outcomes[2].error?.message
        try Finding.unless(message == "3 is odd", "the failure of item 3 says \(message ?? "nothing")")
    }

    private static let retriesFindSteps = RunnerRule("a further attempt finds the steps that the one before saved") {
        let report = try await runPaid($0)
        let uses = report.run.metrics?.steps ?? []
        for step in ["read", "search"] {
            let restored = uses.first { $0.name == step }?.restored
            try Finding.unless(
                restored == report.counts.total,
                "'\(step)' was restored \(restored ?? 0) of \(report.counts.total) times")
        }
        for outcome in report.outcomes {
            try Finding.unless(outcome.attempts == 2, "'\(outcome.inputID)' had \(outcome.attempts) attempts")
        }
    }

    private static let billsAgree = RunnerRule(
        "outcomes, summary, failures and bill are those of the sequential runner"
    ) {
        for processor in [try odd, try paid] {
            let items = (1...6).map { Item("n\($0)", $0) }
            let comparison = RunnerComparison(
                processor, over: items, changing: Item("n2", 7), prices: try prices, options: try retrying)
            try await comparison.check(under: [.sequential, $0])
        }
    }

    private static let workersRetire = RunnerRule("every worker is let go when the run is over") {
        let runner = ObservedRunner($0)
        _ = try await run(echo, over: (1...20).map { .number(Number($0 as Int)) }, runner)
        // The end of a worker's loop may come a moment after the report.
        await runner.waitForRetired(runner.workers)
    }

    // MARK: Runs

    private static func run(
        _ processor: RegisteredProcessor, over inputs: [JSONValue], _ runner: ObservedRunner
    ) async throws -> Report {
        let time = ManualTime(runsFree: true)
        runner.observe(time)
        var options = RunOptions()
        options.runner = runner
        let items = inputs.enumerated().map { Item("item_\($0 + 1)", payload: Payload(json: $1)) }
        return try await Engine(world: .testing(time: time)).run(processor, over: items, options: options)
    }

    private static var retrying: RunOptions {
        get throws {
            var options = RunOptions()
            options.retryPolicy = try RetryPolicy(maxRetries: 1)
            return options
        }
    }

    private static func runPaid(_ runner: any Runner) async throws -> Report {
        var options = try retrying
        options.runner = runner
        let engine = Engine(prices: try prices, world: .testing())
        return try await engine.run(try paid, over: (1...5).map { Item("n\($0)", $0) }, options: options)
    }
}

/// A runner that works like its base and records how it is used.
public final class ObservedRunner: Runner {
    private struct State {
        var workers = 0
        var retired = 0
        var begun: [String] = []
        var inFlight = 0
        var mostInFlight = 0
        var held: [CheckedContinuation<Void, Never>] = []
        var gateOpen: Bool
        var time: ManualTime?
    }

    private let base: any Runner
    private let gateSize: Int
    private let state: Mutex<State>
    private let retirements = Signal()

    /// Creates a runner over `base`.
    ///
    /// - Parameter items: the number of items in the run. The first ones are held until as many are in flight as the
    ///   runner allows, and are then released in reverse order. `nil` means that none are held.
    public init(_ base: any Runner, gate items: Int? = nil) {
        self.base = base
        gateSize = min(items ?? 0, base.maxWorkers)
        state = Mutex(State(gateOpen: items == nil))
    }

    public var name: String { base.name }
    public var maxWorkers: Int { base.maxWorkers }

    /// The number of workers that were started.
    public var workers: Int { state.withLock { $0.workers } }
    /// The items in the order in which their work began.
    public var begun: [String] { state.withLock { $0.begun } }
    /// The highest number of items in flight at once.
    public var mostInFlight: Int { state.withLock { $0.mostInFlight } }

    /// Makes each item take 2 ms on `time`.
    public func observe(_ time: ManualTime) { state.withLock { $0.time = time } }

    /// Waits until `count` workers have been released.
    public func waitForRetired(_ count: Int) async {
        await retirements.wait { state.withLock { $0.retired >= count } }
    }

    public func check(_ processor: RegisteredProcessor) throws { try base.check(processor) }

    public func startWorker(for processor: RegisteredProcessor) async throws -> any Worker {
        state.withLock { $0.workers += 1 }
        return ObservedWorker(base: try await base.startWorker(for: processor), runner: self)
    }

    fileprivate func enter(_ inputID: String) async {
        let time = state.withLock { state in
            state.begun.append(inputID)
            state.inFlight += 1
            state.mostInFlight = max(state.mostInFlight, state.inFlight)
            return state.time
        }
        time?.advance(by: .milliseconds(2))
        await withCheckedContinuation { continuation in
            let go: [CheckedContinuation<Void, Never>] = state.withLock { state in
                guard !state.gateOpen else { return [continuation] }
                state.held.append(continuation)
                guard state.held.count == gateSize else { return [] }
                state.gateOpen = true
                defer { state.held = [] }
                return state.held.reversed()
            }
            for continuation in go { continuation.resume() }
        }
    }

    fileprivate func leave() { state.withLock { $0.inFlight -= 1 } }

    fileprivate func retire() {
        state.withLock { $0.retired += 1 }
        retirements.raise()
    }
}

/// A worker that reports the beginning and end of its work.
private struct ObservedWorker: Worker {
    let base: any Worker
    let runner: ObservedRunner

    var executor: (any TaskExecutor)? { base.executor }

    func extract(_ input: Payload, in context: Context) async throws -> Payload {
        await runner.enter(context.inputID ?? "")
        defer { runner.leave() }
        return try await base.extract(input, in: context)
    }

    func stop() async { await base.stop() }

    func retire() {
        base.retire()
        runner.retire()
    }
}
