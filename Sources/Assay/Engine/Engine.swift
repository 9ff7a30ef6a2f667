public import Logging
import Synchronization

/// The entry point: runs processors over items, remembers what they did and knows what it cost.
///
/// An engine owns one store. Runs of different executions may be in progress at the same time.
public final class Engine: Sendable {
    /// The store that remembers everything.
    public let store: any Store
    /// The events of this engine.
    public let events: EventStream

    /// The circuit breakers of the services that runs name in their options.
    public let breakers = CircuitBreakers()

    let ledger: Ledger
    let world: World
    let logger: Logger
    private let batchNumbers = Atomic(0)
    private let sessions = Mutex<[Run.ID: RunSession]>([:])
    /// Runs that were left in a pause and are being taken over here.
    private let takenOver = Mutex<Set<Run.ID>>([])

    /// Creates an engine over `store`.
    ///
    /// - Parameters:
    ///   - prices: what things cost when neither pipeline nor store say.
    ///   - chargePolicies: policies besides the standard ones, found by their names.
    ///   - resolvers: by service, the resolvers of calls whose outcome is unknown.
    ///   - events: where events go.
    ///   - logger: what ``Context/logger`` writes to.
    ///   - world: clock, identifiers and chance.
    public init(
        store: any Store = MemoryStore(), prices: any PriceSource = PriceList(),
        chargePolicies: [any ChargePolicy] = [], resolvers: [String: any DoubtResolver] = [:],
        events: EventStream = EventStream(),
        logger: Logger = Logger(label: "assay") { _ in SwiftLogNoOpLogHandler() }, world: World = .system
    ) {
        self.store = store
        self.events = events
        self.logger = logger
        self.world = world
        var policies: [String: any ChargePolicy] = [:]
        for policy in StandardChargePolicy.allCases as [any ChargePolicy] + chargePolicies {
            policies[policy.name] = policy
        }
        ledger = Ledger(store: store, prices: prices, policies: policies, resolvers: resolvers, world: world)
    }

    /// Runs `processor` over `inputs` and returns once every input has an outcome.
    ///
    /// Inputs are named `item_1`, `item_2`, … An input that fails is an outcome, not a thrown error. When the calling
    /// task is cancelled, the run is cancelled and its report returned.
    ///
    /// - Throws: ``ProcessingError`` for misuse before the run exists (`configuration`, `not_found`,
    ///   `already_running`, `definition_changed`) and when the store fails.
    public func run<P: Processor>(
        _ processor: P, over inputs: some Sequence<P.Input>, options: RunOptions = RunOptions()
    ) async throws -> Report {
        let items = inputs.enumerated().lazy.map { Item(position: $0, input: $1, scope: options.scope) }
        return try await run(RegisteredProcessor(processor), over: items, options: options)
    }

    /// Runs `processor` over named items.
    ///
    /// - Parameter watching: receives the run once it exists, to follow or stop it.
    /// - Throws: as ``run(_:over:options:)``.
    public func run(
        _ processor: RegisteredProcessor, over items: some Sequence<Item>, options: RunOptions = RunOptions(),
        watching: (@Sendable (RunHandle) -> Void)? = nil
    ) async throws -> Report {
        var iterator = items.makeIterator()
        return try await perform(processor, options, watching) { limit in
            var page: [Item] = []
            while page.count < limit, let item = iterator.next() { page.append(item) }
            return page
        }
    }

    /// Runs `processor` over items that arrive over time. Extraction begins when the last item has arrived.
    ///
    /// - Throws: as ``run(_:over:options:)``, and what the sequence throws, which fails the run.
    public func run<Items: AsyncSequence>(
        _ processor: RegisteredProcessor, streaming items: Items, options: RunOptions = RunOptions(),
        watching: (@Sendable (RunHandle) -> Void)? = nil
    ) async throws -> Report where Items.Element == Item {
        var iterator = items.makeAsyncIterator()
        return try await perform(processor, options, watching) { limit in
            var page: [Item] = []
            while page.count < limit, let item = try await iterator.next() { page.append(item) }
            return page
        }
    }

    /// Runs what an ended run did not finish: finished items are carried over, finished steps are not repeated.
    ///
    /// With `options.recovery` set to `reprocess`, everything is done again. The new run belongs to the same execution.
    public func resume(
        _ id: Run.ID, with processor: RegisteredProcessor, options: RunOptions = RunOptions(),
        failedOnly: Bool = false, watching: (@Sendable (RunHandle) -> Void)? = nil
    ) async throws -> Report {
        let (options, items) = try await continuation(of: id, options, by: processor.name)
        return try await perform(processor, options, watching, failedOnly: failedOnly, items: items)
    }

    /// Returns the items of a list with the contents of their files known.
    ///
    /// - Parameter records: whether the digests that are read are put on record.
    func reading(
        _ items: @escaping ItemSource, for processor: RegisteredProcessor, _ options: RunOptions, records: Bool
    ) -> ItemSource {
        let intake = FileIntake(store, world.time, records: records, rereads: options.rehash)
        return { limit in try await intake.read(items(limit).map { processor.withFile($0) }) }
    }

    /// Returns the next items of a list, at most `limit`; empty when there are no more.
    typealias ItemSource = (_ limit: Int) async throws -> [Item]

    /// Returns the options and items of a run that continues where the run named `id` ended.
    ///
    /// - Parameter name: the processor, or the graph, of the new run.
    /// - Throws: ``ProcessingError`` with code `definition_changed` when that name differs from the name in the earlier
    ///   run, unless `options` say what to do then.
    func continuation(
        of id: Run.ID, _ options: RunOptions, by name: Identifier
    ) async throws -> (RunOptions, ItemSource) {
        let previous = try await existingRun(id)
        guard previous.deletedAt == nil else { throw ProcessingError.deleted(id) }
        guard previous.isListed else {
            throw ProcessingError(
                .configuration,
                "run '\(id)' ended before all of its inputs were on record; start it anew with all of them")
        }
        var options = options
        if previous.processorID != name, options.recovery == .resume {
            switch options.onChange {
            case .refuse: throw ProcessingError.renamed(previous, name)
            case .keep: options.formerName = previous.processorID
            case .restart: break
            }
        }
        options.executionID = previous.executionID
        options.previousRunID = previous.id
        options.worksOnSubmission = true
        options.scope.accountID = options.scope.accountID ?? previous.scope.accountID
        options.scope.underwritingID = options.scope.underwritingID ?? previous.scope.underwritingID
        if options.request == [:] { options.request = previous.request }
        var position = 0
        return (
            options,
            { [store] limit in
                let page = try await store.items(of: id, from: position, limit: limit)
                position += page.count
                return page.map(\.item)
            }
        )
    }

    /// Asks a run in progress to stop. The run can be resumed.
    ///
    /// - Parameter drain: whether items in progress may finish.
    /// - Returns: `false` when the run is not in progress here.
    @discardableResult public func cancel(_ id: Run.ID, drain: Bool = false) -> Bool {
        guard let session = sessions.withLock({ $0[id] }) else { return false }
        RunHandle(session: session).cancel(drain: drain)
        return true
    }

    /// Returns the report of a run that is on record.
    ///
    /// - Parameter outcomes: whether the report holds the outcomes.
    /// - Throws: ``ProcessingError`` with code `not_found` for an unknown run.
    public func report(of id: Run.ID, outcomes: Bool = true) async throws -> Report {
        try await report(of: existingRun(id), outcomes: outcomes)
    }

    /// The bytes of memory that this program has in use; `nil` where the system does not say.
    public var memoryBytes: Int? { ResidentMemory.bytes }

    /// Sends a `warning` event that belongs to no run, such as a price file that can no longer be read.
    public func warn(_ message: String) {
        guard events.wants(.warning) else { return }
        events.send(
            Event(
                .warning, timestamp: world.time.now(), runID: nil, executionID: nil, processorID: nil, inputID: nil,
                data: ["message": .string(message)]))
    }

    /// Returns what a run cost, computed from the ledger now.
    public func bill(of run: Run.ID) async throws -> Bill {
        let found = try await existingRun(run)
        return try await bill(
            ChargeFilter(runID: run),
            CallFilter(states: [.inDoubt], billedTo: .run(run)), run: run,
            execution: found.executionID, incomplete: found.incompleteReason)
    }

    /// Returns what all runs of an execution cost, computed from the ledger now.
    public func bill(ofExecution execution: Execution.ID) async throws -> Bill {
        let found = try await store.runs(matching: RunFilter(executionID: execution))
        let runs = found.reversed().map(\.id)
        guard !runs.isEmpty else { throw ProcessingError(.notFound, "execution '\(execution)' is not on record") }
        return try await bill(
            ChargeFilter(executionID: execution), CallFilter(states: [.inDoubt], billedTo: .execution(execution)),
            execution: execution, runs: runs, incomplete: found.compactMap(\.incompleteReason).last)
    }

    private func bill(
        _ charges: ChargeFilter, _ calls: CallFilter, run: Run.ID? = nil, execution: Execution.ID? = nil,
        runs: [Run.ID]? = nil, incomplete: String? = nil
    ) async throws -> Bill {
        try Bill(
            await store.charges(matching: charges), inDoubt: await store.calls(matching: calls),
            currency: store.currency, runID: run, executionID: execution, runs: runs, incompleteReason: incomplete)
    }

    /// Reserves a run that was left in a pause for `body`.
    ///
    /// - Throws: ``ProcessingError`` with code `illegal_move` while another caller has it.
    func alone<Value>(with id: Run.ID, _ body: () async throws -> Value) async throws -> Value {
        guard takenOver.withLock({ $0.insert(id).inserted }) else { throw ProcessingError.isBusy(id) }
        defer { takenOver.withLock { _ = $0.remove(id) } }
        return try await body()
    }

    /// Returns the session of a run while that is in progress here.
    func session(_ id: Run.ID) -> RunSession? { sessions.withLock { $0[id] } }

    func existingRun(_ id: Run.ID) async throws -> Run {
        guard let run = try await store.run(id) else {
            throw ProcessingError(.notFound, "run '\(id)' is not on record")
        }
        return run
    }

    func report(of run: Run, outcomes: Bool) async throws -> Report {
        let found = outcomes ? try await store.outcomes(of: run.id, from: 0, limit: .max) : []
        return Report(run: run, outcomes: found, bill: try await bill(of: run.id))
    }

    /// Returns a new name for a batch, unique within the engine.
    func nextBatchID() -> String {
        let digits = String(batchNumbers.add(1, ordering: .relaxed).newValue)
        return "batch_" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }

    /// What its runs use of it.
    var services: RunSession.Services {
        RunSession.Services(ledger: ledger, breakers: breakers, events: events, logger: logger)
    }

    /// Performs a run from beginning to end.
    func perform(
        _ processor: RegisteredProcessor, _ options: RunOptions,
        _ watching: (@Sendable (RunHandle) -> Void)? = nil, failedOnly: Bool = false, graph: GraphWork? = nil,
        items: @escaping ItemSource
    ) async throws -> Report {
        let items = reading(items, for: processor, options, records: true)
        let (options, page) = graph == nil ? try await settleRunner(options, for: processor, items) : (options, items)
        var (begun, history) = try await prepare(processor, options, failedOnly: failedOnly, graph: graph)
        let (list, isSubmission) = try await checkSubmission(of: begun, options, page)
        if isSubmission { history.consult(Execution.submittedList(of: begun.executionID), in: store) }
        let session = RunSession(
            run: begun, processor: processor, options: options, services: services, graph: graph?.terms)
        try await store.begin(session.run, asSubmitted: isSubmission)
        let crew = Crew(of: options.runner, for: processor)
        defer { crew.dismissIdle() }
        let work: any RunWork = if let graph { GraphRun(graph) } else { ListWork(crew: crew) }
        return try await hold(session, watching) { try await live(session, work, history, items: list) }
    }

    /// Performs `body`, the work of a run that is on record, and makes the run known under its name in the meantime.
    func hold(
        _ session: RunSession, _ watching: (@Sendable (RunHandle) -> Void)?, _ body: () async throws -> Report
    ) async throws -> Report {
        let (run, processor) = (session.run, session.processor)
        sessions.withLock { $0[run.id] = session }
        defer { sessions.withLock { $0[run.id] = nil } }
        defer { ledger.budgets.end(run) }
        return try await withTaskCancellationHandler {
            do {
                try await ledger.budgets.begin(run)
                watching?(RunHandle(session: session))
                let report = try await body()
                await processor.finish?(run.id)
                await session.tally.log.close()
                return report
            } catch {
                await end(session, because: error)
                await processor.finish?(run.id)
                await session.tally.log.close()
                throw error
            }
        } onCancel: {
            RunHandle(session: session).cancel()
        }
    }

    /// Checks the options. If they leave the runner open, looks at the first items to choose one.
    ///
    /// - Returns: the options and all items, including those that were looked at.
    func settleRunner(
        _ options: RunOptions, for processor: RegisteredProcessor, _ rest: @escaping ItemSource
    ) async throws -> (RunOptions, ItemSource) {
        try options.validate()
        let enough = options.runner.itemsToResolve
        guard enough > 0 else {
            try options.runner.check(processor)
            return (options, rest)
        }
        var options = options
        if let batching = options.batching, !options.listsFirst {
            // No item is requested before its batch is.
            let size = try batching.size(of: processor, slot: nil)
            options.runner = try options.runner.resolved(forAtLeast: size, of: processor)
            return (options, rest)
        }
        var first = try await rest(enough)
        options.runner = try options.runner.resolved(forAtLeast: first.count, of: processor)
        return (
            options,
            { limit in
                guard !first.isEmpty else { return try await rest(limit) }
                defer { first = [] }
                return first
            }
        )
    }

    /// Records the end of a run that failed before it was finished, so that it can be resumed.
    private func end(_ session: RunSession, because error: any Error) async {
        let error = ProcessingError(wrapping: error, as: .processing, hiding: session.secrets)
        var run = session.currentRun
        run.status = .failed
        run.error = FailureRecord(error, stage: .extraction, item: nil, attempt: 0)
        // If the list was being read, what was thrown follows from the stop, and the stop is how the run ended.
        if session.stopped?.isFromOutside == true, !run.isListed { run.status = .cancelled }
        run.finishedAt = world.time.now()
        run.duration = session.clock.timeWorked
        // A store that failed may fail again. The run is then found and ended when the store is opened next.
        try? await store.update(run)
    }
}
