/// The result of a run: its status, its outcomes, its summary and its bill.
public struct Report: Sendable {
    /// The run as it was stored.
    public let run: Run
    /// One outcome per item in input order; empty when the run was asked to leave them in the store.
    public let outcomes: [Outcome]
    /// The cost of the run.
    public let bill: Bill
    /// Sums over its batches, for a run in batches that filed its list first.
    public internal(set) var batches: BatchAggregate?

    /// The run's name.
    public var runID: Run.ID { run.id }
    /// The execution's name.
    public var executionID: Execution.ID { run.executionID }
    /// The status in which it ended.
    public var status: Status { run.status }
    /// Whether every item succeeded and nothing else failed.
    public var success: Bool { run.status == .succeeded }
    /// The counts of the items.
    public var counts: Counts { run.counts }
    /// The reason it did not succeed: the run's own failure, or else that of its first failed item.
    public var error: FailureRecord? { run.error }

    /// Returns the value of `aggregate` as `type`; `nil` when it was not called.
    ///
    /// - Throws: `DecodingError` when the type does not fit.
    public func summary<Summary: Codable & Sendable>(as type: Summary.Type = Summary.self) throws -> Summary? {
        try run.summary?.value(as: type)
    }

    /// Returns the outputs of all items in input order.
    ///
    /// - Throws: the failure of the first item that did not succeed.
    public func outputs<Output: Codable & Sendable>(as type: Output.Type = Output.self) throws -> [Output] {
        try outcomes.map { try $0.get(as: type) }
    }

    /// One resume point or `nil` per item; `nil` when every item succeeded.
    public var resumePoints: [ResumePoint?]? { success ? nil : outcomes.map { $0.error?.resumePoint } }

    /// The metrics of a graph's nodes in the run, the one that took longest first; of more than 1000 nodes, those that
    /// took longest. Empty for other runs.
    public var profile: [NodeMetrics] { run.metrics?.nodes ?? [] }
}
