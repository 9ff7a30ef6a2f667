/// All factors of one account over one or several statements.
public struct Factors: Hashable, Sendable {
    /// The version of the definitions that the factors follow.
    public static let definitionVersion = 2

    /// A deposit that a list names.
    public struct Deposit: Codable, Hashable, Sendable {
        /// The day it was booked; `nil` if the file does not date it.
        public var date: Day
        /// Positive for money in, negative for money out.
        public var amount: Amount
        /// The normalized text.
        public var text: String
        /// The meaning of the entry to an underwriter.
        public var entryClass: EntryClass

        private enum CodingKeys: String, CodingKey {
            case date, amount, text
            case entryClass = "class"
        }
    }

    /// One month's factors; of a month that is covered in part, over the covered days.
    public struct Month: Hashable, Sendable {
        /// As `2025-03`.
        public var month: String
        /// The factors of the covered days.
        public var factors: PeriodFactors

        /// The number of days in the month.
        public var length: Int {
            let parts = month.split(separator: "-").compactMap { Int($0) }
            return parts.count == 2 ? Day.length(ofMonth: parts[1], in: parts[0]) : factors.days
        }

        /// Whether every day of it is covered.
        public var isWhole: Bool { factors.days == length }
    }

    /// The factors over all covered days.
    public var total: PeriodFactors
    /// The number of entries that the factors are computed from.
    public var entries: Int
    /// Deposits that are not revenue, largest first.
    public var excludedDeposits: [Deposit]
    /// Deposits above a share of a month's true revenue, largest first.
    public var largeDeposits: [Deposit]
    /// Streams, largest total first.
    public var recurring: [RecurringStream]
    /// Distinct advances that are still being paid back.
    public var mcaPositions: Int?
    /// The share of true revenue that goes to advances, to four places.
    public var holdback: Amount?
    /// The trend of true revenue; `nil` of an account that only holds debt.
    public var trend: Trend?
    /// The trend of all deposits; `nil` of an account that only holds debt.
    public var depositsTrend: Trend?
    /// The trend of the average daily balance.
    public var balanceTrend: Trend
    /// The sign of the slope over the month ends.
    public var endingBalanceTrend: Int?
    /// Warnings about the factors.
    public var flags: [FactorFlag]
    /// The months, where several statements are taken together.
    public var months: [Month]?
    /// The version of the definitions.
    public var definitionVersion = Factors.definitionVersion

    /// Makes the factors of statements of one account, sorted by period and free of duplicates.
    init(
        _ activities: [Activity], settings: FactorSettings, classifier: Classifier, accountType: AccountType? = nil,
        withMonths: Bool = false, flags: Set<FactorFlag> = [], ownTransfers: Set<TransferLeg> = []
    ) {
        let isDebt = accountType?.isDebt == true
        let ledger = Ledger(activities, settings: settings, classifier: classifier, ownTransfers: ownTransfers)
        let lines = ledger.lines
        total = PeriodFactors(
            ledger, days: 0..<ledger.days.count, lines: 0..<lines.count, settings: settings, isDebt: isDebt)
        entries = lines.count
        let byMonth = Factors.months(of: ledger, settings: settings, isDebt: isDebt)
        months = withMonths ? byMonth.map(\.factors) : nil
        let full = byMonth.filter(\.isFull)
        let numbers = full.map(\.number)
        trend = isDebt ? nil : Trend(months: numbers, values: full.compactMap(\.factors.factors.trueRevenue))
        depositsTrend = isDebt ? nil : Trend(months: numbers, values: full.map(\.factors.factors.depositsTotal))
        let balances = full.filter { $0.factors.factors.averageDailyBalance != nil }
        balanceTrend = Trend(
            months: balances.map(\.number), values: balances.compactMap(\.factors.factors.averageDailyBalance))
        endingBalanceTrend = Trend.slope(balances.map(\.number), balances.compactMap(\.factors.factors.endingBalance))
            .map { $0.billionths.signum() }.map(Int.init)
        let revenue = total.trueRevenue ?? .zero
        holdback = total.mcaPaymentsTotal.flatMap { $0.ratio(to: revenue) }
        let allStreams = ledger.streams.map { RecurringStream($0, in: ledger) }
        mcaPositions =
            isDebt ? nil : allStreams.count { $0.entryClass == .mca && $0.direction == "out" && $0.status != .ended }
        recurring = Array(allStreams.sorted { ($1.total, $0.text) < ($0.total, $1.text) }.prefix(settings.mostListed))
        let mean =
            full.isEmpty
            ? revenue
            : full.reduce(.zero) { $0 + ($1.factors.factors.trueRevenue ?? .zero) }.divided(by: full.count) ?? .zero
        let (product, overflow) = mean.billionths.multipliedReportingOverflow(
            by: settings.largeDepositShare.billionths / 1000)
        let limit = overflow ? mean : Amount(billionths: Amount.halfEven(product, Amount.one / 1000))
        excludedDeposits = isDebt ? [] : Factors.list(ledger, settings) { $0.entryClass != .revenue }
        largeDeposits = isDebt ? [] : Factors.list(ledger, settings) { $0.amount > limit }
        var flags = ledger.flags.union(flags)
        if accountType == .card { flags.insert(.cardAccount) }
        if accountType == .loan { flags.insert(.loanAccount) }
        self.flags = flags.sorted()
    }

    private static func list(
        _ ledger: Ledger, _ settings: FactorSettings, where isListed: (Ledger.Line) -> Bool
    ) -> [Deposit] {
        let chosen = ledger.lines.indices.filter { ledger.lines[$0].amount > .zero && isListed(ledger.lines[$0]) }
        return chosen.sorted { (ledger.lines[$1].amount, $0) < (ledger.lines[$0].amount, $1) }.prefix(
            settings.mostListed
        )
        .map { index in
            let line = ledger.lines[index]
            return Deposit(
                date: line.day, amount: line.amount, text: ledger.texts[line.text], entryClass: line.entryClass)
        }
    }

    /// Returns the calendar months that are covered, in whole or in part.
    private static func months(
        of ledger: Ledger, settings: FactorSettings, isDebt: Bool
    ) -> [(number: Int, isFull: Bool, factors: Month)] {
        var result: [(number: Int, isFull: Bool, factors: Month)] = []
        var start = 0
        var line = 0
        while start < ledger.days.count {
            let (year, month, _) = ledger.days[start].date
            guard let first = Day(year: year, month: month, day: 1) else { break }
            let length = Day.length(ofMonth: month, in: year)
            let next = first + length
            var end = start
            while end < ledger.days.count, ledger.days[end] < next { end += 1 }
            let firstLine = line
            while line < ledger.lines.count, ledger.lines[line].day < next { line += 1 }
            let factors = PeriodFactors(
                ledger, days: start..<end, lines: firstLine..<line, settings: settings, isDebt: isDebt)
            let name = "\(year)-\(month < 10 ? "0" : "")\(month)"
            result.append((year * 12 + month - 1, end - start == length, Month(month: name, factors: factors)))
            start = end
        }
        return result
    }
}
