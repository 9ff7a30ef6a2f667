extension ReportPage {
    /// Writes the section on returns and overdrafts, with the evidence for each.
    func returns(of history: AccountHistory) -> String {
        guard history.report.accountType?.isDebt != true else { return "" }
        let kinds: [(String, Set<EntryClass>)] = [
            ("Returned for lack of funds", [.insufficientFundsReturn, .nsfFee]), ("Overdrafts", [.overdraftFee]),
            ("Returned deposits", [.returnedDeposit]), ("Other returns", [.reversal]),
        ]
        var body = ""
        for (title, classes) in kinds {
            let entries = history.entries.filter { classes.contains($0.entryClass) }
            guard !entries.isEmpty else { continue }
            body += "<h4>\(title): \(entries.count) \(entries.count == 1 ? "line" : "lines")</h4>\n"
            let shown = 50
            body += HTML.table(
                ["Date", "Text", "#Amount", "Kind", "Decided by", "From"],
                entries.prefix(shown).map { entry in
                    [
                        .day(entry.date), .text(masked(entry.description)), .number(entry.amount.grouped),
                        .text(entry.entryClass.words), .text(entry.why ?? ""), .text(place(of: entry)),
                    ]
                })
            if entries.count > shown { body += "<p class=\"soft\">and \(entries.count - shown) more</p>\n" }
        }
        return HTML.section("Returns", body.isEmpty ? "<p>None was found.</p>\n" : body, level: 3)
    }

    /// Writes each month's revenue relative to the mean, if there are six whole months or more.
    func seasons(of history: AccountHistory) -> String {
        let whole = (history.report.factors.months ?? []).filter(\.isWhole)
        let values = whole.compactMap(\.factors.trueRevenue)
        guard whole.count >= 6, values.count == whole.count,
            let mean = values.reduce(Amount.zero, +).divided(by: values.count), mean > .zero
        else { return "" }
        var byMonth: [String: Amount] = [:]
        for (month, value) in zip(whole, values) { byMonth[month.month] = value }
        let shown = zip(whole, values).suffix(13)
        let highest = shown.compactMap { $0.1.ratio(to: mean) }.max() ?? .zero
        let rows = shown.map { month, value -> [HTML.Cell] in
            let ratio = value.ratio(to: mean) ?? .zero
            let width = highest > .zero ? ratio.billionths * 160 / highest.billionths : 0
            let year = Int(month.month.prefix(4)) ?? 0
            let before = byMonth["\(year - 1)\(month.month.dropFirst(4))"]
            return [
                .head(month.month), .number(value.grouped),
                .html("<span class=\"bar\" style=\"width:\(max(0, width))px\"></span> \(HTML.escaped(ratio.percent))"),
                before.map { value.share(of: $0).map { .text($0) } ?? .html(ReportPage.absent("no revenue then")) }
                    ?? .html(ReportPage.absent("not in these months")),
            ]
        }
        let table = HTML.table(
            ["Month", "#Revenue", "Of the mean", "Of the same month last year"], rows, className: "bars")
        return HTML.section("Seasonality", table, level: 3)
    }
}
