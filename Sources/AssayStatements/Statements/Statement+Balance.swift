/// Whether a statement's balances and entries agree.
public enum BalanceCheck: String, Codable, Hashable, Sendable {
    case ok, mismatch
    /// A balance is missing, so there is nothing to compare.
    case notAvailable = "n/a"
}

extension Statement {
    /// Whether the opening balance and the entries give the closing balance.
    public var balanceCheck: BalanceCheck {
        guard let opening, let closing else { return .notAvailable }
        if contradictsTotals { return .mismatch }
        return entries.reduce(opening) { $0 + $1.amount } == closing ? .ok : .mismatch
    }
}
