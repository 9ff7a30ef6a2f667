/// The status of an execution, a run, a batch, an item or a node; one enum for all of them.
public enum Status: String, Codable, Sendable, CaseIterable {
    case pending, running, paused, succeeded, partial, failed, cancelled, skipped, aborted

    /// Whether the status is final unless someone requests the work again.
    public var isTerminal: Bool {
        switch self {
        case .pending, .running, .paused: false
        case .succeeded, .partial, .failed, .cancelled, .skipped, .aborted: true
        }
    }

    /// The statuses that may follow this one.
    public var legalMoves: Set<Status> {
        switch self {
        case .pending: [.running, .skipped, .aborted, .cancelled]
        case .running: [.succeeded, .partial, .failed, .cancelled, .paused]
        case .paused: [.running, .cancelled]
        case .succeeded, .partial, .failed, .cancelled, .skipped, .aborted: []
        }
    }

    /// Returns this status after a move to `next`.
    ///
    /// - Throws: ``ProcessingError`` with code `illegal_move` when the table does not allow the move; moving to the
    ///   same status is not allowed.
    public func moved(to next: Status) throws(ProcessingError) -> Status {
        guard legalMoves.contains(next) else {
            let allowed = legalMoves.map(\.rawValue).sorted().joined(separator: ", ")
            throw ProcessingError(
                .illegalMove,
                "cannot go from \(rawValue) to \(next.rawValue); "
                    + (allowed.isEmpty ? "\(rawValue) is final" : "allowed: \(allowed)"))
        }
        return next
    }
}

/// A part of a run.
public enum Phase: String, Codable, Sendable, CaseIterable {
    /// All items, in order, outside the runner: prevalidation, transformation, validation.
    case preprocessing
    /// Each item by itself, inside the runner.
    case extraction
    /// Collecting, aggregating and closing the bill.
    case postprocessing
}
