/// Where something stands; one enum for executions, runs, batches, items and nodes.
public enum Status: String, Codable, Sendable, CaseIterable {
    case pending, running, paused, succeeded, partial, failed, cancelled, skipped, aborted

    /// Whether nothing happens to it any more unless someone asks for it again.
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

    /// This status after a move to `next`.
    ///
    /// - Throws: ``ProcessingError`` with code `illegal_move` when the table does not allow it; the same status
    ///   again is such a move.
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

/// The parts of a run.
public enum Phase: String, Codable, Sendable, CaseIterable {
    /// All items, in order, outside the runner: prevalidation, transformation, validation.
    case preprocessing
    /// Each item by itself, inside the runner.
    case extraction
    /// Collecting, aggregating and closing the bill.
    case postprocessing
}
