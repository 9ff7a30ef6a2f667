/// The part of a store that holds the queue: submitted executions with their items, and admissions.
///
/// The rules of ``Store`` hold for each of its functions.
public protocol QueueShelf: Sendable {
    /// Records waiting executions and the rest of their lists in one transaction.
    ///
    /// They get the next numbers in the order of the list, except those that already have a number. An execution whose
    /// idempotency key is on record with equal content is not recorded; the recorded one is returned in its place.
    ///
    /// - Returns: the executions as they are on record.
    /// - Throws: ``ProcessingError`` with code `exists` when a name, or a key with other content, is on record.
    func submit(_ executions: [SubmittedExecution]) async throws -> [Execution]

    /// Appends items to the list of an execution that is about to be submitted.
    func append(_ items: [Item], to list: InputList.ID) async throws

    /// Removes the list of an execution that was not submitted after all. Does nothing when it was submitted.
    func discard(_ list: InputList.ID) async throws

    /// Returns the executions of the queue that match `filter`, in the order in which they entered their statuses.
    func executions(matching filter: ExecutionFilter) async throws -> [Execution]

    /// Replaces an execution of the queue if the recorded one has the status `status`.
    ///
    /// Runs need not call this: ``begin(_:)`` and ``update(_:)`` also update the execution of a run.
    ///
    /// - Returns: `false` when the execution has another status or is not on record; then nothing is written.
    func replace(_ execution: Execution, standingAt status: Status) async throws -> Bool

    /// Removes ended executions with their items, runs, outcomes, events, log lines and saved steps. Charges stay.
    ///
    /// - Returns: the number of removed executions.
    func remove(_ executions: [Execution.ID]) async throws -> Int

    /// Returns the queue's own record.
    func queueRecord() async throws -> JSONValue?

    /// Replaces the queue's own record.
    func setQueueRecord(_ record: JSONValue) async throws

    /// Returns the times at which executions were admitted under a rate, in the order in which they were recorded.
    func admissions(under rate: String) async throws -> [Timestamp]

    /// Records an admission of an execution under a rate, and removes the admissions under it before `horizon`.
    func admit(under rate: String, at moment: Timestamp, forgettingBefore horizon: Timestamp) async throws
}
