/// The result of checking a statement's balances against its entries.
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

    /// Leaves out entries of days to come that no balance includes; those that one includes stay, and are flagged.
    mutating func leaveOutFuture(after day: Day) {
        guard entries.contains(where: { $0.day.map { $0 > day } ?? false }) else { return }
        let future = entries.filter { $0.day.map { $0 > day } ?? false }
        guard closing == nil, future.count < entries.count else {
            flags.insert(.futureDated)
            return
        }
        entries.removeAll { $0.day.map { $0 > day } ?? false }
        for entry in future { leftOut.addPending(entry.amount) }
        evidence.append(Evidence("pending", "\(future.count) entries after \(day)", by: "the day of reading"))
    }
}
