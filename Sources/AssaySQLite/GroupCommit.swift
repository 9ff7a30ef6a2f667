import Assay
import Dispatch
import Foundation
import GRDB
import Synchronization

/// Writes what many callers ask for at the same time in one transaction, on a thread of its own.
///
/// Whatever comes in while one commit is on its way to the disk goes into the next one together; nobody waits for
/// company. A caller goes on when the disk has confirmed. Cancelling its task does not undo or interrupt a write.
final class GroupCommit: Sendable {
    /// One caller's wish. It may be attempted twice, the second time for itself after a neighbour has failed.
    private struct Request: Sendable {
        /// Writes, and returns what tells the caller so.
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
        /// Those who want to know when so many wait.
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

    /// How many transactions were committed.
    var commits: Int { state.withLock { $0.commits } }

    /// Returns once so many writes wait for the next transaction.
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

    /// Throws when the store refuses all work.
    func checkUsable() throws(ProcessingError) {
        if let refusal = state.withLock({ $0.refusal }) { throw refusal }
    }

    /// Starts the thread that writes through `queue`; `end` is called when it is done.
    ///
    /// - Parameters:
    ///   - check: throws when the store is no longer this program's; asked in each transaction and when nobody writes.
    ///   - beat: says that the owner lives; after each commit, before anybody is told of it, and every second while nobody
    ///     writes.
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

    /// Writes with `body` and returns once that is durable.
    ///
    /// - Throws: what `body` throws, or ``ProcessingError`` with code `store`; then nothing of it was written.
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

    /// Writes what still waits, refuses the rest of the program's life, and returns when the database is closed.
    func close() {
        state.withLock { state in
            state.refusal = state.refusal ?? .storeClosed
            state.isClosed = true
            wakeWriter(&state)
        }
        ended.wait()
        ended.signal()
    }

    /// Whether the store was found to be another program's.
    private var isLost: Bool { state.withLock { $0.isLost } }

    private func serve(
        _ connection: Connection, _ check: (Connection) throws -> Void, _ beat: () -> Void
    ) {
        while let group = nextGroup() {
            if group.isEmpty {
                // Nobody writes: that the store was lost is found out all the same.
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

    /// The requests that wait; waits for one, at most for a second. `nil` when the store is closed and none is left.
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

    /// Writes a group one of whose requests failed: every request for itself, in one transaction still.
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

    /// Keeps the log short, after the callers were told and, while it is not too long, when nobody waits.
    private func checkpointIfDue(_ connection: Connection) {
        let isIdle = state.withLock { $0.waiting.isEmpty }
        guard connection.pagesInLog >= (isIdle ? Self.pagesWhenIdle : Self.pagesAtMost) else { return }
        do { try connection.checkpoint() } catch { if error.isFatalForStore { stop(.unwritable(error)) } }
    }
}
