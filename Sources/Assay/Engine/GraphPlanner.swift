/// Adds up what a run of a graph would do, item by item and node by node.
struct GraphPlanner: RunPlanner {
    /// What comes out of a port, or arrives at one.
    private enum Value {
        case known(Payload)
        /// Something that only the run will tell; whether it comes for certain if all before it succeeds.
        case unknown(isCertain: Bool)
        /// Nothing comes.
        case nothing
    }

    /// A node with its settings and what is planned of it.
    private struct Place {
        let node: Node
        let run: Run
        let options: RunOptions
        /// How often it may be tried on an item; `nil` when its strategy does not say.
        let attempts: Int?
        /// Its base price.
        let price: Ledger.BasePrice
        /// What that comes to where it is charged for each input.
        var bases = BaseForecast()
        /// How many of its costs are estimated.
        var estimated = 0
        /// How many inputs it starts on of which nobody knows the digest.
        var unknownInputs = 0
    }

    let engine: Engine
    let wiring: Wiring
    let order: [Int]
    let processor: RegisteredProcessor
    let options: GraphOptions
    let run: Run
    var history: History
    var plan: Plan
    private var places: [Place]
    private var figures: [Plan.Node]
    private var forecast: CostForecast
    private let sample: Run.ID?
    /// What an earlier run says of the costs that processors do not tell, once it was looked for.
    private var earlier: CostHistory??

    init(
        _ engine: Engine, _ wiring: Wiring, order: [Int], _ processor: RegisteredProcessor, _ options: GraphOptions,
        _ run: Run, _ history: History, _ sample: Run.ID?
    ) async throws {
        self.sample = sample
        (self.engine, self.wiring, self.order, self.processor) = (engine, wiring, order, processor)
        (self.options, self.run, self.history) = (options, run, history)
        forecast = CostForecast(engine)
        figures = wiring.nodes.map { Plan.Node($0.id) }
        places = []
        for node in wiring.nodes {
            var own = run
            own.processorID = node.id
            own.definition = node.processor.definition(in: engine.store).digest
            places.append(
                Place(
                    node: node, run: own, options: RunOptions(of: node, in: options.run),
                    attempts: (node.errorStrategy ?? options.errorStrategy).mostAttempts,
                    price: try await engine.ledger.basePrice(of: own, pipeline: node.price)))
        }
        plan = Plan(of: run, options.run, history, currency: engine.store.currency)
    }

    // MARK: An item

    mutating func add(_ item: Item, at index: Int) async throws -> Plan.Entry {
        let verdict = try await history.verdict(on: item, at: index, by: processor)
        var entry = Plan.Entry(
            inputID: item.id, action: .run, group: verdict.group, reason: verdict.basis.words,
            digest: try processor.digest(of: item))
        (entry.calls, entry.high) = (0, .zero)
        switch verdict {
        case .settled(let outcome, _): entry.action = outcome.status == .succeeded ? .carried : .kept
        case .refused(let error): plan.refuse(error, &entry)
        case .new, .again, .afresh:
            if let error = item.file?.refusal {
                (entry.group, entry.reason) = (.refused, "it fails: \(error.message)")
                break
            }
            if case .again = verdict {
                try await addWay(of: item, at: index, resumes: true, to: &entry)
            } else {
                try await addWay(of: item, at: index, resumes: false, to: &entry)
            }
        }
        plan.count(entry)
        return entry
    }

    /// Follows an item through the graph as far as its values are known.
    private mutating func addWay(
        of item: Item, at index: Int, resumes: Bool, to entry: inout Plan.Entry
    ) async throws {
        let feed: [Payload?]
        do { feed = try wiring.feed(item.data, of: item.id) } catch {
            plan.gate = plan.gate ?? ProcessingError(wrapping: error, as: .prevalidation).message
            return
        }
        let fed = Dictionary(uniqueKeysWithValues: zip(wiring.sources, feed))
        var given: [[Value]] = wiring.nodes.map { $0.outputs.map { _ in .nothing } }
        var unknown: [Identifier] = []
        for node in order {
            let input: Value
            if let value = fed[node] {
                input = value.map { .known($0) } ?? .nothing
            } else {
                let values = wiring.incoming[node].map { given[wiring.edges[$0].from][wiring.edges[$0].output] }
                input = try self.input(of: node, from: values)
            }
            if case .nothing = input { continue }
            let part: Plan.Entry
            (given[node], part) = try await visit(node, on: item, at: index, with: input, resumes: resumes, entry)
            if part.high == nil || part.calls == nil { unknown.append(wiring.nodes[node].id) }
            try fold(part, at: node, into: &entry)
        }
        if !entry.savedSteps.isEmpty { entry.action = .resumed }
        if !unknown.isEmpty {
            entry.reason += "; what \(Self.list(unknown)) costs is known only when it has run"
        }
    }

    /// What a node that is no source is given.
    private func input(of node: Int, from values: [Value]) throws -> Value {
        var (known, isKnown, isCertain, comes) = ([Payload?](), true, true, false)
        for value in values {
            switch value {
            case .known(let payload):
                known.append(payload)
                comes = true
            case .unknown(let certain):
                known.append(nil)
                isKnown = false
                comes = true
                isCertain = isCertain && certain
            case .nothing:
                guard wiring.nodes[node].missingInputs == .allowMissing else { return .nothing }
                known.append(nil)
            }
        }
        guard comes else { return .nothing }
        if isKnown { return .known(try wiring.input(of: node, from: known)) }
        let oneIsCertain = values.contains { value in
            switch value {
            case .known, .unknown(isCertain: true): true
            case .unknown(isCertain: false), .nothing: false
            }
        }
        let startsWithAny = wiring.nodes[node].missingInputs == .allowMissing
        return .unknown(isCertain: startsWithAny ? oneIsCertain : isCertain)
    }

    /// Adds what a node does on an item to the sums of the item and of the node.
    private mutating func fold(_ part: Plan.Entry, at node: Int, into entry: inout Plan.Entry) throws {
        entry.low = try entry.low.adding(part.low)
        entry.high = try entry.high.flatMap { high in try part.high.map { try high.adding($0) } }
        entry.calls = entry.calls.flatMap { calls in part.calls.map { calls + $0 } }
        entry.hits += part.hits
        entry.avoided = try entry.avoided.adding(part.avoided)
        entry.savedSteps += part.savedSteps
        figures[node].low = try figures[node].low.adding(part.low)
        figures[node].high = try figures[node].high.flatMap { high in try part.high.map { try high.adding($0) } }
        figures[node].calls = figures[node].calls.flatMap { calls in part.calls.map { calls + $0 } }
        figures[node].hits += part.hits
        if !part.reason.isEmpty, figures[node].unknown == nil { figures[node].unknown = part.reason }
    }

    // MARK: A node

    /// What a node would do on an item, and what it gives then.
    private mutating func visit(
        _ node: Int, on item: Item, at index: Int, with input: Value, resumes: Bool, _ whole: Plan.Entry
    ) async throws -> (values: [Value], part: Plan.Entry) {
        let place = places[node]
        var part = Plan.Entry(inputID: item.id, action: .run, group: whole.group, reason: "", digest: whole.digest)
        (part.calls, part.high) = (0, .zero)
        let resumes = resumes && place.node.recovery != .reprocess
        let behind: (Bool) -> [Value] = { isCertain in
            let isCertain =
                isCertain && place.node.outputs.count == 1 && place.node.processor.givesOutput == nil
            return place.node.outputs.map { _ in .unknown(isCertain: isCertain) }
        }
        guard case .known(let value) = input else {
            guard case .unknown(let comes) = input else { return (behind(false), part) }
            // Its output may have been saved or cached, for all that is known.
            let isCertain = comes && !resumes
            try await noteStart(at: node, nil, isCertain: isCertain)
            try await addCosts(.success(place.node.processor.costsOfAnyInput), at: node, for: item, to: &part)
            if !isCertain || place.options.itemCacheInForce != nil { part.low = .zero }
            if part.reason.isEmpty, part.high != part.low || part.calls == nil {
                part.reason = "what it is given is known only when the nodes before it have run"
            }
            return (behind(comes), part)
        }
        let given = StoredItem(item, index: index).given(value, asSource: wiring.incoming[node].isEmpty)
        let digest = try place.node.processor.digest(of: given.item)
        let subject = CheckpointSubject(
            executionID: run.executionID, processorID: place.node.id, inputID: item.id)
        let kept =
            resumes
            ? try await engine.store.checkpoints(of: subject).saved.filter {
                $0.inputDigest == digest && place.options.accepts($0.definition, for: place.run)
            } : []
        if let saved = kept.last(where: { $0.step == Checkpoint.nodeOutput }) {
            figures[node].saved += 1
            part.savedSteps = [place.node.id.text]
            return (try route(Payload(json: saved.value), from: node), part)
        }
        try await noteStart(at: node, digest, isCertain: true)
        let key = itemKey(of: given, at: place, for: run.scope.filled(by: item))
        if let key, let found = try await forecast.cached(key) {
            figures[node].cached += 1
            part.avoided = found.cost
            return (try route(Payload(json: found.value), from: node), part)
        }
        part.savedSteps = kept.filter { $0.step != Checkpoint.nodeOutput }.map { "\(place.node.id)/\($0.step)" }
        let context = Context(
            runID: run.id, executionID: run.executionID, processorID: place.node.id, scope: run.scope.filled(by: item),
            lineage: run.lineage, inputID: item.id, attempt: 1, phase: .preprocessing,
            itemIndex: index, file: given.item.file, desk: PlanDesk(terms: place.options.terms))
        var prepared = value
        switch await place.node.processor.prepare(value, context) {
        case .unchanged: break
        case .changed(let changed): prepared = changed
        case .refused(is PlanDesk.NotPlanned, _, _):
            (part.calls, part.high) = (nil, nil)
            part.reason = "what it costs is known only when its \(Stage.validation.rawValue) has run"
            return (behind(true), part)
        case .refused(let error, let stage, _):
            let error = ProcessingError(wrapping: error, as: stage.code, hiding: place.node.processor.secrets)
            part.reason = "its \(stage.rawValue) refuses '\(item.id)': \(error.message)"
            return (place.node.outputs.map { _ in .nothing }, part)
        }
        let expected = try await place.node.processor.costsForPlan(of: prepared, context)
        try await addCosts(expected, at: node, for: item, to: &part)
        if let key, !forecast.fills(key) {
            part.low = .zero
            part.reason = "an equal input before it may answer it from the cache"
        } else if part.calls == nil {
            part.reason = part.reason.isEmpty ? "its processor does not tell what it costs" : part.reason
        } else if part.high != part.low {
            part.reason = "not all of its costs are certain"
        }
        return (behind(true), part)
    }

    private func route(_ output: Payload, from node: Int) throws -> [Value] {
        try wiring.route(output, from: node).map { value in value.map { .known($0) } ?? .nothing }
    }

    private mutating func noteStart(at node: Int, _ digest: Digest?, isCertain: Bool) async throws {
        if isCertain { figures[node].starts += 1 } else { figures[node].possibleStarts += 1 }
        let place = places[node]
        guard place.price.isByInput else { return }
        guard let digest else { return places[node].unknownInputs += 1 }
        let charges = try engine.ledger.baseCharges(for: place.run, at: place.price, digests: [digest])
        try await places[node].bases.add(charges, isCertain: isCertain, in: engine.store)
    }

    /// Where the output is looked up; `nil` when it is not.
    private func itemKey(of entry: StoredItem, at place: Place, for owner: Scope) -> String? {
        guard let policy = place.options.itemCacheInForce, !policy.refresh,
            let input = try? place.node.processor.cacheDigest(of: entry)
        else { return nil }
        return CacheKey.item(input: input, scope: policy.scope, of: place.run, for: owner)
    }

    // MARK: Money

    private mutating func addCosts(
        _ expected: Result<[ExpectedCost]?, ProcessingError>, at node: Int, for item: Item, to part: inout Plan.Entry
    ) async throws {
        switch expected {
        case .failure(let error):
            (part.calls, part.high) = (nil, nil)
            part.reason = "what it costs cannot be told: \(error.message)"
        case .success(nil):
            if earlier == nil { earlier = .some(try await CostHistory(of: processor.name, sample: sample, &forecast)) }
            part.calls = nil
            part.high = (earlier ?? nil)?.most(at: places[node].node.id)
            if let known = earlier ?? nil {
                part.reason = "its cost is \(known.words(isSample: sample != nil))"
                places[node].estimated += 1
            }
        case .success(let costs?):
            let work = CostForecast.Work(
                run: places[node].run, options: places[node].options, owner: run.scope.filled(by: item),
                attempts: places[node].attempts)
            try await forecast.add(costs, of: work, to: &part)
        }
    }

    /// The plan with what is known once all items are there.
    mutating func finish(violation: GateFailure?) async throws -> Plan {
        if let record = violation?.record { plan.gate = record.message }
        if plan.gate != nil {
            figures = wiring.nodes.map { Plan.Node($0.id) }
        } else {
            for node in places.indices { try await addBase(of: node) }
        }
        for figure in figures {
            plan.base = try plan.base.adding(figure.base)
            plan.furtherBase = try plan.furtherBase.flatMap { sum in try figure.furtherBase.map { try sum.adding($0) } }
        }
        plan.nodes = figures
        plan.prices = forecast.prices
        for (place, figure) in zip(places, figures) where figure.starts + figure.possibleStarts > 0 {
            if let amount = place.price.price?.amount { plan.prices[place.node.id.text] = amount }
        }
        plan.applyGate()
        if plan.gate == nil { plan.estimate = estimate }
        plan.warnings = try await forecast.warnings(of: plan, options.run.budgets, for: run)
        return plan
    }

    /// What the nodes probably cost that do not tell it.
    private var estimate: Plan.Estimate? {
        guard let known = earlier ?? nil else { return nil }
        var estimate = Plan.Estimate(runID: known.run, isSample: sample != nil, basis: known.inputs)
        for place in places {
            estimate.inputs = max(estimate.inputs, place.estimated)
            estimate.cost += known.mean(at: place.node.id, times: place.estimated)
        }
        return estimate.inputs > 0 ? estimate : nil
    }

    /// Base prices are charged when a node first starts on an item, or on every new one.
    private mutating func addBase(of node: Int) async throws {
        let (starts, possible) = (figures[node].starts, figures[node].possibleStarts)
        guard starts + possible > 0 else { return }
        var place = places[node]
        if !place.price.isByInput {
            let charges = try engine.ledger.baseCharges(for: place.run, at: place.price, digests: [])
            try await place.bases.add(charges, isCertain: starts > 0, in: engine.store)
        }
        figures[node].base = place.bases.certain
        var further = try place.bases.further
        if place.unknownInputs > 0 {
            guard let price = place.price.price, price.policy == StandardChargePolicy.perInput.name else {
                // What another policy makes of inputs is known only for these inputs.
                return figures[node].furtherBase = nil
            }
            further = try further.adding(price.amount.times(Number(place.unknownInputs)))
        }
        figures[node].furtherBase = further
    }

    private static func list(_ nodes: [Identifier]) -> String {
        let names = nodes.prefix(5).map { "'\($0)'" }.joined(separator: ", ")
        return nodes.count > 5 ? "\(names) and \(nodes.count - 5) more" : names
    }
}

extension ErrorStrategy {
    /// How often a node with this strategy is tried on an item at most; `nil` when it does not say.
    fileprivate var mostAttempts: Int? {
        switch self {
        case let retry as RetryStrategy: return retry.policy.maxRetries + 1
        case let composite as CompositeStrategy:
            return composite.strategies.reduce(1) { sum, strategy in
                guard let sum, let attempts = strategy.mostAttempts else { return nil }
                return sum + attempts - 1
            }
        case is SkipStrategy, is HaltStrategy, is BreakerStrategy: return 1
        default: return nil
        }
    }
}
