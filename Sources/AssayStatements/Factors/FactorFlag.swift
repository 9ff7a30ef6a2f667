/// A warning that a reader of factors must know before trusting them.
public enum FactorFlag: String, Codable, Hashable, Comparable, Sendable {
    /// Balances, totals or a running balance contradict the entries.
    case unreconciled
    /// The statements leave days out, or a balance does not continue the one before.
    case gap
    /// No opening balance is known, so there are no daily balances.
    case noOpeningBalance = "no_opening_balance"
    /// The statements are in several currencies.
    case mixedCurrency = "mixed_currency"
    /// Entries without a date were counted on the last day.
    case undatedEntries = "undated_entries"
    /// Entries dated outside the period were counted on its first or last day.
    case entriesOutsidePeriod = "entries_outside_period"
    /// A card account, which has no revenue, returned items or advances.
    case cardAccount = "card_account"
    /// A loan account, which has none either.
    case loanAccount = "loan_account"

    /// No amount of the file shows which way money went beyond doubt; it is read as a bank account.
    case directionAssumed = "direction_assumed"
    /// The stated balance is of a day after the period, so it closes nothing.
    case balanceAfterPeriod = "balance_after_period"
    /// The stated balance is of a day before the last entry, so it closes nothing.
    case balanceBeforeLastEntry = "balance_before_last_entry"
    /// The stated balance has no day, so it closes nothing.
    case balanceUndated = "balance_undated"
    /// Amounts in another currency were converted at the rate that the entry gives.
    case convertedEntries = "converted_entries"
    /// Entries repeat the mark and the content of another entry.
    case repeatedIds = "repeated_ids"
    /// Entries lie in the future.
    case futureDated = "future_dated"
    /// An interim report, without a closing balance.
    case interim
    /// Entries marked as reversals were turned, because only then the balances add up.
    case reversalTurned = "reversal_turned"
    /// Days beyond a month's end were read as its last day.
    case datesCorrected = "dates_corrected"
    /// Entries of the same days in several files were counted once.
    case overlapMerged = "overlap_merged"
    /// Files differ in the entries of days that both cover.
    case overlapConflict = "overlap_conflict"

    /// Orders by size.
    public static func < (left: FactorFlag, right: FactorFlag) -> Bool { left.rawValue < right.rawValue }
}
