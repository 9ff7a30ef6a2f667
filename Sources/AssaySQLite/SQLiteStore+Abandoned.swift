import Assay

// A read-only store shows what a dead owner left as the next owner will recover it. None of that is written.

extension SQLiteStore {
    /// Reads with `body`, and converts the result with `shown` if a dead owner left it.
    ///
    /// `body` runs before the owner on record is checked, so its result was not written by a later owner.
    func readShowing<Value>(
        _ connection: Connection, _ body: () throws -> Value, _ shown: (Value, Abandoned) throws -> Value
    ) throws -> Value {
        let found = try body()
        guard let abandoned, try connection.ownerStamp() == abandoned.stamp else { return found }
        return try shown(found, abandoned)
    }
}

extension Connection {
    /// Returns a run as the next owner will recover it.
    func shown(_ run: Run, _ abandoned: Abandoned) throws -> Run {
        guard run.status == .running || run.status == .pending else { return run }
        return try interrupted(run, lastSign: abandoned.lastSign)
    }

    /// Returns an execution as the next owner will recover it.
    func shown(_ execution: Execution, _ abandoned: Abandoned) throws -> Execution {
        guard execution.status == .running || execution.isCancelling else { return execution }
        guard execution.number != nil else {
            // It has the status of its last run, which is shown as failed.
            guard execution.status == .running else { return execution }
            var execution = execution
            execution.status = .failed
            return execution
        }
        let record = try queueRecord()
        let known = record?["configuration"].flatMap { try? QueueConfiguration(json: $0) }
        let configuration = try known ?? QueueConfiguration(capacity: 1, refreshTime: .seconds(1))
        let end = try execution.lastRunID.flatMap { try run($0) }.map { try shown($0, abandoned).finishedAt }
        var recovered = try execution.recovered(
            by: configuration, at: (end ?? nil) ?? abandoned.lastSign ?? execution.startedAt ?? execution.createdAt)
        if recovered.status == .pending {
            recovered.waitsFor = "a worker: its program was interrupted, and it goes on where it was"
        }
        return recovered
    }

}
