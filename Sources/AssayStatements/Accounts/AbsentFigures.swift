extension AccountReport {
    /// Why balances of the account are not known.
    package var reasonWithoutBalance: String {
        factors.flags.contains(.noOpeningBalance) ? "no opening balance" : "no balance known"
    }

    /// Why figures of a business are not known of the account.
    package var reasonWithoutBusiness: String { accountType == .loan ? "loan account" : "card account" }

    /// Why days below zero are not counted.
    package var reasonWithoutNegativeDays: String {
        accountType?.isDebt == true ? reasonWithoutBusiness : reasonWithoutBalance
    }

    /// Why there is no share of revenue.
    package var reasonWithoutHoldback: String {
        accountType?.isDebt == true ? reasonWithoutBusiness : "no revenue"
    }
}

extension AccountHistory {
    /// The entries that are not booked yet, in words; `nil` where there are none.
    package var pending: String? {
        let left = sources.map(\.leftOut).filter { $0.pending > 0 }
        let count = left.reduce(0) { $0 + $1.pending }
        guard count > 0 else { return nil }
        let sums = left.compactMap(\.pendingSum)
        let sum = sums.count == left.count ? " of \(sums.reduce(.zero, +))" : ", whose amounts are not all known,"
        return count == 1
            ? "1 pending entry\(sum) counts in no figure" : "\(count) pending entries\(sum) count in no figure"
    }
}
