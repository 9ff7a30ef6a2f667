import Assay
import AssayStatements

/// All about one account, for a terminal.
struct AccountText {
    private let history: AccountHistory
    private let cost: Bill
    private let width: Int?

    init(_ history: AccountHistory, cost: Bill, width: Int?) {
        (self.history, self.cost, self.width) = (history, cost, width)
    }

    /// The lines.
    func lines(_ paint: Paint) -> [String] {
        let report = history.report
        var lines = AccountTable([history]).lines(width: width, paint)
        lines += block(figures, paint)
        if !(report.factors.months ?? []).isEmpty { lines += block(MonthTable([history], width: width).table, paint) }
        lines += block(negativeDays, paint, of: history.days.count { $0.balance < .zero })
        lines += block(positions, paint) + block(recurring, paint, of: report.factors.recurring.count)
        let excluded = history.entries.filter { $0.amount > .zero && !$0.countsAsRevenue }
        if report.accountType?.isDebt != true {
            lines += block(entries("NOT REVENUE", excluded), paint, of: excluded.count)
            let returns = history.entries.filter { $0.entryClass.isReturn }
            lines += block(entries("RETURNS", returns), paint, of: returns.count)
        }
        lines += block(StatementTable([history], width: width).table, paint) + [""] + BillText(cost).lines(paint)
        let name = report.account ?? history.label
        return lines + ["", "every entry: assay statements transactions --account \(name.safe)"]
    }

    /// The most rows of a table.
    private static let shown = 10

    /// A table with a line before it, and how many rows are not in it; nothing where it is empty.
    private func block(_ table: TextTable, _ paint: Paint, of count: Int? = nil) -> [String] {
        guard !table.rows.isEmpty else { return [] }
        let rest = (count ?? table.rows.count) - table.rows.count
        return [""] + table.lines(width: width, paint: paint) + (rest > 0 ? ["and \(rest.grouped) more"] : [])
    }

    private var figures: TextTable {
        let (report, factors, total) = (history.report, history.report.factors, history.report.factors.total)
        let (balance, business) = (report.reasonWithoutBalance, report.reasonWithoutBusiness)
        let negative = report.reasonWithoutNegativeDays
        func figure(_ value: (some CustomStringConvertible)?, _ reason: String) -> String {
            value.map { "\($0)" } ?? "– \(reason)"
        }
        var table = TextTable([.text("FIGURES"), .text("")])
        table.rows = [
            ["period", total.period.compactMap { $0.map { "\($0)" } }.joined(separator: " to ")],
            ["opening", figure(total.opening, balance)], ["ending", figure(total.endingBalance, balance)],
            ["average daily balance", figure(total.averageDailyBalance, balance)],
            ["lowest daily balance", figure(total.lowestDailyBalance, balance)],
            [
                "days negative, longest run",
                figure(total.daysNegative.map { "\($0), \(String.figure(total.longestNegativeRun))" }, negative),
            ],
            ["deposits", "\(total.depositsTotal) (\(total.depositsCount) on \(total.depositDays) days)"],
            ["true revenue", figure(total.trueRevenue, business)], ["net revenue", figure(total.netRevenue, business)],
            ["withdrawals", "\(total.withdrawalsTotal)"], ["net cash flow", "\(total.netCashFlow)"],
            [
                "NSF, overdrafts",
                figure(total.nsfCount.map { "\($0), \(String.figure(total.overdraftCount))" }, business),
            ],
            ["fees", "\(total.feesTotal)"],
            [
                "advances: positions, paid",
                figure(factors.mcaPositions.map { "\($0), \(String.figure(total.mcaPaymentsTotal))" }, business),
            ],
            ["holdback", figure(factors.holdback, report.reasonWithoutHoldback)],
            ["loan payments", "\(total.loanPaymentsTotal)"], ["payroll", "\(total.payrollTotal)"],
            ["rent", "\(total.rentTotal)"], ["taxes", "\(total.taxesTotal)"],
            ["owners in, out", "\(total.ownerIn), \(total.ownerOut)"],
            ["trend", figure(factors.trend?.trendClass.rawValue, business)],
        ]
        return table
    }

    private var negativeDays: TextTable {
        var table = TextTable([.text("BELOW ZERO"), .number("BALANCE")])
        guard history.report.accountType?.isDebt != true else { return table }
        table.rows = history.days.filter { $0.balance < .zero }.prefix(Self.shown).map {
            ["\($0.day)", "\($0.balance)"]
        }
        return table
    }

    private var positions: TextTable {
        var table = TextTable([
            .flexible("POSITION"), .text("PACE").dropped(3), .number("MEDIAN"), .number("COUNT"), .number("PAID"),
            .number("MISSED").dropped(5), .number("RETURNED").dropped(4), .text("STATUS"), .text("NEXT DUE"),
            .text("OPENED").dropped(2), .number("WITH").dropped(1),
        ])
        table.rows = history.positions.map { position in
            let (stream, opening) = (position.stream, position.opening?.entry)
            return [
                stream.text, stream.cadence.rawValue, "\(stream.median)", "\(stream.count)", "\(stream.total)",
                "\(position.missed)", "\(position.returned)", stream.status.rawValue,
                position.nextDue.map { "\($0)" } ?? "– ended", .figure(opening?.date),
                .figure(opening?.amount),
            ]
        }
        return table
    }

    private var recurring: TextTable {
        var table = TextTable([
            .flexible("RECURRING"), .text("CLASS"), .text("PACE"), .number("COUNT"), .number("MEDIAN"),
            .number("TOTAL"), .text("LAST").dropped(2), .text("STATUS").dropped(1),
        ])
        table.rows = history.report.factors.recurring.prefix(Self.shown).map { stream in
            [
                stream.text, stream.entryClass.rawValue, stream.cadence.rawValue, "\(stream.count)",
                stream.direction == "in" ? "\(stream.median)" : "-\(stream.median)", "\(stream.total)",
                "\(stream.last)", stream.status.rawValue,
            ]
        }
        return table
    }

    private func entries(_ title: String, _ entries: [AccountHistory.Entry]) -> TextTable {
        var table = TextTable([
            .text(title), .number("AMOUNT"), .text("CLASS"), .flexible("DESCRIPTION"), .flexible("WHY"),
        ])
        table.rows = entries.sorted { ($1.amount.magnitude, $0.date) < ($0.amount.magnitude, $1.date) }
            .prefix(Self.shown)
            .map { ["\($0.date)", "\($0.amount)", $0.entryClass.rawValue, $0.description, $0.why ?? ""] }
        return table
    }
}
