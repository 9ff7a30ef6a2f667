/// An execution on its way into the queue, with the items that were not staged before.
public struct SubmittedExecution: Sendable {
    /// The execution, which waits.
    public var execution: Execution
    /// The last of its items.
    public var items: [Item]
    /// How many were staged before them.
    public var staged: Int

    /// An execution with its items.
    public init(_ execution: Execution, items: [Item], staged: Int = 0) {
        self.execution = execution
        self.items = items
        self.staged = staged
    }
}

/// Which executions of the queue are asked for; parts that are `nil` do not narrow.
public struct ExecutionFilter: Hashable, Sendable {
    /// In one of these statuses.
    public var statuses: Set<Status>?
    /// Submitted under this key.
    public var idempotencyKey: String?
    /// At most so many.
    public var limit: Int?

    /// Every execution of the queue.
    public init(statuses: Set<Status>? = nil, idempotencyKey: String? = nil, limit: Int? = nil) {
        self.statuses = statuses
        self.idempotencyKey = idempotencyKey
        self.limit = limit
    }

    /// Whether `execution` fits, the limit aside.
    public func matches(_ execution: Execution) -> Bool {
        (statuses?.contains(execution.status) ?? true)
            && (idempotencyKey.map { execution.idempotencyKey?.equalsInBytes($0) ?? false } ?? true)
    }
}
