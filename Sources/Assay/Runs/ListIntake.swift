/// The intake of a run's list, or of one batch of it: items get on record, with what earlier runs left of them.
struct ListIntake {
    let session: RunSession
    var history: History

    /// Files all items and checks the list as a whole.
    ///
    /// - Returns: why the list is refused; `nil` when it is accepted.
    mutating func takeIn(_ page: (_ limit: Int) async throws -> [Item]) async throws -> GateFailure? {
        var gate = ListGate(session.options, runID: session.run.id)
        try await hintAtPredecessor()
        while true {
            let items: [Item]
            do { items = try await page(1_024) } catch let error as ProcessingError where error.code == .prevalidation {
                return gate.violation ?? GateFailure(error, stage: .prevalidation, index: nil)
            }
            guard !items.isEmpty else { break }
            for (place, item) in items.enumerated() { gate.check(item, at: session.items.total + place) }
            try await file(items)
        }
        return gate.violation
    }

    /// Hints that the previous run which the options name is unknown.
    func hintAtPredecessor() async throws {
        guard let named = session.options.previousRunID else { return }
        if try await session.store.run(named) == nil {
            session.hint("unknown_run", "run '\(named)' is not on record; nothing of it can be reused")
        }
    }

    /// Files the next items of a run, with the outcomes of those that an earlier run finished.
    mutating func file(_ items: [Item]) async throws {
        var index = session.items.places.upperBound
        var intake = Intake([])
        var ended: [Outcome] = []
        var resuming: [Int] = []
        intake.items.reserveCapacity(items.count)
        for item in items.map({ $0.named(within: 1_024) }) {
            var entry = StoredItem(item, index: index)
            let verdict = try await history.verdict(on: item, at: index, by: session.processor)
            if intake.items.isEmpty { intake.kept = history.kept }
            if intake.kept != history.kept { intake.kept = nil }
            entry.basis = verdict.basis
            switch verdict {
            case .new: break
            case .again(_, let hasKilled, _):
                resuming.append(index)
                if hasKilled { session.suspicion.noteKiller(at: index) }
            case .afresh(let changed): entry.inputChanged = changed
            case .refused(let error): throw error
            case .settled(var outcome, let carried):
                entry.settled = true
                outcome.index = index
                ended.append(outcome)
                intake.carried.append(carried)
            }
            if let path = session.processor.unwatchedFile(of: item) {
                session.hint(
                    "data_path",
                    "data.path of '\(item.id)' names the file \(path); give it as 'file' so that a change of its content is "
                        + "noticed")
            }
            if let types = session.processor.mediaTypes, let file = item.file, !types.contains(file.mediaType) {
                session.hint(
                    "unexpected_file",
                    "'\(item.id)' is \(file.mediaType) by its name, which '\(session.run.processorID)' does not read; leave "
                        + "such files out: --exclude '*.\(file.name.split(separator: ".").last ?? "")'")
            }
            if let error = item.file?.refusal, !entry.settled {
                entry.settled = true
                var outcome = Outcome(entry, .failed, nil)
                outcome.error = FailureRecord(error, stage: .prevalidation, item: item.id, attempt: 0)
                ended.append(outcome)
                intake.settled.append(CommittedOutcome(outcome))
                resuming.removeAll { $0 == index }
            }
            if let named = ResumePoint(of: item)?.inputDigest, named != (try session.digest(of: item)) {
                entry.inputChanged = true
            }
            intake.items.append(entry)
            index += 1
        }
        try await session.store.append(intake, to: session.run.id, epoch: session.run.epoch)
        session.items.add(intake.items.count, resuming: resuming)
        session.tally.noteTaken(intake.items.count)
        try await session.announce(ended)
        for outcome in ended where outcome.status == .failed && !outcome.carried {
            session.noteFailure(of: outcome.inputID) { outcome.error }
        }
    }
}
