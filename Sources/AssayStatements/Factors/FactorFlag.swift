/// What a reader of factors must know before trusting them.
public enum FactorFlag: String, Codable, Hashable, Comparable, Sendable {
    /// Balances, totals or a running balance contradict the entries.
    case unreconciled
    /// The statements leave days out, or a balance does not go on from the one before.
    case gap
    /// The statements cover some days twice.
    case overlap
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

    /// Orders by size.
    public static func < (left: FactorFlag, right: FactorFlag) -> Bool { left.rawValue < right.rawValue }
}
