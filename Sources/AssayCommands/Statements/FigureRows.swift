import Assay
import AssayStatements

extension ExportRows {
    /// The figures of accounts, a row each.
    static func accounts(_ histories: [AccountHistory]) -> ExportRows {
        var export = ExportRows(
            schema: "assay/statement_accounts/1", list: "accounts",
            keys: [
                "account", "account_type", "currency", "sources", "statements", "period_from", "period_to", "days",
            ] + figures.map(\.key) + ["trend", "balance_check", "flags"])
        for history in histories {
            let report = history.report
            let total = report.factors.total
            let sources = history.sources.compactMap(\.source?.name)
            let head: [JSONValue] = [
                JSONValue(text: report.account), JSONValue(text: report.accountType?.rawValue),
                JSONValue(text: report.currency), .array(sources.unique.map { .string($0) }),
                JSONValue(count: report.statements), JSONValue(total.period.first ?? nil),
                JSONValue(total.period.last ?? nil), JSONValue(count: total.days),
            ]
            let tail: [JSONValue] = [
                JSONValue(text: report.factors.trend?.trendClass.rawValue), .string(report.balanceCheck.rawValue),
                .array(report.factors.flags.map { .string($0.rawValue) }),
            ]
            export.rows.append(head + figures.map { $0.value(total, report.factors) } + tail)
        }
        return export
    }

    /// The figures of accounts by month.
    static func months(_ histories: [AccountHistory]) -> ExportRows {
        var export = ExportRows(
            schema: "assay/statement_months/1", list: "months",
            keys: ["account", "account_type", "currency", "month", "days_covered", "days_in_month"]
                + figures.map(\.key))
        for history in histories {
            for month in history.report.factors.months ?? [] {
                let head: [JSONValue] = [
                    JSONValue(text: history.report.account), JSONValue(text: history.report.accountType?.rawValue),
                    JSONValue(text: history.report.currency), .string(month.month),
                    JSONValue(count: month.factors.days), JSONValue(count: month.length),
                ]
                export.rows.append(head + figures.map { $0.value(month.factors, nil) })
            }
        }
        return export
    }

    /// All entries of accounts.
    static func transactions(_ histories: [AccountHistory]) -> ExportRows {
        var export = ExportRows(
            schema: "assay/statement_transactions/1", list: "transactions",
            keys: [
                "account", "currency", "date", "value_date", "amount", "balance", "description", "class", "why",
                "counted_in_revenue", "source", "row", "flags",
            ])
        for history in histories {
            for entry in history.entries {
                export.rows.append([
                    JSONValue(text: history.report.account), JSONValue(text: history.report.currency),
                    JSONValue(entry.date), JSONValue(entry.valueDate), JSONValue(entry.amount),
                    JSONValue(entry.balance), .string(entry.description), .string(entry.entryClass.rawValue),
                    JSONValue(text: entry.why), .bool(entry.countsAsRevenue), JSONValue(text: entry.source?.name),
                    JSONValue(count: entry.number), .array(entry.isReturned ? [.string("returned")] : []),
                ])
            }
        }
        return export
    }

    /// A figure of some days; `all` are the figures of the account where these are all of its days.
    private typealias Figure = (key: String, value: @Sendable (_ days: PeriodFactors, _ all: Factors?) -> JSONValue)

    private static let figures: [Figure] = [
        ("opening", { days, _ in JSONValue(days.opening) }),
        ("ending_balance", { days, _ in JSONValue(days.endingBalance) }),
        ("average_daily_balance", { days, _ in JSONValue(days.averageDailyBalance) }),
        ("lowest_daily_balance", { days, _ in JSONValue(days.lowestDailyBalance) }),
        ("days_negative", { days, _ in JSONValue(days.daysNegative) }),
        ("longest_negative_run", { days, _ in JSONValue(days.longestNegativeRun) }),
        ("deposits_count", { days, _ in JSONValue(count: days.depositsCount) }),
        ("deposits_total", { days, _ in JSONValue(days.depositsTotal) }),
        ("true_revenue", { days, _ in JSONValue(days.trueRevenue) }),
        ("net_revenue", { days, _ in JSONValue(days.netRevenue) }),
        ("withdrawals_total", { days, _ in JSONValue(days.withdrawalsTotal) }),
        ("net_cash_flow", { days, _ in JSONValue(days.netCashFlow) }),
        ("nsf_count", { days, _ in JSONValue(days.nsfCount) }),
        ("overdraft_count", { days, _ in JSONValue(days.overdraftCount) }),
        ("returned_deposits_count", { days, _ in JSONValue(days.returnedDepositsCount) }),
        ("fees_total", { days, _ in JSONValue(days.feesTotal) }),
        // Whether an advance still goes on is told over all days only.
        ("mca_positions", { _, all in JSONValue(all?.mcaPositions) }),
        ("mca_payments_total", { days, _ in JSONValue(days.mcaPaymentsTotal) }),
        ("loan_payments_total", { days, _ in JSONValue(days.loanPaymentsTotal) }),
        (
            "holdback",
            { days, _ in
                JSONValue(days.mcaPaymentsTotal.flatMap { paid in days.trueRevenue.flatMap { paid.ratio(to: $0) } })
            }
        ),
        ("payroll_total", { days, _ in JSONValue(days.payrollTotal) }),
        ("rent_total", { days, _ in JSONValue(days.rentTotal) }),
        ("taxes_total", { days, _ in JSONValue(days.taxesTotal) }),
        ("owner_in", { days, _ in JSONValue(days.ownerIn) }),
        ("owner_out", { days, _ in JSONValue(days.ownerOut) }),
    ]
}

extension Array where Element: Hashable {
    /// Each element once, where it first stands.
    var unique: [Element] {
        var seen = Set<Element>()
        return filter { seen.insert($0).inserted }
    }
}
