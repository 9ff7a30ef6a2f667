/// The number of executions in each status.
public struct StatusCounts: Hashable, Sendable {
    /// The number of executions in this status.
    public private(set) var pending = 0, running = 0, paused = 0, succeeded = 0, partial = 0, failed = 0
    /// The number of executions in this status.
    public private(set) var cancelled = 0, skipped = 0, aborted = 0

    /// Creates counts of zero.
    public init() {}

    /// The number of executions in `status`.
    public package(set) subscript(status: Status) -> Int {
        get {
            switch status {
            case .pending: pending
            case .running: running
            case .paused: paused
            case .succeeded: succeeded
            case .partial: partial
            case .failed: failed
            case .cancelled: cancelled
            case .skipped: skipped
            case .aborted: aborted
            }
        }
        set {
            switch status {
            case .pending: pending = newValue
            case .running: running = newValue
            case .paused: paused = newValue
            case .succeeded: succeeded = newValue
            case .partial: partial = newValue
            case .failed: failed = newValue
            case .cancelled: cancelled = newValue
            case .skipped: skipped = newValue
            case .aborted: aborted = newValue
            }
        }
    }

    /// The number of all executions.
    public var total: Int {
        pending + running + paused + succeeded + partial + failed + cancelled + skipped + aborted
    }

    /// Returns the counts as text: one line per status, under the queue's name.
    public func text(of name: String) -> String {
        (["Engine State (\(name)):"] + Status.allCases.map { "  \($0.rawValue): \(self[$0]) executions" })
            .joined(separator: "\n")
    }

    /// The counts by status, zeros included.
    public var jsonValue: JSONValue {
        var object = JSONObject()
        for status in Status.allCases { object[status.rawValue] = JSONValue(self[status]) }
        return .object(object)
    }
}

extension StatusCounts: CustomStringConvertible {
    /// All counts in one line.
    public var description: String {
        "Engine(total=\(total), " + Status.allCases.map { "\($0.rawValue)=\(self[$0])" }.joined(separator: ", ") + ")"
    }
}

extension Status {
    /// Creates the status that `word` names.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` naming the nearest word.
    public init(word: String) throws(ProcessingError) {
        guard let status = Status(rawValue: word) else {
            throw ProcessingError(
                .configuration,
                "unknown status '\(word)'" + Suggestion(for: word, among: Self.allCases.map(\.rawValue)).ending)
        }
        self = status
    }
}
