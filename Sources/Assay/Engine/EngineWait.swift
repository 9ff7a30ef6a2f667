import Synchronization

/// What the engine makes an item wait for.
///
/// Such a wait is not the item's time: its time limit and its heartbeat limit stand still while it lasts, and it is
/// shown to those who watch the run. Who has an item wait does so within ``Desk/waiting(for:in:_:)``, and nowhere else.
/// It is ended by what it waits for, by a stop, or by the time limit of the run.
package enum EngineWait: Hashable, Sendable {
    /// The same paid call, which the named item makes.
    case call(of: String)
    /// A place among the programs of the named processor.
    case place(at: String)
    /// What others have reserved of the named budget.
    case reservation(budget: String)
    /// The time of its next attempt.
    case nextAttempt

    /// What it waits for, as it stands after "3 wait for".
    package var text: String {
        switch self {
        case .call(let item): "a call of \(item)"
        case .place(let processor): "a program of \(processor)"
        case .reservation(let budget): "what is reserved of budget '\(budget)'"
        case .nextAttempt: "their next attempt"
        }
    }

    /// Whether a stop that lets items in flight finish ends it, since the item's work has not begun.
    ///
    /// Calls and reservations come to an end with the items in flight that hold them. To break them off could leave a
    /// paid call in doubt around which they are.
    var endsAtDrain: Bool {
        switch self {
        case .call, .reservation: false
        case .place, .nextAttempt: true
        }
    }
}

/// What is shown of one wait; the code that makes the item wait changes it when the reason changes.
package final class WaitSign: Sendable {
    private let state: Mutex<EngineWait>

    init(_ wait: EngineWait) { state = Mutex(wait) }

    /// Shows another reason for the same wait.
    package func show(_ wait: EngineWait) { state.withLock { $0 = wait } }

    var wait: EngineWait { state.withLock { $0 } }
}

/// What the items of a run wait for at this moment.
final class WaitBoard: Sendable {
    private let signs = Mutex<[ObjectIdentifier: WaitSign]>([:])

    func add(_ sign: WaitSign) { signs.withLock { $0[ObjectIdentifier(sign)] = sign } }

    func remove(_ sign: WaitSign) { signs.withLock { $0[ObjectIdentifier(sign)] = nil } }

    /// How many wait for what, most first.
    var waits: [ItemWait] {
        var counts: [EngineWait: Int] = [:]
        for sign in signs.withLock({ Array($0.values) }) { counts[sign.wait, default: 0] += 1 }
        return counts.map { ItemWait(count: $0.value, reason: $0.key.text) }.sorted {
            ($1.count, $0.reason) < ($0.count, $1.reason)
        }
    }
}

/// How many items of a run wait for the same at one moment.
public struct ItemWait: Hashable, Sendable {
    /// How many.
    public let count: Int
    /// What they wait for, as it stands after "3 wait for": "a call of doc_7".
    public let reason: String

    /// So many items that wait for `reason`.
    public init(count: Int, reason: String) {
        self.count = count
        self.reason = reason
    }
}

extension RunSession {
    /// Has an item wait for something while `body` runs, shows it, and ends it at a stop.
    ///
    /// - Throws: what `body` throws; ``ProcessingError`` with code `cancelled` when a stop has ended the wait.
    func wait<Value: Sendable>(
        for wait: EngineWait, _ body: @escaping @Sendable (WaitSign) async throws -> Value
    ) async throws -> Value {
        let sign = WaitSign(wait)
        tally.waits.add(sign)
        defer { tally.waits.remove(sign) }
        // A stop that does not let items finish cancels their tasks by itself.
        guard wait.endsAtDrain else { return try await body(sign) }
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await body(sign) }
            group.addTask {
                await self.waitForStop(which: \.endsRetries)
                return nil
            }
            defer { group.cancelAll() }
            if let first = try await group.next(), let value = first { return value }
            group.cancelAll()
            do {
                // What came at the same moment is not lost: it may have to be given back.
                if let last = try await group.next(), let value = last { return value }
            } catch  where !(error is CancellationError) {
                throw error
            }
            try Task.checkCancellation()
            throw ProcessingError(.cancelled, "the run was stopped while this waited for \(sign.wait.text)")
        }
    }

    /// Waits before a further attempt, no longer than until a stop after which none is made.
    func backOff(for delay: Duration) async {
        let sign = WaitSign(.nextAttempt)
        tally.waits.add(sign)
        await sleep(until: world.time.uptime() + delay, orStop: \.endsRetries)
        tally.waits.remove(sign)
    }
}
