import Synchronization

extension RunSession {
    /// Shows that an item waits while `body` runs, and ends the wait at a stop.
    ///
    /// - Throws: what `body` throws; ``ProcessingError`` with code `cancelled` when a stop has ended the wait.
    func wait<Value: Sendable>(
        for wait: EngineWait, _ body: @escaping @Sendable (WaitSign) async throws -> Value
    ) async throws -> Value {
        let sign = WaitSign(wait)
        tally.waits.add(sign)
        defer { tally.waits.remove(sign) }
        // A stop that does not let items finish cancels their tasks anyway.
        guard wait.endsAtDrain else { return try await body(sign) }
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await body(sign) }
            group.addTask {
                await self.stops.wait(which: \.endsRetries)
                return nil
            }
            defer { group.cancelAll() }
            if let first = try await group.next(), let value = first { return value }
            group.cancelAll()
            do {
                // A value that arrives at the same moment is not lost: it may have to be released.
                if let last = try await group.next(), let value = last { return value }
            } catch  where !(error is CancellationError) {
                throw error
            }
            try Task.checkCancellation()
            throw ProcessingError(.cancelled, "the run was stopped while this waited for \(sign.wait.text)")
        }
    }

    /// Waits before a further attempt. A stop that ends retries also ends the wait.
    func backOff(for delay: Duration) async {
        let sign = WaitSign(.nextAttempt)
        tally.waits.add(sign)
        await stops.sleep(until: world.time.uptime() + delay, orStop: \.endsRetries)
        tally.waits.remove(sign)
    }
}
