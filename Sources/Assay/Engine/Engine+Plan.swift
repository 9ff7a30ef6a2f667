// What a run would do, found out without doing it.

extension Engine {
    /// Plans what ``run(_:over:options:watching:)`` would do with `items`, at the prices of now.
    ///
    /// Nothing is recorded, charged or extracted. `transform` and `validate` are called, as a run would, and must not
    /// charge or call; an input for which they do is planned as one whose cost nobody knows.
    ///
    /// - Parameters:
    ///   - sample: a run over some of the items, from which the costs are estimated that the processor does not tell;
    ///     `nil`: the last run of the processor that says something about them.
    ///   - each: takes what would be done with each input, in order, before all of them are known: a gate that is found
    ///     later stops them too, which ``Plan/settled(_:)`` says.
    /// - Throws: ``ProcessingError`` with code `configuration` and `definition_changed` as the run would.
    public func plan(
        _ processor: RegisteredProcessor, over items: some Sequence<Item>, options: RunOptions = RunOptions(),
        by sample: Run.ID? = nil, each: (Plan.Entry) async throws -> Void = { _ in }
    ) async throws -> Plan {
        var iterator = items.makeIterator()
        return try await plan(processor, options, failedOnly: false, sample, each) { limit in
            var page: [Item] = []
            while page.count < limit, let item = iterator.next() { page.append(item) }
            return page
        }
    }

    /// As ``plan(_:over:options:by:each:)`` for items that arrive over time.
    public func plan<Items: AsyncSequence>(
        _ processor: RegisteredProcessor, streaming items: Items, options: RunOptions = RunOptions(),
        by sample: Run.ID? = nil, each: (Plan.Entry) async throws -> Void = { _ in }
    ) async throws -> Plan where Items.Element == Item {
        var iterator = items.makeAsyncIterator()
        return try await plan(processor, options, failedOnly: false, sample, each) { limit in
            var page: [Item] = []
            while page.count < limit, let item = try await iterator.next() { page.append(item) }
            return page
        }
    }

    /// Plans what ``resume(_:with:options:failedOnly:watching:)`` would do.
    ///
    /// - Throws: as the resume would before its run exists.
    public func plan(
        resuming id: Run.ID, with processor: RegisteredProcessor, options: RunOptions = RunOptions(),
        failedOnly: Bool = false, each: (Plan.Entry) async throws -> Void = { _ in }
    ) async throws -> Plan {
        let (options, items) = try await continuation(of: id, options, by: processor.name)
        return try await plan(processor, options, failedOnly: failedOnly, nil, each, items: items)
    }

    private func plan(
        _ processor: RegisteredProcessor, _ options: RunOptions, failedOnly: Bool, _ sample: Run.ID?,
        _ each: (Plan.Entry) async throws -> Void, items rest: @escaping ItemSource
    ) async throws -> Plan {
        let rest = reading(rest, for: processor, options, records: false)
        let (options, page) = try await settleRunner(options, for: processor, rest)
        let (run, history) = try await prepare(processor, options, failedOnly: failedOnly, isPlan: true)
        return try await plan(processor, options, run, each, items: page) {
            Planner(
                engine: self, processor: processor, options: options, run: run, history: history,
                price: try await ledger.basePrice(of: run, pipeline: options.price), sample: sample)
        }
    }

    /// Plans a list page by page with the planner that `make` makes.
    func plan<Planner: RunPlanner>(
        _ processor: RegisteredProcessor, _ options: RunOptions, _ run: Run,
        _ each: (Plan.Entry) async throws -> Void, items page: ItemSource, with make: () async throws -> Planner
    ) async throws -> Plan {
        do {
            var planner = try await make()
            var gate = ListGate(options, runID: run.id)
            var index = 0
            while case let items = try await page(1_024), !items.isEmpty {
                for item in items {
                    gate.check(item, at: index)
                    try await each(planner.add(item, at: index))
                    index += 1
                }
            }
            let plan = try await planner.finish(violation: gate.violation)
            await processor.finish?(run.id)
            return plan
        } catch {
            await processor.finish?(run.id)
            throw error
        }
    }
}

/// Adds up what a run would do, item by item.
protocol RunPlanner {
    /// Plans an item.
    mutating func add(_ item: Item, at index: Int) async throws -> Plan.Entry
    /// Returns the plan with what is known once all items are there.
    mutating func finish(violation: GateFailure?) async throws -> Plan
}

extension Plan {
    /// Creates the plan of `run` with nothing planned yet.
    init(of run: Run, _ options: RunOptions, _ history: History, currency: String) {
        self.init(
            processorID: run.processorID, definition: run.definition,
            executionID: options.executionID ?? options.scope.executionID
                ?? (options.previousRunID == nil ? nil : run.executionID),
            runner: run.runner, currency: currency, base: .zero, prices: [:], gate: nil, warnings: [])
        definitionParts = run.definitionParts
        gate = history.refusal?.message
    }
}

/// Adds up what a run of one processor would do.
private struct Planner: RunPlanner {
    let engine: Engine
    let processor: RegisteredProcessor
    let options: RunOptions
    let run: Run
    var history: History
    var plan: Plan
    private let price: Ledger.BasePrice
    private let sample: Run.ID?
    private var bases = BaseForecast()
    private var forecast: CostForecast
    /// What an earlier run says of the costs that the processor does not tell, once it was looked for.
    private var earlier: CostHistory??
    /// How many inputs it stands for.
    private var estimated = 0

    init(
        engine: Engine, processor: RegisteredProcessor, options: RunOptions, run: Run, history: History,
        price: Ledger.BasePrice, sample: Run.ID?
    ) {
        self.price = price
        self.sample = sample
        self.engine = engine
        self.processor = processor
        self.options = options
        self.run = run
        self.history = history
        forecast = CostForecast(engine)
        plan = Plan(of: run, options, history, currency: engine.store.currency)
    }

    mutating func add(_ item: Item, at index: Int) async throws -> Plan.Entry {
        let verdict = try await history.verdict(on: item, at: index, by: processor)
        var entry = Plan.Entry(
            inputID: item.id, action: .run, group: verdict.group, reason: verdict.basis.words,
            digest: try processor.digest(of: item))
        switch verdict {
        case .settled(let outcome, _):
            entry.action = outcome.status == .succeeded ? .carried : .kept
            (entry.calls, entry.high) = (0, .zero)
        case .refused(let error): plan.refuse(error, &entry)
        case .new, .again, .afresh:
            if let error = item.file?.refusal {
                (entry.calls, entry.high, entry.reason) = (0, .zero, "it fails: \(error.message)")
                entry.group = .refused
            } else {
                try await addWork(on: item, at: index, verdict, to: &entry)
            }
        }
        plan.count(entry)
        return entry
    }

    /// Plans an input that has to go through the gates.
    private mutating func addWork(
        on item: Item, at index: Int, _ verdict: History.Verdict, to entry: inout Plan.Entry
    ) async throws {
        let context = Context(
            runID: run.id, executionID: run.executionID, processorID: run.processorID, scope: run.scope,
            lineage: run.lineage, inputID: item.id, attempt: 1, phase: .preprocessing,
            itemIndex: index, file: item.file, desk: PlanDesk(terms: options.terms))
        var input = item.data
        let preparation = await processor.prepare(item.data, context)
        switch preparation {
        case .unchanged: break
        case .changed(let value): input = value
        case .refused(is PlanDesk.NotPlanned, _, _):
            entry.reason += "; what it costs is known only when its \(Stage.validation.rawValue) has run"
            return
        case .refused(let error, let stage, _):
            let error = ProcessingError(wrapping: error, as: stage.code, hiding: processor.secrets)
            plan.gate = plan.gate ?? "\(stage.rawValue) refuses '\(item.id)': \(error.message)"
            return
        }
        // What is charged per input is charged when its extraction starts, whatever the cache has.
        if price.isByInput {
            let charges = try engine.ledger.baseCharges(for: run, at: price, digests: [entry.digest])
            try await bases.add(charges, isCertain: true, in: engine.store)
        }
        var prepared = StoredItem(item, index: index)
        if case .changed(let value) = preparation { prepared.transformed = value }
        let key = itemKey(of: prepared, for: run.scope.filled(by: item))
        if let key, let found = try await forecast.cached(key) {
            (entry.action, entry.group, entry.reason) = (.cached, .cached, "its result is in the cache")
            (entry.calls, entry.high, entry.avoided) = (0, .zero, found.cost)
            return
        }
        if case .again = verdict { entry.savedSteps = try await savedSteps(of: item, entry.digest) }
        entry.savedSteps += ResumePoint(of: item)?.saved?.map(\.step) ?? []
        if !entry.savedSteps.isEmpty { entry.action = .resumed }
        try await addCosts(of: input, context, for: run.scope.filled(by: item), to: &entry)
        if let key, !forecast.fills(key) {
            // Whether the other is done by then depends on the runner.
            entry.low = .zero
            entry.reason += "; an equal input before may answer it from the cache"
        }
    }

    /// Where the output is looked up; `nil` when it is not.
    private func itemKey(of entry: StoredItem, for owner: Scope) -> String? {
        guard let policy = options.itemCacheInForce, !policy.refresh, let input = try? processor.cacheDigest(of: entry)
        else { return nil }
        return CacheKey.item(input: input, scope: policy.scope, of: run, for: owner)
    }

    private func savedSteps(of item: Item, _ digest: Digest) async throws -> [String] {
        let subject = CheckpointSubject(
            executionID: run.executionID, processorID: run.processorID, inputID: item.id)
        return try await engine.store.checkpoints(of: subject).saved.filter {
            $0.inputDigest == digest && options.accepts($0.definition, for: run)
        }.map(\.step)
    }

    // MARK: Money

    private mutating func addCosts(
        of input: Payload, _ context: Context, for owner: Scope, to entry: inout Plan.Entry
    ) async throws {
        let expected: Result<[ExpectedCost]?, ProcessingError>
        expected = try await processor.costsForPlan(of: input, context)
        switch expected {
        case .failure(let error): entry.reason += "; what it costs cannot be told: \(error.message)"
        case .success(let costs?):
            (entry.calls, entry.high) = (0, .zero)
            let work = CostForecast.Work(
                run: run, options: options, owner: owner, attempts: options.retryPolicy.maxRetries + 1)
            try await forecast.add(costs, of: work, to: &entry)
        case .success(nil):
            if earlier == nil { earlier = .some(try await CostHistory(of: processor.name, sample: sample, &forecast)) }
            guard let known = earlier ?? nil else { return }
            entry.reason += "; its cost \(known.words(isSample: sample != nil))"
            // What of it the cache would answer is not known.
            entry.high = known.most(at: processor.name)
            estimated += 1
        }
    }

    private func base() async throws -> Money {
        guard !price.isByInput else { return plan.gate == nil ? bases.certain : .zero }
        var forecast = BaseForecast()
        try await forecast.add(
            engine.ledger.baseCharges(for: run, at: price, digests: []), isCertain: true, in: engine.store)
        return forecast.certain
    }

    /// The plan with what is known once all items are there.
    mutating func finish(violation: GateFailure?) async throws -> Plan {
        // A list that is refused costs nothing, and what stops in a gate extracts nothing.
        if violation == nil, plan.inputs > 0 { plan.base = try await base() }
        if let record = violation?.record { plan.gate = record.message }
        plan.prices = forecast.prices
        if let amount = price.price?.amount { plan.prices[processor.name.text] = amount }
        plan.applyGate()
        if plan.gate == nil, estimated > 0, let known = earlier ?? nil {
            plan.estimate = Plan.Estimate(
                runID: known.run, isSample: sample != nil, basis: known.inputs, inputs: estimated,
                cost: known.mean(at: processor.name, times: estimated))
        }
        plan.warnings = try await forecast.warnings(of: plan, options.budgets, for: run)
        return plan
    }
}

extension RegisteredProcessor {
    /// What it tells a plan of the costs of an input, or why it cannot.
    func costsForPlan(of input: Payload, _ context: Context) async throws -> Result<[ExpectedCost]?, ProcessingError> {
        do { return .success(try await expectedCosts(input, context)) } catch is CancellationError {
            throw CancellationError()
        } catch is PlanDesk.NotPlanned {
            return .failure(ProcessingError(.protocol, "it asks for what costs or lasts, which a plan does not do"))
        } catch {
            return .failure(ProcessingError(wrapping: error, as: .processing, hiding: secrets))
        }
    }
}

extension CostHistory {
    /// Where a figure is from.
    func words(isSample: Bool) -> String {
        isSample ? "by \(inputs) sampled \(inputs == 1 ? "input" : "inputs")" : "as in run '\(run)'"
    }
}
