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
    /// What is no entry although an underwriter asks for it, in words: entries that are not booked yet, and payments
    /// that
    /// were refused before they were.
    package var leftOutInWords: [String] {
        let left = sources.map(\.leftOut)
        var words: [String] = []
        let pending = left.filter { $0.pending > 0 }
        let count = pending.reduce(0) { $0 + $1.pending }
        if count > 0 {
            let sums = pending.compactMap(\.pendingSum)
            let sum =
                sums.count == pending.count
                ? " of \(sums.reduce(.zero, +))" : ", whose amounts are not all known,"
            words.append(
                count == 1
                    ? "1 pending entry\(sum) counts in no figure" : "\(count) pending entries\(sum) count in no figure")
        }
        let refused = left.reduce(0) { $0 + $1.refusedForFunds }
        if refused > 0 {
            words.append(
                refused == 1
                    ? "1 row was refused for lack of funds: it is no entry, and counts as NSF"
                    : "\(refused) rows were refused for lack of funds: they are no entries, and count as NSF")
        }
        return words
    }
}
