extension ReportPage {
    /// Writes the section on deposits: kinds, the largest ones, payers, and what is not revenue.
    func deposits(of history: AccountHistory) -> String {
        let deposits = history.entries.filter { $0.amount > .zero }
        let isDebt = history.report.accountType?.isDebt == true
        guard !deposits.isEmpty else {
            return HTML.section(isDebt ? "Payments received" : "Deposits", "<p>There are none.</p>\n", level: 3)
        }
        let total = deposits.reduce(Amount.zero) { $0 + $1.amount }
        guard !isDebt else { return HTML.section("Payments received", largest(deposits, of: history), level: 3) }
        let body =
            byKind(deposits, total) + "<h4>The largest deposits</h4>\n" + largest(deposits, of: history)
            + payers(deposits, total) + excluded(deposits)
        return HTML.section("Deposits", body, level: 3)
    }

    private func byKind(_ deposits: [AccountHistory.Entry], _ total: Amount) -> String {
        var (order, sums) = ([EntryClass](), [EntryClass: (count: Int, sum: Amount)]())
        for entry in deposits {
            if sums[entry.entryClass] == nil { order.append(entry.entryClass) }
            let known = sums[entry.entryClass] ?? (0, .zero)
            sums[entry.entryClass] = (known.count + 1, known.sum + entry.amount)
        }
        let rows = order.sorted { (sums[$1]?.sum ?? .zero, $0.rawValue) < (sums[$0]?.sum ?? .zero, $1.rawValue) }
            .map { kind -> [HTML.Cell] in
                let (count, sum) = sums[kind] ?? (0, .zero)
                return [
                    .text(kind.words), .number("\(count)"), .number(sum.grouped),
                    .number(sum.share(of: total) ?? "\u{2013}"),
                ]
            }
        return HTML.table(["Kind", "#Count", "#Sum", "#Share"], rows)
    }

    private func largest(_ deposits: [AccountHistory.Entry], of history: AccountHistory) -> String {
        var months: [String: Amount] = [:]
        for month in history.report.factors.months ?? [] { months[month.month] = month.factors.depositsTotal }
        let rows = deposits.sorted { ($1.amount, $0.date) < ($0.amount, $1.date) }.prefix(10).map {
            entry -> [HTML.Cell] in
            let share = months[String("\(entry.date)".prefix(7))].flatMap { entry.amount.share(of: $0) }
            return [
                .day(entry.date), .text(masked(entry.description)), .number(entry.amount.grouped),
                .text(entry.entryClass.words), .number(share ?? "\u{2013}"), .text(place(of: entry)),
            ]
        }
        return HTML.table(["Date", "From whom", "#Amount", "Kind", "#Of the month", "From"], rows)
    }

    private func payers(_ deposits: [AccountHistory.Entry], _ total: Amount) -> String {
        var (order, sums) = ([String](), [String: (count: Int, sum: Amount)]())
        for entry in deposits where entry.countsAsRevenue {
            let payer = NormalisedText.of(entry.description)
            if sums[payer] == nil { order.append(payer) }
            let known = sums[payer] ?? (0, .zero)
            sums[payer] = (known.count + 1, known.sum + entry.amount)
        }
        guard !order.isEmpty else { return "" }
        let revenue = sums.values.reduce(Amount.zero) { $0 + $1.sum }
        let rows = order.sorted { (sums[$1]?.sum ?? .zero, $0) < (sums[$0]?.sum ?? .zero, $1) }.prefix(10)
            .map { payer -> [HTML.Cell] in
                let (count, sum) = sums[payer] ?? (0, .zero)
                return [
                    .text(payer.isEmpty ? "(no text)" : masked(payer)), .number("\(count)"), .number(sum.grouped),
                    .number(sum.share(of: revenue) ?? "\u{2013}"),
                ]
            }
        return "<h4>Payers by share of true revenue</h4>\n" + HTML.table(["Payer", "#Count", "#Sum", "#Share"], rows)
    }

    private func excluded(_ deposits: [AccountHistory.Entry]) -> String {
        let rows = deposits.filter { !$0.countsAsRevenue }
        guard !rows.isEmpty else { return "<p>Every deposit counts as revenue.</p>\n" }
        let shown = 50
        let table = HTML.table(
            ["Date", "Text", "#Amount", "Kind", "Excluded by", "From"],
            rows.sorted { ($1.amount, $0.date) < ($0.amount, $1.date) }.prefix(shown).map { entry in
                [
                    .day(entry.date), .text(masked(entry.description)), .number(entry.amount.grouped),
                    .text(entry.entryClass.words), .text(entry.why ?? ""), .text(place(of: entry)),
                ]
            })
        let rest = rows.count > shown ? "<p class=\"soft\">and \(rows.count - shown) smaller ones</p>\n" : ""
        return "<h4>Deposits that are not revenue</h4>\n" + table + rest
    }
}

extension EntryClass {
    /// The class as a person calls it.
    var words: String {
        switch self {
        case .revenue: "revenue"
        case .transfer: "own transfer"
        case .refund: "refund"
        case .interest: "interest"
        case .contribution: "owner contribution"
        case .reversal: "reversal"
        case .loanProceeds: "loan proceeds"
        case .feeRefund: "fee refund"
        case .taxRefund: "tax refund"
        case .claimProceeds: "claim proceeds"
        case .otherIncome: "other income"
        case .insufficientFundsReturn: "returned for lack of funds"
        case .payment: "payment"
        case .payroll: "payroll"
        case .loan: "loan payment"
        case .mca: "advance payment"
        case .fee: "fee"
        case .nsfFee: "NSF fee"
        case .overdraftFee: "overdraft fee"
        case .returnedDeposit: "returned deposit"
        case .rent: "rent"
        case .tax: "tax"
        case .ownerDraw: "owner draw"
        }
    }
}
