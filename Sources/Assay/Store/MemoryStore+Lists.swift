import Synchronization

extension MemoryStore {
    public func append(_ intake: Intake, to run: Run.ID, epoch: Int) async throws {
        state.withLock { state in
            guard let stored = state.runs[run], stored.takesOutcomes(of: epoch) else { return }
            state.settleList(of: stored, intake.kept)
            stored.items += intake.items
            stored.outcomes += repeatElement(nil, count: intake.items.count)
            for outcome in intake.settled { _ = state.commit(outcome, to: stored) }
            for carried in intake.carried { state.carry(carried, to: stored) }
        }
    }

    public func list(of run: Run.ID) async throws -> InputList? {
        state.withLock { state in
            guard let list = state.runs[run]?.list else { return nil }
            return InputList(id: list, count: state.items(of: list).count)
        }
    }

    public func items(of list: InputList.ID, from start: Int, limit: Int) async throws -> [Item] {
        state.withLock { Array($0.items(of: list).dropFirst(start).prefix(max(0, limit))) }
    }
}

extension MemoryStore.State {
    /// Settles which list a run refers to that takes in further items.
    ///
    /// A run that keeps to an earlier list refers to it until it takes in something else; then it has its own list.
    fileprivate func settleList(of stored: MemoryStore.StoredRun, _ kept: Intake.Kept?) {
        guard !stored.ownsList else { return }
        let execution = stored.run.executionID
        let named: InputList.ID? =
            switch kept {
            case nil: nil
            case .submission: Execution.submittedList(of: execution)
            case .run(let run): runs[run]?.list
            }
        if let named, stored.items.isEmpty || stored.list == named { return stored.list = named }
        let numbers = (runsOf[execution] ?? []).compactMap { runs[$0]?.list?.number }
        let submitted = queue.items[Execution.submittedList(of: execution)] == nil ? 0 : 1
        stored.list = InputList.ID(executionID: execution, number: max(submitted, numbers.max() ?? 0) + 1)
        stored.ownsList = true
    }

    /// Returns the items of a list, in order.
    fileprivate func items(of list: InputList.ID) -> [Item] {
        if let submitted = queue.items[list] { return submitted }
        let referring = (runsOf[list.executionID] ?? []).compactMap { runs[$0] }.filter { $0.list == list }
        return (referring.max { $0.items.count < $1.items.count }?.items ?? []).map(\.item)
    }

    /// Takes over the outcome of an earlier run.
    fileprivate mutating func carry(_ carried: Intake.Carried, to stored: MemoryStore.StoredRun) {
        guard let source = runs[carried.runID] else { return }
        let slots = source.slots(carried.place..<carried.place + 1)
        guard var outcome = source.outcomes[slots].first??.carriedOver(isKept: carried.isKept) else { return }
        outcome.index = carried.index
        _ = commit(CommittedOutcome(outcome), to: stored)
    }
}
