import Assay
import AssayStatements

/// All about one account, for a terminal.
struct AccountText {
    private let history: AccountHistory
    private let width: Int?

    init(_ history: AccountHistory, width: Int?) {
        (self.history, self.width) = (history, width)
    }

    /// The lines.
    func lines(_ paint: Paint) -> [String] {
        let (report, factors) = (history.report, history.report.factors)
        var lines = AccountTable([history]).lines(width: width, paint)
        lines += section("FIGURES", figures, paint)
        if !(factors.months ?? []).isEmpty {
            lines += [""] + MonthTable([history], width: width).table.lines(width: width, paint: paint)
        }
        lines += streams(paint) + excluded(paint)
        lines += [""] + StatementTable([history], width: width).table.lines(width: width, paint: paint)
        let name = report.account ?? history.label
        return lines + ["", "every entry: assay statements transactions --account \(name.safe)"]
    }

    private var figures: [[String]] {
        let (factors, total) = (history.report.factors, history.report.factors.total)
        return [
            ["opening", .figure(total.opening)], ["ending", .figure(total.endingBalance)],
            ["average daily balance", .figure(total.averageDailyBalance)],
            ["lowest daily balance", .figure(total.lowestDailyBalance)],
            [
                "days negative, longest run",
                "\(String.figure(total.daysNegative)), \(String.figure(total.longestNegativeRun))",
            ],
            ["deposits", "\(total.depositsTotal) (\(total.depositsCount) on \(total.depositDays) days)"],
            ["true revenue", .figure(total.trueRevenue)], ["net revenue", .figure(total.netRevenue)],
            ["withdrawals", "\(total.withdrawalsTotal)"], ["net cash flow", "\(total.netCashFlow)"],
            ["NSF, overdrafts", "\(String.figure(total.nsfCount)), \(String.figure(total.overdraftCount))"],
            ["fees", "\(total.feesTotal)"],
            [
                "advances: positions, paid",
                "\(String.figure(factors.mcaPositions)), \(String.figure(total.mcaPaymentsTotal))",
            ],
            ["holdback", .figure(factors.holdback)], ["loan payments", "\(total.loanPaymentsTotal)"],
            ["payroll", "\(total.payrollTotal)"], ["rent", "\(total.rentTotal)"], ["taxes", "\(total.taxesTotal)"],
            ["owners in, out", "\(total.ownerIn), \(total.ownerOut)"],
            ["trend", .figure(factors.trend?.trendClass.rawValue)],
        ]
    }

    private func section(_ title: String, _ rows: [[String]], _ paint: Paint) -> [String] {
        var table = TextTable([.text(title), .text("")])
        table.rows = rows
        return [""] + table.lines(width: width, paint: paint)
    }

    private func streams(_ paint: Paint) -> [String] {
        let streams = history.report.factors.recurring.prefix(20)
        guard !streams.isEmpty else { return [] }
        var table = TextTable([
            .flexible("RECURRING"), .text("CLASS"), .text("PACE"), .number("COUNT"), .number("MEDIAN"),
            .number("TOTAL"),
            .text("LAST").dropped(2), .text("STATUS").dropped(1),
        ])
        table.rows = streams.map { stream in
            [
                stream.text, stream.entryClass.rawValue, stream.cadence.rawValue, "\(stream.count)",
                stream.direction == "in" ? "\(stream.median)" : "-\(stream.median)", "\(stream.total)",
                "\(stream.last)", stream.status.rawValue,
            ]
        }
        return [""] + table.lines(width: width, paint: paint)
    }

    private func excluded(_ paint: Paint) -> [String] {
        let rows = history.entries.filter { $0.amount > .zero && !$0.countsAsRevenue }
            .sorted { ($1.amount, $0.date) < ($0.amount, $1.date) }
        guard !rows.isEmpty, history.report.accountType?.isDebt != true else { return [] }
        var table = TextTable([
            .text("NOT REVENUE"), .number("AMOUNT"), .text("CLASS"), .flexible("DESCRIPTION"), .flexible("WHY"),
        ])
        let shown = 10
        table.rows = rows.prefix(shown).map {
            ["\($0.date)", "\($0.amount)", $0.entryClass.rawValue, $0.description, $0.why ?? ""]
        }
        let rest = rows.count > shown ? ["and \((rows.count - shown).grouped) more"] : []
        return [""] + table.lines(width: width, paint: paint) + rest
    }
}

extension AccountHistory {
    /// All of the account as one object.
    func json(cost: Bill) throws -> JSONValue {
        var object = JSONObject()
        object["schema"] = "assay/statement_account/1"
        object["account"] = JSONValue(text: report.account)
        object["account_type"] = JSONValue(text: report.accountType?.rawValue)
        object["currency"] = JSONValue(text: report.currency)
        object["statements"] = JSONValue(count: report.statements)
        object["chain"] = .string(report.chain.rawValue)
        object["balance_check"] = .string(report.balanceCheck.rawValue)
        object["sources"] = .array(sources.map(\.json))
        var factors = try JSONValue(encoding: report.factors)
        if case .object(var members) = factors {
            object["months"] = members["months"] ?? .null
            members["months"] = nil
            factors = .object(members)
        }
        object["factors"] = factors
        object["daily"] = .array(days.map { [JSONValue($0.day), JSONValue($0.balance)] })
        object["entries"] = .array(entries.map(\.json))
        object["flags"] = .array(report.factors.flags.map { .string($0.rawValue) })
        object["flag_reasons"] = try JSONValue(encoding: report.flagReasons)
        object["cost"] = [
            "currency": .string(cost.currency), "total_cost": cost.totalCost.jsonValue,
            "avoided_cost": cost.avoidedCost.jsonValue,
        ]
        return .object(object)
    }
}

extension AccountHistory.Source {
    fileprivate var json: JSONValue {
        [
            "path": JSONValue(text: source?.name), "sha256": JSONValue(text: source?.sha256),
            "statement": JSONValue(source?.number), "format": JSONValue(text: format?.rawValue),
            "from": JSONValue(from), "to": JSONValue(to), "entries": JSONValue(count: summary.transactions),
            "opening": JSONValue(summary.opening), "closing": JSONValue(summary.closing),
            "balance_check": .string(summary.balanceCheck.rawValue),
        ]
    }
}

extension AccountHistory.Entry {
    fileprivate var json: JSONValue {
        [
            "date": JSONValue(date), "value_date": JSONValue(valueDate), "amount": JSONValue(amount),
            "balance": JSONValue(balance), "description": .string(description), "class": .string(entryClass.rawValue),
            "why": JSONValue(text: why), "counted_in_revenue": .bool(countsAsRevenue), "returned": .bool(isReturned),
            "source": JSONValue(text: source?.name), "row": JSONValue(count: number),
        ]
    }
}
