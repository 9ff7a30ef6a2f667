extension ReportPage {
    /// Returns a figure, or why there is none.
    static func figure(_ amount: Amount?, _ reason: @autoclosure () -> String) -> String {
        amount.map { HTML.escaped($0.grouped) } ?? absent(reason())
    }

    /// Returns a count, or why there is none.
    static func figure(_ count: Int?, _ reason: @autoclosure () -> String) -> String {
        count.map { "\($0)" } ?? absent(reason())
    }

    /// Returns the sign of an absent figure, with the reason.
    static func absent(_ reason: String) -> String {
        "<span class=\"none\">\u{2013} <small>\(HTML.escaped(reason))</small></span>"
    }

    /// Returns an account by its short name, masked where that was asked for.
    func name(of history: AccountHistory) -> String { masked(history.shortName) }
}

/// The combined figures of all accounts in one currency that hold no debt.
struct BusinessFigures {
    let currency: String?
    let reports: [AccountHistory]

    /// The mean of the accounts' true revenue over their whole months, added up.
    var monthlyRevenue: (Amount?, String) {
        var sum = Amount.zero
        for history in reports {
            let whole = (history.report.factors.months ?? []).filter(\.isWhole)
            let revenue = whole.reduce(Amount.zero) { $0 + ($1.factors.trueRevenue ?? .zero) }
            guard let mean = revenue.divided(by: whole.count) else { return (nil, "an account has no whole month") }
            sum += mean
        }
        return (sum, "")
    }

    var revenue: Amount { reports.reduce(.zero) { $0 + ($1.report.factors.total.trueRevenue ?? .zero) } }

    /// The accounts' average daily balances, added up where all cover the same days.
    var averageDailyBalance: (Amount?, String) {
        guard Set(reports.map(\.report.factors.total.period)).count == 1 else {
            return (nil, "the accounts cover different days")
        }
        return sum(\.averageDailyBalance)
    }

    var endingBalance: (Amount?, String) {
        guard Set(reports.map { $0.report.factors.total.period.last }).count == 1 else {
            return (nil, "the accounts end on different days")
        }
        return sum(\.endingBalance)
    }

    private func sum(_ figure: KeyPath<PeriodFactors, Amount?>) -> (Amount?, String) {
        let known = reports.compactMap { $0.report.factors.total[keyPath: figure] }
        guard known.count == reports.count else {
            return (nil, "\(reports.count - known.count) of \(reports.count) accounts have no opening balance")
        }
        return (known.reduce(.zero, +), "")
    }

    var daysNegative: (Int?, String) {
        let known = reports.compactMap(\.report.factors.total.daysNegative)
        guard known.count == reports.count else {
            return (nil, "\(reports.count - known.count) of \(reports.count) accounts have no opening balance")
        }
        return (known.reduce(0, +), "")
    }

    var refusals: Int {
        reports.reduce(0) {
            $0 + ($1.report.factors.total.nsfCount ?? 0) + ($1.report.factors.total.overdraftCount ?? 0)
        }
    }

    /// The same in the last 30 covered days.
    var recentRefusals: Int { reports.reduce(0) { $0 + $1.refusals(inLast: 30) } }

    var positions: Int { reports.reduce(0) { $0 + ($1.report.factors.mcaPositions ?? 0) } }

    var holdback: Amount? {
        reports.reduce(.zero) { $0 + ($1.report.factors.total.mcaPaymentsTotal ?? .zero) }.ratio(to: revenue)
    }

    /// Each account's trend, with the account where there are several.
    var trends: [(history: AccountHistory, trend: String)] {
        reports.compactMap { history in
            history.report.factors.trend.map { (history, $0.trendClass.rawValue) }
        }
    }
}

extension AccountHistory {
    /// Returns the number of returned items and overdrafts in the last `count` covered days, counted as in the factors.
    func refusals(inLast count: Int) -> Int {
        guard let last = report.factors.total.period.last ?? nil else { return 0 }
        var (fees, returns, overdrafts) = ([Day: Int](), [Day: Int](), 0)
        for entry in entries where last - entry.date < count {
            switch (entry.entryClass, entry.amount > .zero) {
            case (.nsfFee, false): fees[entry.date, default: 0] += 1
            case (.insufficientFundsReturn, true): returns[entry.date, default: 0] += 1
            case (.overdraftFee, false): overdrafts += 1
            default: break
            }
        }
        let isDebt = report.accountType?.isDebt == true
        let unbooked = isDebt ? 0 : refusals.count { last - $0 < count }
        return overdrafts + unbooked
            + Set(fees.keys).union(returns.keys).reduce(0) { $0 + max(fees[$1] ?? 0, returns[$1] ?? 0) }
    }

    /// The last four characters of the account's number, or its name; its first file where it has neither.
    var shortName: String {
        guard let account = report.account else {
            let file = sources.first?.source?.name.split(separator: "/").last
            return file.map { "(\($0))" } ?? "account without a number"
        }
        let digits = account.filter { $0.isNumber || $0.isLetter }
        return digits.count > 4 && digits.contains(where: \.isNumber) ? "\u{2026}" + digits.suffix(4) : account
    }
}
