/// The totals of one statement, or of all statements of a file.
public struct StatementSummary: Hashable, Sendable {
    /// The number of transactions, those of zero included.
    public var transactions: Int
    /// Positive sums; `nil` over several currencies.
    public var credits: Amount?
    /// The sum of money out, as a positive number; `nil` over several currencies.
    public var debits: Amount?
    /// The balance before the first entry, if it is known.
    public var opening: Amount?
    /// The balance after the last entry, if it is known.
    public var closing: Amount?
    /// The first and last booking dates; of MT940 the value dates.
    public var firstDate: Day?
    /// The last of those dates.
    public var lastDate: Day?
    /// Whether the opening balance and the entries give the closing balance.
    public var balanceCheck: BalanceCheck

    init(_ statement: Statement, byValueDate: Bool) {
        transactions = statement.entries.count
        var (sumIn, sumOut) = (Amount.zero, Amount.zero)
        for entry in statement.entries {
            if entry.amount > .zero { sumIn += entry.amount } else { sumOut += entry.amount.magnitude }
            guard let day = byValueDate ? entry.valueDay : entry.day else { continue }
            firstDate = firstDate.map { min($0, day) } ?? day
            lastDate = lastDate.map { max($0, day) } ?? day
        }
        (credits, debits) = (sumIn, sumOut)
        (opening, closing) = (statement.opening, statement.closing)
        balanceCheck = statement.balanceCheck
    }

    init(_ parts: [StatementReport.Part]) {
        let summaries = parts.map(\.summary)
        transactions = summaries.reduce(0) { $0 + $1.transactions }
        let isOneCurrency = Set(parts.compactMap(\.currency)).count <= 1
        credits = isOneCurrency ? summaries.reduce(.zero) { $0 + ($1.credits ?? .zero) } : nil
        debits = isOneCurrency ? summaries.reduce(.zero) { $0 + ($1.debits ?? .zero) } : nil
        firstDate = summaries.compactMap(\.firstDate).min()
        lastDate = summaries.compactMap(\.lastDate).max()
        let checks = summaries.map(\.balanceCheck)
        balanceCheck = checks.contains(.mismatch) ? .mismatch : checks.contains(.ok) ? .ok : .notAvailable
        let goOn = zip(summaries, summaries.dropFirst()).allSatisfy { $0.closing != nil && $0.closing == $1.opening }
        if isOneCurrency, goOn, Set(parts.map(\.account)).count == 1 {
            (opening, closing) = (summaries.first?.opening, summaries.last?.closing)
        }
    }
}

extension StatementSummary: Codable {
    private enum CodingKeys: String, CodingKey {
        case transactions, credits, debits, opening, closing
        case firstDate = "first_date"
        case lastDate = "last_date"
        case balanceCheck = "balance_check"
    }

    /// Encodes every key; what is not known as `null`.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(transactions, forKey: .transactions)
        try container.encode(credits, forKey: .credits)
        try container.encode(debits, forKey: .debits)
        try container.encode(opening, forKey: .opening)
        try container.encode(closing, forKey: .closing)
        try container.encode(firstDate, forKey: .firstDate)
        try container.encode(lastDate, forKey: .lastDate)
        try container.encode(balanceCheck, forKey: .balanceCheck)
    }
}
