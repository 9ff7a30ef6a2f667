// What a run would do, found out without doing it.

extension Engine {
    /// Plans what ``run(_:over:options:watching:)`` would do with `items`, at the prices of now.
    ///
    /// Nothing is recorded, charged or extracted. `transform` and `validate` are called, as a run would, and must not
    /// charge or call; an input for which they do is planned as one whose cost nobody knows.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` and `definition_changed` as the run would.
    public func plan(
        _ processor: RegisteredProcessor, over items: some Sequence<Item>, options: RunOptions = RunOptions()
    ) async throws -> Plan {
        var iterator = items.makeIterator()
        return try await plan(processor, options, failedOnly: false) { limit in
            var page: [Item] = []
            while page.count < limit, let item = iterator.next() { page.append(item) }
            return page
        }
    }

    /// As ``plan(_:over:options:)`` for items that arrive over time.
    public func plan<Items: AsyncSequence>(
        _ processor: RegisteredProcessor, streaming items: Items, options: RunOptions = RunOptions()
    ) async throws -> Plan where Items.Element == Item {
        var iterator = items.makeAsyncIterator()
        return try await plan(processor, options, failedOnly: false) { limit in
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
        failedOnly: Bool = false
    ) async throws -> Plan {
        let (options, items) = try await continuation(of: id, options, by: processor.name)
        return try await plan(processor, options, failedOnly: failedOnly, items: items)
    }

    private func plan(
        _ processor: RegisteredProcessor, _ options: RunOptions, failedOnly: Bool,
        items rest: @escaping ItemSource
    ) async throws -> Plan {
        let rest = reading(rest, for: processor, options, records: false)
        let (options, page) = try await settleRunner(options, for: processor, rest)
        let (run, history) = try await prepare(processor, options, failedOnly: failedOnly, isPlan: true)
        let price = try await ledger.basePrice(of: run, pipeline: options.price)
        var planner = Planner(
            engine: self, processor: processor, options: options, run: run, history: history, price: price)
        do {
            var gate = ListGate(options, runID: run.id)
            while case let items = try await page(1_024), !items.isEmpty {
                for item in items {
                    gate.check(item, at: planner.plan.entries.count)
                    try await planner.add(item)
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
private struct Planner {
    let engine: Engine
    let processor: RegisteredProcessor
    let options: RunOptions
    let run: Run
    var history: History
    var plan: Plan
    private let price: Ledger.BasePrice
    private var digests: [Digest] = []
    private var forecast: CostForecast
    private var custom: CostHistory?

    init(
        engine: Engine, processor: RegisteredProcessor, options: RunOptions, run: Run, history: History,
        price: Ledger.BasePrice
    ) {
        self.price = price
        self.engine = engine
        self.processor = processor
        self.options = options
        self.run = run
        self.history = history
        forecast = CostForecast(engine)
        plan = Plan(
            processorID: processor.name, definition: run.definition,
            executionID: options.executionID ?? options.scope.executionID
                ?? (options.previousRunID == nil ? nil : run.executionID),
            runner: run.runner, currency: engine.store.currency, base: .zero, prices: [:], entries: [], gate: nil,
            warnings: [])
        plan.definitionParts = run.definitionParts
        plan.gate = history.refusal?.message
    }

    mutating func add(_ item: Item) async throws {
        let digest = try processor.digest(of: item)
        var entry = Plan.Entry(inputID: item.id, action: .run, reason: "", digest: digest)
        let verdict = try await history.verdict(on: item, by: processor)
        entry.reason = verdict.basis.words
        switch verdict {
        case .settled(let outcome):
            entry.action = outcome.status == .succeeded ? .carried : .kept
            (entry.calls, entry.high) = (0, .zero)
        case .refused(let error): plan.refuse(error, &entry)
        case .new, .again, .afresh:
            if let error = item.file?.refusal {
                (entry.calls, entry.high, entry.reason) = (0, .zero, "it fails: \(error.message)")
            } else {
                try await addWork(on: item, verdict, to: &entry)
            }
        }
        plan.entries.append(entry)
    }

    /// Plans an input that has to go through the gates.
    private mutating func addWork(on item: Item, _ verdict: History.Verdict, to entry: inout Plan.Entry) async throws {
        let context = Context(
            runID: run.id, executionID: run.executionID, processorID: run.processorID, scope: run.scope,
            lineage: run.lineage, inputID: item.id, attempt: 1, phase: .preprocessing,
            itemIndex: plan.entries.count, file: item.file, desk: PlanDesk(terms: options.terms))
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
        if price.isByInput { digests.append(entry.digest) }
        var prepared = StoredItem(item, index: plan.entries.count)
        if case .changed(let value) = preparation { prepared.transformed = value }
        let key = itemKey(of: prepared, for: run.scope.filled(by: item))
        if let key, try await forecast.cached(key) != nil {
            (entry.action, entry.reason) = (.cached, "its result is in the cache")
            (entry.calls, entry.high) = (0, .zero)
            return
        }
        if case .again = verdict { entry.savedSteps = try await savedSteps(of: item, entry.digest) }
        entry.savedSteps += ResumePoint(of: item)?.saved?.map(\.step) ?? []
        if !entry.savedSteps.isEmpty { entry.action = .resumed }
        try await addCosts(of: input, for: run.scope.filled(by: item), to: &entry)
        if let key, !forecast.fills(key) {
            // Whether the other is done by then depends on the runner.
            entry.low = .zero
            entry.reason += "; an equal input before it may answer it from the cache"
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
            $0.inputDigest == digest && History.accepts($0.definition, for: run, options)
        }.map(\.step)
    }

    // MARK: Money

    private mutating func addCosts(
        of input: Payload, for owner: Scope, to entry: inout Plan.Entry
    ) async throws {
        guard let expected = try? processor.expectedCosts(input) else {
            if custom == nil { custom = try await CostHistory(of: processor, engine.store) }
            guard let most = custom?.most else { return }
            entry.reason += "; its cost as in run '\(most.run)'"
            // What of it the cache would answer is not known.
            entry.high = most.cost
            return
        }
        (entry.calls, entry.high) = (0, .zero)
        let work = CostForecast.Work(
            run: run, options: options, owner: owner, attempts: options.retryPolicy.maxRetries + 1)
        for cost in expected { try await forecast.add(cost, of: work, to: &entry) }
    }

    private mutating func addBase() async throws {
        let charges = try engine.ledger.baseCharges(for: run, at: price, digests: digests)
        let known = try await engine.store.recordedKeys(among: charges.compactMap(\.key))
        for charge in charges where charge.key.map({ !known.contains($0) }) ?? true {
            plan.base = try plan.base.adding(charge.cost)
        }
    }

    /// The plan with what is known once all items are there.
    mutating func finish(violation: GateFailure?) async throws -> Plan {
        // A list that is refused costs nothing, and what stops in a gate extracts nothing.
        if violation == nil, !plan.entries.isEmpty, !price.isByInput || plan.gate == nil { try await addBase() }
        if let record = violation?.record { plan.gate = record.message }
        plan.prices = forecast.prices
        if plan.gate != nil { plan.skipRest() }
        plan.warnings = try await forecast.warnings(of: plan, options.budgets, for: run)
        return plan
    }
}

/// What inputs of a processor cost in its last run that says anything about that.
private struct CostHistory {
    /// The most of an input that was worked on in full and succeeded, and the run it was in.
    var most: (run: Run.ID, cost: Money)?

    init(of processor: RegisteredProcessor, _ store: any Store) async throws {
        for run in try await store.runs(matching: RunFilter(processorID: processor.name, limit: 10)) {
            var start = 0
            while case let page = try await store.outcomes(of: run.id, from: start, limit: 1_024), !page.isEmpty {
                for outcome in page where outcome.status == .succeeded && !outcome.carried && !outcome.cached {
                    let cost = try outcome.cost.adding(outcome.avoidedCost)
                    most = (run.id, max(most?.cost ?? cost, cost))
                }
                start += 1_024
            }
            if most != nil { return }
        }
    }
}
