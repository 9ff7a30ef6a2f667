extension ReportPage {
    /// Returns the months side by side, the newest at the right.
    func months(of history: AccountHistory) -> String {
        let months = ReportPage.shownMonths(of: history)
        guard !months.isEmpty else { return HTML.section("Months", "<p>No days are covered.</p>\n", level: 3) }
        let whole = months.filter(\.isWhole)
        var titles = [""]
        titles += months.map { "#\($0.month)" + ($0.isWhole ? "" : "\n\($0.factors.days) of \($0.length) days") }
        titles += ["#average" + (whole.isEmpty ? "\nno whole month" : "")]
        titles += [
            "#last 3" + (whole.count < 3 ? "\nonly \(whole.count) whole \(whole.count == 1 ? "month" : "months")" : "")
        ]
        let rows = ReportPage.monthRows(history.report).map { row -> [HTML.Cell] in
            var cells: [HTML.Cell] = [.head(row.title)]
            for (index, month) in months.enumerated() {
                let value = row.value(month.factors)
                var html = row.note(month.factors).map { HTML.escaped($0) } ?? row.figure(value)
                if let remark = row.remark(month.factors) { html += "<small>\(HTML.escaped(remark))</small>" }
                if row.showsChange, let value, index > 0, let before = row.value(months[index - 1].factors),
                    month.isComparable(with: months[index - 1]),
                    let change = (value - before).ratio(to: before.magnitude)
                {
                    html += "<small>\(change < .zero ? "" : "+")\(HTML.escaped(change.percent))</small>"
                }
                cells.append(HTML.Cell(html: html, isNumber: true, isStrong: row.isStrong))
            }
            for (part, isLast) in [(whole, false), (Array(whole.suffix(3)), true)] {
                let values = part.compactMap { row.value($0.factors) }
                let isKnown = values.count == part.count && (!isLast || part.count == 3)
                let mean = isKnown ? values.reduce(Amount.zero, +).divided(by: values.count) : nil
                // Where there are too few months, the title says so.
                let html =
                    part.isEmpty || isLast && part.count < 3 ? "\u{2013}" : row.figure(mean)
                cells.append(HTML.Cell(html: html, isNumber: true, isStrong: row.isStrong))
            }
            return cells
        }
        let note =
            "<p class=\"soft\">Averages are of whole months (\(whole.count) here); small figures are the change on the month before, where both are whole.</p>\n"
        return HTML.section(
            "Months", HTML.table(titles, rows, className: months.count > 6 ? "months many" : "months") + note, level: 3)
    }

    /// Returns at most the 12 newest months, without months at an edge that only carry a balance.
    static func shownMonths(of history: AccountHistory) -> [Factors.Month] {
        var months = history.report.factors.months ?? []
        func isCarried(_ month: Factors.Month) -> Bool {
            !month.isWhole && month.factors.depositsCount == 0 && month.factors.withdrawalsCount == 0
        }
        while months.count > 1, let first = months.first, isCarried(first) { months.removeFirst() }
        while months.count > 1, let last = months.last, isCarried(last) { months.removeLast() }
        return months.suffix(12)
    }

    /// A row of the months' table.
    private struct MonthRow {
        var title: String
        var reason = ""
        var isStrong = false
        var showsChange = false
        var value: (PeriodFactors) -> Amount?
        /// The text in place of the value.
        var note: (PeriodFactors) -> String? = { _ in nil }
        /// The note below the value.
        var remark: (PeriodFactors) -> String? = { _ in nil }
        /// The format of a value.
        var format: (Amount) -> String = \.grouped

        func figure(_ value: Amount?) -> String {
            value.map { HTML.escaped(format($0)) } ?? ReportPage.absent(reason)
        }
    }

    private static func monthRows(_ report: AccountReport) -> [MonthRow] {
        func count(_ value: Int?) -> Amount? { value.map { Amount(billionths: Int128($0) * Amount.one) } }
        func plain(_ value: Int?) -> String? { value.map { "\($0)" } }
        let balance = report.reasonWithoutBalance
        let business = report.reasonWithoutBusiness
        var rows = [
            MonthRow(title: "Opening balance", reason: balance, value: \.opening),
            MonthRow(
                title: "Deposits", showsChange: true, value: { $0.depositsTotal },
                remark: { "\($0.depositsCount) on \($0.depositDays) \($0.depositDays == 1 ? "day" : "days")" }),
        ]
        if report.accountType?.isDebt != true {
            rows += [
                MonthRow(
                    title: "Not revenue", value: { figures in figures.trueRevenue.map { figures.depositsTotal - $0 } }),
                MonthRow(
                    title: "True revenue", reason: business, isStrong: true, showsChange: true, value: \.trueRevenue),
                MonthRow(title: "Returned deposits", reason: business, value: \.returnedDepositsTotal),
            ]
        }
        rows += [
            MonthRow(title: "Withdrawals", showsChange: true, value: { $0.withdrawalsTotal }),
            MonthRow(title: "Net cash flow", value: { $0.netCashFlow }),
            MonthRow(
                title: "Average daily balance", reason: balance, isStrong: true, showsChange: true,
                value: \.averageDailyBalance),
            MonthRow(title: "Lowest daily balance", reason: balance, value: \.lowestDailyBalance),
            MonthRow(title: "Ending balance", reason: balance, value: \.endingBalance),
        ]
        if report.accountType?.isDebt != true {
            rows += [
                MonthRow(
                    title: "Negative days, longest run", reason: balance, isStrong: true,
                    value: { count($0.daysNegative) },
                    note: { figures in
                        figures.daysNegative.map { "\($0), \(figures.longestNegativeRun ?? 0)" }
                    }),
                MonthRow(
                    title: "NSF", reason: business, isStrong: true, value: { count($0.nsfCount) },
                    note: { plain($0.nsfCount) }),
                MonthRow(
                    title: "Overdrafts", reason: business, value: { count($0.overdraftCount) },
                    note: { plain($0.overdraftCount) }),
            ]
        }
        rows += [
            MonthRow(title: "Fees", value: { $0.feesTotal }),
            MonthRow(title: "Loan payments", value: { $0.loanPaymentsTotal }),
        ]
        if report.accountType?.isDebt != true {
            rows += [
                MonthRow(title: "Advance payments", reason: business, value: \.mcaPaymentsTotal),
                MonthRow(
                    title: "of revenue", reason: "no revenue",
                    value: { figures in
                        figures.mcaPaymentsTotal.flatMap { paid in figures.trueRevenue.flatMap { paid.ratio(to: $0) } }
                    },
                    format: \.percent),
                MonthRow(title: "Payroll", value: { $0.payrollTotal }),
                MonthRow(title: "Rent", value: { $0.rentTotal }), MonthRow(title: "Taxes", value: { $0.taxesTotal }),
                MonthRow(title: "Owners in", value: { $0.ownerIn }),
                MonthRow(title: "Owners out", value: { $0.ownerOut }),
            ]
        }
        return rows + [MonthRow(title: "Largest deposit", reason: "no deposit", value: \.largestDeposit)]
    }
}

extension Factors.Month {
    /// Returns whether the month follows the other one and both are covered whole.
    fileprivate func isComparable(with before: Factors.Month) -> Bool {
        guard isWhole, before.isWhole else { return false }
        let parts = [before.month, month].map { $0.split(separator: "-").compactMap { Int($0) } }
        guard parts.allSatisfy({ $0.count == 2 }) else { return false }
        return parts[1][0] * 12 + parts[1][1] == parts[0][0] * 12 + parts[0][1] + 1
    }
}
