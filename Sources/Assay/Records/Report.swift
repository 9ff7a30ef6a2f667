/// How a run ended: its status, its outcomes, its summary and its bill.
public struct Report: Sendable {
    /// The run as it was stored.
    public let run: Run
    /// One outcome per item in input order; empty when the run was asked to leave them in the store.
    public let outcomes: [Outcome]
    /// What it cost.
    public let bill: Bill
    /// Sums over its batches, for a run in batches that filed its list first.
    public internal(set) var batches: BatchAggregate?

    /// The run's name.
    public var runID: Run.ID { run.id }
    /// The execution's name.
    public var executionID: Execution.ID { run.executionID }
    /// Where it ended.
    public var status: Status { run.status }
    /// Whether every item succeeded and nothing else failed.
    public var success: Bool { run.status == .succeeded }
    /// How the items ended.
    public var counts: Counts { run.counts }
    /// Why it did not succeed: the run's own failure, else that of its first failed item.
    public var error: FailureRecord? { run.error }

    /// What `aggregate` returned, as `type`; `nil` when it was not called.
    ///
    /// - Throws: `DecodingError` when the type does not fit.
    public func summary<Summary: Codable & Sendable>(as type: Summary.Type = Summary.self) throws -> Summary? {
        try run.summary?.value(as: type)
    }

    /// The outputs of all items in input order.
    ///
    /// - Throws: the failure of the first item that did not succeed.
    public func outputs<Output: Codable & Sendable>(as type: Output.Type = Output.self) throws -> [Output] {
        try outcomes.map { try $0.get(as: type) }
    }

    /// One resume point or `nil` per item; `nil` when every item succeeded.
    public var resumePoints: [ResumePoint?]? { success ? nil : outcomes.map { $0.error?.resumePoint } }

    /// What the nodes of a graph have done in the run, the one that took longest first; of more than 1000 nodes those
    /// that took longest. None for other runs.
    public var profile: [NodeMetrics] { run.metrics?.nodes ?? [] }
}
