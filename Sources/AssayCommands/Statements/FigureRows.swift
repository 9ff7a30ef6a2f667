import Assay
import AssayStatements

extension ExportRows {
    /// The figures of accounts, a row each.
    static func accounts(_ histories: [AccountHistory]) -> ExportRows {
        var export = ExportRows(
            schema: "assay/statement_accounts/1", list: "accounts",
            keys: [
                "account", "account_type", "currency", "sources", "statements", "period_from", "period_to", "days",
            ] + figureKeys + ["holdback", "mca_positions", "trend", "balance_check", "flags"])
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
                JSONValue(report.factors.holdback), JSONValue(report.factors.mcaPositions),
                JSONValue(text: report.factors.trend?.trendClass.rawValue), .string(report.balanceCheck.rawValue),
                .array(report.factors.flags.map { .string($0.rawValue) }),
            ]
            export.rows.append(head + figures(total) + tail)
        }
        return export
    }

    /// The figures of accounts by month.
    static func months(_ histories: [AccountHistory]) -> ExportRows {
        var export = ExportRows(
            schema: "assay/statement_months/1", list: "months",
            keys: ["account", "account_type", "currency", "month", "days_covered", "days_in_month"] + figureKeys)
        for history in histories {
            for month in history.report.factors.months ?? [] {
                let head: [JSONValue] = [
                    JSONValue(text: history.report.account), JSONValue(text: history.report.accountType?.rawValue),
                    JSONValue(text: history.report.currency), .string(month.month),
                    JSONValue(count: month.factors.days), JSONValue(count: month.length),
                ]
                export.rows.append(head + figures(month.factors))
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

    private static let figureKeys = [
        "opening", "ending_balance", "average_daily_balance", "lowest_daily_balance", "days_negative",
        "longest_negative_run", "deposits_count", "deposits_total", "true_revenue", "net_revenue",
        "withdrawals_total", "net_cash_flow", "nsf_count", "overdraft_count", "returned_deposits_count",
        "fees_total", "mca_payments_total", "loan_payments_total", "payroll_total", "rent_total", "taxes_total",
        "owner_in", "owner_out",
    ]

    private static func figures(_ period: PeriodFactors) -> [JSONValue] {
        [
            JSONValue(period.opening), JSONValue(period.endingBalance), JSONValue(period.averageDailyBalance),
            JSONValue(period.lowestDailyBalance), JSONValue(period.daysNegative), JSONValue(period.longestNegativeRun),
            JSONValue(count: period.depositsCount), JSONValue(period.depositsTotal), JSONValue(period.trueRevenue),
            JSONValue(period.netRevenue), JSONValue(period.withdrawalsTotal), JSONValue(period.netCashFlow),
            JSONValue(period.nsfCount), JSONValue(period.overdraftCount), JSONValue(period.returnedDepositsCount),
            JSONValue(period.feesTotal), JSONValue(period.mcaPaymentsTotal), JSONValue(period.loanPaymentsTotal),
            JSONValue(period.payrollTotal), JSONValue(period.rentTotal), JSONValue(period.taxesTotal),
            JSONValue(period.ownerIn), JSONValue(period.ownerOut),
        ]
    }
}

extension Array where Element: Hashable {
    /// Each element once, where it first stands.
    var unique: [Element] {
        var seen = Set<Element>()
        return filter { seen.insert($0).inserted }
    }
}
