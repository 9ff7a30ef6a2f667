import Assay
import Dispatch
import Foundation
import GRDB
import Synchronization

/// A writer that combines the simultaneous writes of many callers in one transaction, on its own thread.
///
/// All requests that arrive during one commit go into the next one together; no request is delayed to wait for others.
/// A caller continues when the disk has confirmed. Cancelling its task does not undo or interrupt a write.
final class GroupCommit: Sendable {
    /// A request of one caller. It may be attempted twice: the second time alone, after another request of its group
    /// failed.
    private struct Request: Sendable {
        /// Writes, and returns a function that confirms it to the caller.
        let attempt: @Sendable (Connection) throws -> @Sendable () -> Void
        let refuse: @Sendable (ProcessingError) -> Void
    }

    private struct State {
        var waiting: [Request] = []
        var refusal: ProcessingError?
        var isClosed = false
        var isLost = false
        var writerSleeps = false
        var commits = 0
        /// Continuations to resume when that many requests wait.
        var observers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []

        mutating func takeObservers() -> [CheckedContinuation<Void, Never>] {
            guard !observers.isEmpty else { return [] }
            defer { observers.removeAll { $0.count <= waiting.count } }
            return observers.filter { $0.count <= waiting.count }.map(\.continuation)
        }
    }

    static let largestGroup = 1_000
    private static let heartbeat = DispatchTimeInterval.seconds(1)
    private static let pagesWhenIdle = 1_000
    private static let pagesAtMost = 4_000

    private let state = Mutex(State())
    private let arrived = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)

    /// The number of committed transactions.
    var commits: Int { state.withLock { $0.commits } }

    /// Waits until `count` writes wait for the next transaction.
    func waited(by count: Int) async {
        await withCheckedContinuation { continuation in
            let waits = state.withLock { state in
                guard state.waiting.count < count else { return false }
                state.observers.append((count, continuation))
                return true
            }
            if !waits { continuation.resume() }
        }
    }

    /// Checks that the store accepts work.
    func checkUsable() throws(ProcessingError) {
        if let refusal = state.withLock({ $0.refusal }) { throw refusal }
    }

    /// Starts the thread that writes through `queue`, and calls `end` when it has finished.
    ///
    /// - Parameters:
    ///   - check: throws when this program no longer owns the store. Called in each transaction and while there is
    ///     nothing to write.
    ///   - beat: reports that the owner is alive. Called after each commit, before any caller is notified, and every
    ///     second while there is nothing to write.
    func start(
        _ queue: DatabaseQueue, check: @escaping @Sendable (Connection) throws -> Void,
        beat: @escaping @Sendable () -> Void, end: @escaping @Sendable () -> Void
    ) {
        let thread = Thread { [self] in
            queue.inDatabase { database in
                let connection = Connection(database)
                connection.watchLog()
                serve(connection, check, beat)
                if isLost { connection.leaveLog() }
                connection.unwatchLog()
            }
            try? queue.close()
            end()
            ended.signal()
        }
        thread.name = "assay.store"
        thread.start()
    }

    /// Writes with `body` and returns once the write is durable.
    ///
    /// - Throws: what `body` throws, or ``ProcessingError`` with code `store`; in both cases nothing is written.
    func write<Value: Sendable>(_ body: @escaping @Sendable (Connection) throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let request = Request(
                attempt: { connection in
                    let value = try body(connection)
                    return { continuation.resume(returning: value) }
                }, refuse: { continuation.resume(throwing: $0) })
            let (refusal, observers) = state.withLock { state in
                if state.refusal == nil {
                    state.waiting.append(request)
                    wakeWriter(&state)
                }
                return (state.refusal, state.takeObservers())
            }
            for observer in observers { observer.resume() }
            if let refusal { request.refuse(refusal) }
        }
    }

    private func wakeWriter(_ state: inout State) {
        guard state.writerSleeps else { return }
        state.writerSleeps = false
        arrived.signal()
    }

    /// Writes the waiting requests, refuses all later ones, and returns when the database is closed.
    func close() {
        state.withLock { state in
            state.refusal = state.refusal ?? .storeClosed
            state.isClosed = true
            wakeWriter(&state)
        }
        ended.wait()
        ended.signal()
    }

    /// Whether another program has taken over the store.
    private var isLost: Bool { state.withLock { $0.isLost } }

    private func serve(
        _ connection: Connection, _ check: (Connection) throws -> Void, _ beat: () -> Void
    ) {
        while let group = nextGroup() {
            if group.isEmpty {
                // Nothing to write: this still detects that the store was lost.
                do {
                    try connection.savepoint { try check(connection) }
                    beat()
                } catch { refuse([], error) }
            } else {
                write(group, connection, check, beat)
                if !isLost { checkpointIfDue(connection) }
            }
        }
    }

    /// Returns the waiting requests. Waits for one for up to a second; `nil` when the store is closed and none remains.
    private func nextGroup() -> [Request]? {
        while true {
            let (group, isClosed) = state.withLock { state in
                let group = Array(state.waiting.prefix(Self.largestGroup))
                state.waiting.removeFirst(group.count)
                state.writerSleeps = group.isEmpty && !state.isClosed
                return (group, state.isClosed)
            }
            if !group.isEmpty { return group }
            if isClosed { return nil }
            if arrived.wait(timeout: .now() + Self.heartbeat) == .timedOut { return [] }
        }
    }

    private func write(
        _ group: [Request], _ connection: Connection, _ check: (Connection) throws -> Void, _ beat: () -> Void
    ) {
        do {
            let acknowledge = try connection.transaction {
                try check(connection)
                return try group.map { try $0.attempt(connection) }
            }
            beat()
            succeed(acknowledge)
        } catch {
            if group.count == 1 || error.endsTransaction {
                refuse(group, error)
            } else {
                writeEach(group, connection, check, beat)
            }
        }
    }

    /// Writes a group in which a request failed: each request separately, but still in one transaction.
    private func writeEach(
        _ group: [Request], _ connection: Connection, _ check: (Connection) throws -> Void, _ beat: () -> Void
    ) {
        do {
            let acknowledge = try connection.transaction {
                try check(connection)
                return try group.map { request -> @Sendable () -> Void in
                    do {
                        return try connection.savepoint { try request.attempt(connection) }
                    } catch  where !error.endsTransaction {
                        let refusal = ProcessingError.store(error)
                        return { request.refuse(refusal) }
                    }
                }
            }
            beat()
            succeed(acknowledge)
        } catch {
            refuse(group, error)
        }
    }

    private func succeed(_ acknowledge: [@Sendable () -> Void]) {
        state.withLock { $0.commits += 1 }
        for tell in acknowledge { tell() }
    }

    private func refuse(_ group: [Request], _ error: any Error) {
        let refusal = error.isFatalForStore ? ProcessingError.unwritable(error) : .store(error)
        if error is OwnershipLost { state.withLock { $0.isLost = true } }
        if error.isFatalForStore { stop(refusal) }
        for request in group { request.refuse(refusal) }
    }

    /// Refuses everything from now on.
    private func stop(_ refusal: ProcessingError) {
        let waiting = state.withLock { state in
            state.refusal = refusal
            defer { state.waiting = [] }
            return state.waiting
        }
        for request in waiting { request.refuse(refusal) }
    }

    /// Keeps the log short. Runs after the callers were notified, and only when nothing waits, unless the log is too
    /// long.
    private func checkpointIfDue(_ connection: Connection) {
        let isIdle = state.withLock { $0.waiting.isEmpty }
        guard connection.pagesInLog >= (isIdle ? Self.pagesWhenIdle : Self.pagesAtMost) else { return }
        do { try connection.checkpoint() } catch { if error.isFatalForStore { stop(.unwritable(error)) } }
    }
}
