/// All of one account: what its statements come to, every entry with what it is and why, and its daily balances.
public struct AccountHistory: Sendable {
    /// One entry of the account.
    public struct Entry: Sendable {
        /// The day it counts for.
        public var date: Day
        /// The value date, where it is on record.
        public var valueDate: Day?
        /// Positive for money in, negative for money out.
        public var amount: Amount
        /// The balance at the end of the day, where daily balances are known.
        public var balance: Amount?
        /// The text as the bank wrote it, where it is on record, else its words without numbers.
        public var description: String
        /// The meaning of the entry to an underwriter.
        public var entryClass: EntryClass
        /// The phrase or code that made it so; `nil` where nothing spoke for another class.
        public var why: String?
        /// Whether it is part of true revenue.
        public var countsAsRevenue: Bool
        /// Whether it was returned the same day, so that it is no payment.
        public var isReturned: Bool
        /// Where it was read from.
        public var source: StatementSource?
        /// Its place among the entries of its file, from 1.
        public var number: Int
    }

    /// The balance at the end of a day.
    public struct DayBalance: Hashable, Sendable {
        /// The day.
        public var day: Day
        /// The balance.
        public var balance: Amount
    }

    /// One statement of the account.
    public struct Source: Sendable {
        /// Where it was read from.
        public var source: StatementSource?
        /// The format it was read as.
        public var format: StatementFormat?
        /// The covered days.
        public var from: Day?
        /// The last covered day.
        public var to: Day?
        /// The totals.
        public var summary: StatementSummary
        /// The rows or entries that are no movements.
        public var leftOut: LeftOut
        /// The evidence for each decision about the file.
        public var evidence: [Evidence]

        /// The rows of the table, or the entries of the message: those that are movements and those left out.
        public var rows: Int { summary.transactions + leftOut.count }
        /// The known export, or the profile, that it was read by.
        public var profile: String? { evidence.first { $0.decision == Evidence.profile }?.value }
    }

    /// The figures of the account.
    public var report: AccountReport
    /// The statements, by period.
    public var sources: [Source]
    /// The entries, by day.
    public var entries: [Entry]
    /// The days of the payments that were refused for lack of funds before they were booked, in no order.
    package var refusals: [Day]
    /// The debts that are paid back: advances, then loans and leases, each with the largest total first.
    public var positions: [Position]
    /// The balance at the end of each covered day; empty where it is not known.
    public var days: [DayBalance]

    /// Returns the accounts of all reports, in the order they first appear; as ``AccountReport/reports(of:settings:)``
    /// has them.
    public static func histories(
        of reports: [SourcedReport], settings: FactorSettings = FactorSettings()
    ) -> [AccountHistory] {
        let formats = Dictionary(reports.map { ($0.name, $0.report.format) }) { first, _ in first }
        let classifier = Classifier.with(settings)
        let groups = StatementGroup.groups(reports.flatMap(\.parts))
        return zip(groups, StatementGroup.ownTransfers(of: groups)).map { group, transfers in
            AccountHistory(group, settings, classifier, ownTransfers: transfers, formats: formats)
        }
    }

    private init(
        _ group: StatementGroup, _ settings: FactorSettings, _ classifier: Classifier, ownTransfers: Set<TransferLeg>,
        formats: [String: StatementFormat]
    ) {
        report = AccountReport(group, settings: settings, classifier: classifier, ownTransfers: ownTransfers)
        sources = group.parts.map { part in
            Source(
                source: part.source, format: part.source.flatMap { formats[$0.name] }, from: part.activity.from,
                to: part.activity.to, summary: part.summary, leftOut: part.leftOut, evidence: part.evidence)
        }
        let ledger = Ledger(
            group.parts.map(\.activity), settings: settings, classifier: classifier, ownTransfers: ownTransfers)
        days = ledger.hasBalances ? zip(ledger.days, ledger.balances).map { DayBalance(day: $0, balance: $1) } : []
        let balances = Dictionary(days.map { ($0.day, $0.balance) }) { _, last in last }
        refusals = ledger.refusals
        let isDebt = report.accountType?.isDebt == true
        entries = ledger.lines.map { line in
            let part = group.parts[Int(line.statement)]
            let listed = part.entries.flatMap { entries in
                entries.indices.contains(Int(line.place)) ? entries[Int(line.place)] : nil
            }
            return Entry(
                date: line.day, valueDate: listed?.valueDate, amount: line.amount, balance: balances[line.day],
                description: listed?.description ?? ledger.texts[line.text], entryClass: line.entryClass,
                why: AccountHistory.why(line, ledger, classifier),
                countsAsRevenue: !isDebt && line.entryClass == .revenue && line.amount > .zero,
                isReturned: line.isReturned, source: part.source,
                number: (part.source?.entriesBefore ?? 0) + Int(line.place) + 1)
        }
        positions = isDebt ? [] : Position.positions(in: ledger, entries)
    }

    private static func why(_ line: Ledger.Line, _ ledger: Ledger, _ classifier: Classifier) -> String? {
        if line.entryClass != ledger.classByText(of: line) {
            return line.entryClass == .mca
                ? "equal payments at a steady pace" : "the money left another account of these statements"
        }
        return classifier.reason(for: line.entryClass, of: ledger.texts[line.text], kind: ledger.kinds[line.text])
    }
}
