/// The part of a store that holds executions, their runs, and the items and outcomes of runs.
///
/// The rules of ``Store`` hold for each of its functions.
public protocol RunJournal: Sendable {
    /// Begins `run`: records it and, if it is new, its execution.
    ///
    /// - Parameter asSubmitted: whether the run works on what its execution was submitted to the queue with, if it was.
    /// - Throws: ``ProcessingError`` with code `already_running` when the execution has a run in progress, and `exists`
    ///   when there is a run of that name or when the execution was submitted and the run works on something else.
    func begin(_ run: Run, asSubmitted: Bool) async throws

    /// Appends items to a run and records the outcomes of those that were settled before, in one transaction: no reader
    /// ever sees a settled item without its outcome.
    ///
    /// The items go to the end of the run's list, unless the list that `intake` names has them: then the run refers to
    /// that list as long as it takes in nothing else. An outcome that is carried is not written again: it is the one of
    /// the earlier run, as ``Outcome/carriedOver(isKept:)`` makes it. Other outcomes follow the rules of
    /// ``commit(_:of:epoch:)``. Nothing is written when the run has ended or its epoch is not `epoch`.
    func append(_ intake: Intake, to run: Run.ID, epoch: Int) async throws

    /// Returns the list that a run refers to; `nil` for a run without items and for an unknown run.
    func list(of run: Run.ID) async throws -> InputList?

    /// Returns up to `limit` items of a list in order, starting at place `start`.
    func items(of list: InputList.ID, from start: Int, limit: Int) async throws -> [Item]

    /// Replaces the transformed values of items of a run.
    func setTransformed(_ values: [(index: Int, value: Payload)], of run: Run.ID) async throws

    /// Returns up to `limit` items of a run in order, starting at place `start`.
    func items(of run: Run.ID, from start: Int, limit: Int) async throws -> [StoredItem]

    /// Records outcomes with their charges in one transaction.
    ///
    /// An item that already has an outcome keeps it, and an `epoch` other than the run's changes nothing. In either
    /// case the result at that place is `false` and nothing of that item is written.
    func commit(_ outcomes: [CommittedOutcome], of run: Run.ID, epoch: Int) async throws -> [Bool]

    /// Withdraws the successes of the items at `places`, for a run that keeps no outputs after a failure.
    func withdrawOutputs(of run: Run.ID, in places: Range<Int>) async throws

    /// Removes the outcomes of the items at `places`, so that the items can be worked on again. Their charges stay.
    ///
    /// An `epoch` other than the run's, or a run that has ended, changes nothing.
    func reopen(_ places: [Int], of run: Run.ID, epoch: Int) async throws

    /// Tells the store that the run has handed over the items at `places` and will not read them again.
    ///
    /// A durable store keeps them, so that the run can be inspected and resumed.
    func release(_ places: Range<Int>, of run: Run.ID) async

    /// Returns up to `limit` outcomes of a run in order, starting at place `start`.
    func outcomes(of run: Run.ID, from start: Int, limit: Int) async throws -> [Outcome]

    /// Records the state of a run, and that of its execution.
    ///
    /// Does nothing when the run has already ended, which is final, or when another program has taken it over.
    func update(_ run: Run) async throws

    /// Deletes the items, outcomes, events, log lines and summary of a run that has ended, durable on return.
    ///
    /// A list stays until no run and no submission refers to it, and so do the outcomes that later runs carry. The run
    /// itself stays on record with the time of its deletion, and so do saved steps, charges and calls. This function
    /// does not check what a later run of the execution still needs; see ``Engine/delete(_:force:)``.
    ///
    /// - Returns: `false` when there is no such run, when it has not ended, or when its contents were deleted before.
    func deleteContents(of run: Run.ID, at moment: Timestamp) async throws -> Bool

    /// Returns the run of that name.
    func run(_ id: Run.ID) async throws -> Run?

    /// Returns the execution of that name.
    func execution(_ id: Execution.ID) async throws -> Execution?

    /// Returns the runs that match `filter`, newest first.
    func runs(matching filter: RunFilter) async throws -> [Run]
}

extension RunJournal {
    public func release(_ places: Range<Int>, of run: Run.ID) async {}

    /// Appends items to a run's own list, with the outcomes of those that were settled before.
    public func append(
        _ items: [StoredItem], settled: [CommittedOutcome], to run: Run.ID, epoch: Int
    ) async throws {
        try await append(Intake(items, settled: settled), to: run, epoch: epoch)
    }

    /// Begins a run of an execution that was not submitted to the queue, as ``begin(_:asSubmitted:)`` does.
    public func begin(_ run: Run) async throws { try await begin(run, asSubmitted: false) }
}
