/// The report on a file of statements: totals, and the factors of each statement.
public struct StatementReport: Hashable, Sendable {
    /// One statement of the file.
    public struct Part: Hashable, Sendable {
        /// The number or IBAN, if the file names it.
        public var account: String?
        /// The ISO 4217 code, if the file names it.
        public var currency: String?
        /// The kind of account; `nil` if nothing in the file tells it.
        public var accountType: AccountType?
        /// The first and the last day that the bank states; `nil` where it states none.
        public var period: [Day?]
        /// The totals.
        public var summary: StatementSummary
        /// The factors of the covered days.
        public var factors: Factors
        /// The data that the factors of several statements are computed from.
        public var activity: Activity
        /// A balance of a day that neither opens nor closes the statement.
        public var statedBalance: StatedBalance?
        /// The rows or entries that are no movements.
        public var leftOut: LeftOut
        /// The evidence for each decision about the file.
        public var evidence: [Evidence]
        /// The first row that the running balance does not lead to.
        public var brokenRow: Int?
        /// The transactions, if they were asked for.
        public var entries: [Transaction]?
        /// Where the statement was read from; known only while reports are put together, and never encoded.
        var source: StatementSource?
    }

    /// One transaction as it is listed.
    public struct Transaction: Codable, Hashable, Sendable {
        /// The day it was booked; `nil` if the file does not date it.
        public var date: Day?
        /// The value date, where the format has one.
        public var valueDate: Day?
        /// Positive for money in, negative for money out.
        public var amount: Amount
        /// The text, without control characters.
        public var description: String

        private enum CodingKeys: String, CodingKey {
            case date, amount, description
            case valueDate = "value_date"
        }

        /// Encodes the value as the report shows it.
        public func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(date, forKey: .date)
            try container.encode(valueDate, forKey: .valueDate)
            try container.encode(amount, forKey: .amount)
            try container.encode(description, forKey: .description)
        }
    }

    /// The format it was read as.
    public var format: StatementFormat
    /// The one currency; `nil` if there are several or none is named.
    public var currency: String?
    /// Over all statements; `opening` and `closing` only of one account whose balances continue each other.
    public var summary: StatementSummary
    /// The statements, in the order of the file.
    public var statements: [Part]
}

extension StatementFile {
    /// Returns the file's totals and factors.
    ///
    /// - Parameter includeTransactions: whether each statement also lists its transactions.
    public func report(
        settings: FactorSettings = FactorSettings(), includeTransactions: Bool = false
    ) -> StatementReport {
        let classifier = Classifier.with(settings)
        let parts = statements.map { statement in
            let activity = Activity(statement)
            return StatementReport.Part(
                account: statement.account, currency: statement.currency, accountType: statement.accountType,
                period: [statement.from, statement.to],
                summary: StatementSummary(statement, byValueDate: format == .mt940),
                factors: Factors(
                    [activity], settings: settings, classifier: classifier, accountType: statement.accountType),
                activity: activity,
                statedBalance: statement.statedBalance, leftOut: statement.leftOut, evidence: statement.evidence,
                brokenRow: statement.brokenRow,
                entries: includeTransactions
                    ? statement.entries.map {
                        .init(date: $0.day, valueDate: $0.valueDay, amount: $0.amount, description: $0.text)
                    } : nil)
        }
        let currencies = Set(parts.compactMap(\.currency))
        return StatementReport(
            format: format, currency: currencies.count == 1 ? currencies.first : nil, summary: StatementSummary(parts),
            statements: parts)
    }
}
