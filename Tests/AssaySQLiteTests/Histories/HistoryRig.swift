import Assay
import AssaySQLite
import AssayTesting
import Testing

/// A history of one store that chance writes: runs, edits, crashes, resumes, retries.
///
/// After every run it checks what must hold at any moment, whatever happened before.
final class HistoryRig {
    /// What the law is shown for.
    enum Shelf: String, CaseIterable, Sendable { case memory, sqlite }

    private let seed: Int
    private var chance: SeededNumbers
    private let folder = TemporaryFolder()
    private let store: any Store
    private let world = World.testing()
    private let service = HistoryService()
    private let asGraph: Bool
    private var content: HistoryContent
    private var story: [String] = []
    private var runs: [Known] = []
    /// Whether a run was told to do paid calls again although their values were kept.
    private var paidAgain = false

    /// A run that was made, and what it was made of.
    private struct Known {
        let id: Run.ID
        let execution: Execution.ID
        let definition: HistoryContent.Definition
        let keeps: Bool
    }

    static let execution = Identifier("exec")!

    init(seed: Int, shelf: Shelf) throws {
        self.seed = seed
        chance = SeededNumbers(seed: UInt64(seed))
        content = HistoryContent(using: &chance)
        asGraph = Int.random(in: 0..<3, using: &chance) == 0
        store = shelf == .memory ? MemoryStore() : try SQLiteStore.open(folder.database, world: world)
        let shape = "\(shelf), \(asGraph ? "graph" : "processor") of \(content.steps)"
        story.append("\(shape) over \(content.entries.map { "\($0.id)=\($0.value)" }.joined(separator: " "))")
    }

    deinit { (store as? SQLiteStore)?.close() }

    /// What a failure has to tell so that it can be seen again.
    private var comment: Comment { Comment(rawValue: "ASSAY_SEED=\(seed): " + story.joined(separator: "; ")) }

    /// Lives the history to its end.
    func live() async throws {
        for _ in 0..<Int.random(in: 3...8, using: &chance) {
            if Int.random(in: 0..<3, using: &chance) > 0 { story.append(content.edit(using: &chance)) }
            try await step()
        }
        try await finish()
    }

    // MARK: Runs

    private enum Move {
        case run(execution: Execution.ID?)
        case resume(Known, failedOnly: Bool)
    }

    private func step() async throws {
        let move: Move =
            switch (Int.random(in: 0..<5, using: &chance), runs.last) {
            case (0, _): .run(execution: nil)
            case (1, let last?): .resume(last, failedOnly: false)
            case (2, let last?): .resume(last, failedOnly: true)
            default: .run(execution: Self.execution)
            }
        var faults: [String: Int] = [:]
        for entry in content.entries {
            for step in content.steps.indices where Int.random(in: 0..<5, using: &chance) == 0 {
                faults["\(entry.id)/s\(step)"] = Int.random(in: 1...2, using: &chance)
            }
        }
        service.plan(faults: faults)
        var options = try randomOptions()
        if case .run(let execution) = move { options.executionID = execution }
        let crash = Int.random(in: 0..<3, using: &chance) == 0
        let dying =
            crash
            ? DyingStore(store, after: Int.random(in: 0...25, using: &chance), hears: Bool.random(using: &chance))
            : nil
        try await make(move, options, dying: dying)
    }

    private func randomOptions() throws -> RunOptions {
        var options = RunOptions()
        options.runner = try [.sequential, ThreadRunner(maxWorkers: 3)].randomElement(using: &chance)!
        options.retryPolicy = try RetryPolicy(maxRetries: Int.random(in: 0...1, using: &chance), initialDelay: 0)
        options.failurePolicy = [.collect, .stop, .tolerate(share: Number("0.5")!)].randomElement(using: &chance)!
        options.onChange = [.refuse, .restart, .restart, .keep].randomElement(using: &chance)!
        options.itemCache = Bool.random(using: &chance) ? CachePolicy(scope: .global) : nil
        options.caching =
            Int.random(in: 0..<6, using: &chance) == 0
            ? [.off, .refresh].randomElement(using: &chance)! : .asConfigured
        options.recovery = Int.random(in: 0..<8, using: &chance) == 0 ? .reprocess : .resume
        if !asGraph, Int.random(in: 0..<4, using: &chance) == 0 {
            options.batching = Batching(size: Int.random(in: 1...3, using: &chance))
        }
        return options
    }

    /// Makes one run and checks what came of it.
    @discardableResult private func make(
        _ move: Move, _ options: RunOptions, dying: DyingStore? = nil
    ) async throws -> Report? {
        let engine = Engine(store: dying?.store ?? store, prices: Self.prices, world: world)
        let told = Told(definition: content.definition, options: options)
        var said = "\(options.runner.name) \(options.onChange) \(options.caching) \(options.recovery)"
        if options.itemCache != nil { said += " cached" }
        if options.batching != nil { said += " batched" }
        if dying != nil { said += " dying" }
        switch move {
        case .run(let execution): story.append("run \(execution?.text ?? "anew") \(said)")
        case .resume(let run, let failedOnly): story.append("\(failedOnly ? "retry" : "resume") \(run.id) \(said)")
        }
        do {
            let report = try await perform(move, options, engine)
            if let dying, dying.isDead { try await dying.recover() }
            story.append("\(report.runID) \(report.status.rawValue)")
            note(report.run, told)
            try await check(report, told)
            try await checkMoney()
            return report
        } catch let error as ProcessingError where error.code == .definitionChanged {
            story.append("refused")
            // A refusal is right only where a run of the execution was of another definition.
            #expect(runs.contains { $0.definition != content.definition }, comment)
            #expect(options.onChange == .refuse, comment)
            return nil
        } catch {
            guard let dying, dying.isDead else { throw error }
            try await dying.recover()
            story.append("died")
            if let run = try await store.runs(matching: RunFilter(limit: 1)).first,
                !runs.contains(where: { $0.id == run.id }), run.isListed
            {
                note(run, told)
            }
            try await checkMoney()
            return nil
        }
    }

    /// What a run was told, with the definition it was given.
    private struct Told {
        let definition: HistoryContent.Definition
        let options: RunOptions
    }

    private func note(_ run: Run, _ told: Told) {
        let keeps = told.options.onChange == .keep || runs.contains { $0.execution == run.executionID && $0.keeps }
        runs.append(Known(id: run.id, execution: run.executionID, definition: told.definition, keeps: keeps))
        if told.options.caching != .asConfigured { paidAgain = true }
    }

    private func perform(_ move: Move, _ options: RunOptions, _ engine: Engine) async throws -> Report {
        switch (try content.runnable(service, asGraph: asGraph), move) {
        case (.processor(let processor), .run): try await engine.run(processor, over: content.items, options: options)
        case (.processor(let processor), .resume(let run, let failedOnly)):
            try await engine.resume(run.id, with: processor, options: options, failedOnly: failedOnly)
        case (.graph(let graph, _), .run):
            try await engine.run(graph, over: content.items, options: graphOptions(options))
        case (.graph(let graph, _), .resume(let run, let failedOnly)):
            try await engine.resume(run.id, with: graph, options: graphOptions(options), failedOnly: failedOnly)
        }
    }

    private func graphOptions(_ run: RunOptions) -> GraphOptions {
        var options = GraphOptions(run)
        options.errorStrategy = .skip
        options.runner = run.runner
        return options
    }

    static let prices: PriceList = {
        var list = PriceList()
        list.add(Price(amount("0.10"), policy: "per_execution"), for: .processor("history"))
        list.add(Price(amount("0.50")), for: .service("ocr", operation: "page"))
        list.add(Price(amount("5.00")), for: .service("clear", operation: "search"))
        return list
    }()

    private static func amount(_ text: String) -> Money { try! Money(Number(text)!) }

    // MARK: What must hold

    /// No output differs from that of a fresh run on the same content, unless the run kept what was saved.
    private func check(_ report: Report, _ told: Told) async throws {
        let items = try await store.items(of: report.runID, from: 0, limit: .max)
        #expect(report.outcomes.map(\.inputID) == items.map(\.item.id), comment)
        #expect(report.outcomes.map(\.index) == Array(items.indices), comment)
        let keeps = runs.last?.keeps == true
        for (outcome, item) in zip(report.outcomes, items) where outcome.status == .succeeded {
            let value = try #require(
                item.item.data.json().array?.first?.number.flatMap { Int($0.description) }, comment)
            let output = try outcome.output?.json()
            let found = asGraph ? output?["s\(content.steps.count - 1):output"] : output
            let right = content.output(of: value, by: told.definition)
            guard found != .array(right.map { .number(Number($0)) }) else { continue }
            #expect(keeps, "'\(outcome.inputID)' is \(found?.json ?? "nothing"), not \(right): \(comment)")
        }
        let sum = try report.outcomes.reduce(Money.zero) { try $0.adding($1.cost) }
        #expect(sum == report.bill.usageCost, comment)
    }

    /// The service was paid for nothing that the ledger does not know of, and nothing was paid twice beyond what is
    /// listed in doubt.
    private func checkMoney() async throws {
        let charges = try await store.charges(matching: ChargeFilter())
        let keys = charges.compactMap(\.key)
        #expect(Set(keys).count == keys.count, comment)
        let calls = try await store.calls(matching: CallFilter())
        #expect(!calls.contains { $0.state == .open }, comment)
        let settled = Set(calls.filter { $0.state == .settled }.map(\.idempotencyKey))
        let doubtful = Set(calls.filter { $0.state == .inDoubt }.map(\.idempotencyKey))
        let paid = service.keys.values.reduce(into: Set<String>()) { $0.formUnion($1) }
        #expect(settled.subtracting(paid) == [], comment)
        #expect(paid.subtracting(settled).subtracting(doubtful) == [], comment)
        #expect(settled.count == charges.count { $0.kind == .call && !$0.isCacheHit }, comment)
        guard !paidAgain else { return }
        for (identity, keys) in service.keys {
            #expect(keys.subtracting(doubtful).count <= 1, "\(identity) was paid under \(keys.count) keys: \(comment)")
        }
    }

    /// Whatever happened, a run without faults ends right, and what it charged and avoided is what it costs uncached.
    private func finish() async throws {
        service.plan(faults: [:])
        var options = RunOptions()
        options.onChange = .restart
        options.executionID = Self.execution
        let own = try #require(try await make(.run(execution: Self.execution), options), comment)
        #expect(own.status == .succeeded, comment)

        options.executionID = nil
        options.itemCache = CachePolicy(scope: .global)
        let last = try #require(try await make(.run(execution: nil), options), comment)
        #expect(last.status == .succeeded, comment)
        let uncached = try uncached()
        #expect(MoneySum(last.bill.totalCost) + last.bill.avoidedCost == MoneySum(uncached), comment)
    }

    /// What all of the content costs when every input pays for itself.
    private func uncached() throws -> Money {
        var sum = asGraph ? .zero : Self.amount("0.10")
        for _ in content.entries {
            for cost in content.steps {
                switch cost {
                case .nothing: break
                case .charge: sum = try sum.adding(Self.amount("0.50"))
                case .call: sum = try sum.adding(Self.amount("5.00"))
                }
            }
        }
        return sum
    }
}
