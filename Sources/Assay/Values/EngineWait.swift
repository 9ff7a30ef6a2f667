import Synchronization

/// A reason for which the engine makes an item wait.
///
/// A wait does not count as the item's time: the item's time limit and heartbeat limit are paused meanwhile, and
/// observers of the run see the wait. Code makes an item wait only within ``Desk/waiting(for:in:_:)``. A wait ends when
/// its reason is gone, when the run stops, or when the run reaches its time limit.
package enum EngineWait: Hashable, Sendable {
    /// The same paid call, made by the named item.
    case call(of: String)
    /// A free program of the named processor.
    case place(at: String)
    /// Money that others have reserved from the named budget.
    case reservation(budget: String)
    /// The time of the item's next attempt.
    case nextAttempt

    /// The reason as it appears after "3 wait for".
    package var text: String {
        switch self {
        case .call(let item): "a call of \(item)"
        case .place(let processor): "a program of \(processor)"
        case .reservation(let budget): "what is reserved of budget '\(budget)'"
        case .nextAttempt: "their next attempt"
        }
    }

    /// Whether a stop that lets items in flight finish ends the wait, because the item's work has not begun.
    ///
    /// Calls and reservations end with the items in flight that hold them. Breaking off such a wait could leave the
    /// paid call that contains it in doubt.
    var endsAtDrain: Bool {
        switch self {
        case .call, .reservation: false
        case .place, .nextAttempt: true
        }
    }
}

/// The visible reason of one wait; the code that makes the item wait updates it when the reason changes.
package final class WaitSign: Sendable {
    private let state: Mutex<EngineWait>

    init(_ wait: EngineWait) { state = Mutex(wait) }

    /// Shows another reason for the same wait.
    package func show(_ wait: EngineWait) { state.withLock { $0 = wait } }

    var wait: EngineWait { state.withLock { $0 } }
}

/// The current waits of a run's items.
final class WaitBoard: Sendable {
    private let signs = Mutex<[ObjectIdentifier: WaitSign]>([:])

    func add(_ sign: WaitSign) { signs.withLock { $0[ObjectIdentifier(sign)] = sign } }

    func remove(_ sign: WaitSign) { signs.withLock { $0[ObjectIdentifier(sign)] = nil } }

    /// The number of waiting items for each reason, largest first.
    var waits: [ItemWait] {
        var counts: [EngineWait: Int] = [:]
        for sign in signs.withLock({ Array($0.values) }) { counts[sign.wait, default: 0] += 1 }
        return counts.map { ItemWait(count: $0.value, reason: $0.key.text) }.sorted {
            ($1.count, $0.reason) < ($0.count, $1.reason)
        }
    }
}

/// The number of a run's items that wait for the same reason at one moment.
public struct ItemWait: Hashable, Sendable {
    /// The number of items.
    public let count: Int
    /// The reason as it appears after "3 wait for": "a call of doc_7".
    public let reason: String

    /// Creates a wait of `count` items for `reason`.
    public init(count: Int, reason: String) {
        self.count = count
        self.reason = reason
    }
}
