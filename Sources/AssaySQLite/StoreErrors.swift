import Assay
import GRDB

extension ProcessingError {
    /// The error for all requests after the store was closed.
    static var storeClosed: ProcessingError { ProcessingError(.store, "the store is closed", retryable: false) }

    /// Returns the error for a row that is not as it was written.
    static func damaged(_ what: String) -> ProcessingError {
        ProcessingError(
            .store, "\(what) is damaged in the database; run 'assay store check' and restore a backup", retryable: false
        )
    }

    /// Converts an `error` of the database; returns a ``ProcessingError`` unchanged.
    static func store(_ error: any Error) -> ProcessingError {
        switch error {
        case let known as ProcessingError: return known
        case let lost as OwnershipLost: return lost.refusal
        case let error as DatabaseError:
            let reason = error.message ?? "code \(error.extendedResultCode.rawValue)"
            let message =
                switch error.resultCode {
                case .SQLITE_FULL: "the disk is full and nothing of this was written; free some space and try again"
                case .SQLITE_BUSY, .SQLITE_LOCKED: "the database is locked by another program; try again"
                case .SQLITE_CORRUPT, .SQLITE_NOTADB:
                    "the database is damaged (\(reason)); run 'assay store check' and restore a backup"
                case .SQLITE_CANTOPEN: "the database cannot be opened (\(reason)); look at the rights of its folder"
                default: "the database refused: \(reason)"
                }
            return ProcessingError(.store, message, cause: error)
        default: return ProcessingError(.store, "the store failed: \(error)", cause: error)
        }
    }

    /// Returns the error for all requests after `error` made the contents of the disk unknown.
    static func unwritable(_ error: any Error) -> ProcessingError {
        if let lost = error as? OwnershipLost { return lost.refusal }
        let reason = (error as? DatabaseError)?.message ?? String(describing: error)
        return ProcessingError(
            .store, "the database could not be written: \(reason); nothing was acknowledged; restart", retryable: false,
            cause: error)
    }
}

extension Error {
    /// Whether it is unknown which of the last writes are on the disk, so that nothing more may be acknowledged.
    var isFatalForStore: Bool {
        if self is OwnershipLost { return true }
        return switch (self as? DatabaseError)?.resultCode {
        case .SQLITE_IOERR, .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PROTOCOL: true
        default: false
        }
    }

    /// Whether it concerns the whole transaction and not only the request that met it.
    var endsTransaction: Bool {
        switch (self as? DatabaseError)?.resultCode {
        case .SQLITE_FULL, .SQLITE_NOMEM, .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_INTERRUPT: true
        default: isFatalForStore
        }
    }
}
