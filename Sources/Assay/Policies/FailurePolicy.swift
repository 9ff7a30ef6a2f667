/// A policy that decides what items that failed for good mean for the rest of their run.
public enum FailurePolicy: Hashable, Sendable {
    /// The run continues to its last item, whatever fails.
    case collect
    /// The first failure ends the run.
    case stop
    /// The run continues while failed ÷ all items is at most this share, compared exactly.
    case tolerate(share: Number)
    /// The first failure ends the run, and no outputs are kept.
    case atomic

    /// Returns whether further items may start after `failed` of `total` items have failed for good.
    public func continues(afterFailures failed: Int, of total: Int) -> Bool {
        switch self {
        case .collect: true
        case .stop, .atomic: failed == 0
        case .tolerate(let share):
            // failed / total <= c × 10^e  ⇔  failed × 10^-e <= total × c, without dividing.
            if share.exponent >= 0 {
                share.coefficient > 0 || failed == 0
            } else {
                (Int128(failed).scaled(byPowerOfTen: -share.exponent) ?? .max) <= Int128(total) * share.coefficient
            }
        }
    }

    /// Creates the policy that `text` names: `collect`, `stop`, `atomic` or `tolerate:0.1`.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` for any other word or a share outside 0 to 1.
    public init(_ text: String) throws(ProcessingError) {
        switch text {
        case "collect": self = .collect
        case "stop": self = .stop
        case "atomic": self = .atomic
        default:
            guard text.hasPrefix("tolerate:"), let share = Number(String(text.dropFirst(9))), share >= 0, share <= 1,
                share.reduced.exponent >= -18
            else {
                throw ProcessingError(
                    .configuration,
                    "unknown failure policy '\(text)'; known: collect, stop, tolerate:SHARE (0 to 1), atomic")
            }
            self = .tolerate(share: share.reduced)
        }
    }
}

extension FailurePolicy: CustomStringConvertible {
    public var description: String {
        switch self {
        case .collect: "collect"
        case .stop: "stop"
        case .tolerate(let share): "tolerate:\(share)"
        case .atomic: "atomic"
        }
    }
}
