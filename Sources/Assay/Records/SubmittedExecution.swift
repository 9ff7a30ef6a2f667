/// An execution on its way into the queue, with the items that are not on its list yet.
public struct SubmittedExecution: Sendable {
    /// The execution, which is waiting.
    public var execution: Execution
    /// The last items, which go to the end of its list.
    public var items: [Item]
    /// Whether items were appended to its list before.
    public var isBegun: Bool

    /// Creates an execution with its items.
    public init(_ execution: Execution, items: [Item], isBegun: Bool = false) {
        self.execution = execution
        self.items = items
        self.isBegun = isBegun
    }
}

/// A filter for executions of the queue; parts that are `nil` do not narrow it.
public struct ExecutionFilter: Hashable, Sendable {
    /// The statuses, any of which matches.
    public var statuses: Set<Status>?
    /// The key under which the execution was submitted.
    public var idempotencyKey: String?
    /// The maximum number of executions.
    public var limit: Int?

    /// Creates a filter from the given parts; by default it matches every execution of the queue.
    public init(statuses: Set<Status>? = nil, idempotencyKey: String? = nil, limit: Int? = nil) {
        self.statuses = statuses
        self.idempotencyKey = idempotencyKey
        self.limit = limit
    }

    /// Returns whether `execution` matches, ignoring the limit.
    public func matches(_ execution: Execution) -> Bool {
        (statuses?.contains(execution.status) ?? true)
            && (idempotencyKey.map { execution.idempotencyKey?.equalsInBytes($0) ?? false } ?? true)
    }
}
