extension ReportPage {
    /// Advances and loans that are being paid back, and what share of revenue goes to them.
    func debt(of history: AccountHistory) -> String {
        let report = history.report
        guard report.accountType?.isDebt != true else { return "" }
        let advances = history.positions.filter { $0.stream.entryClass == .mca }
        let loans = history.positions.filter { $0.stream.entryClass == .loan }
        var body = ""
        if advances.isEmpty {
            let single = report.factors.total.mcaPaymentsCount ?? 0
            body +=
                single == 0
                ? "<p>No payment of an advance was found.</p>\n"
                : "<p>\(single) payments of advances at no steady pace, \(HTML.escaped((report.factors.total.mcaPaymentsTotal ?? .zero).grouped)) in all.</p>\n"
        } else {
            body += table(of: advances)
        }
        body += holdback(of: history)
        if !loans.isEmpty {
            body += "<h4>Loans and leases</h4>\n" + table(of: loans)
        } else if report.factors.total.loanPaymentsCount > 0 {
            let total = report.factors.total
            body +=
                "<p>\(total.loanPaymentsCount) payments of loans and leases at no steady pace, \(HTML.escaped(total.loanPaymentsTotal.grouped)) in all.</p>\n"
        }
        return HTML.section("Positions and debt", body, level: 3)
    }

    /// Writes the section on payroll, rent, taxes and the owners' money.
    func obligations(of history: AccountHistory) -> String {
        guard history.report.accountType?.isDebt != true else { return "" }
        let kinds: [EntryClass] = [.payroll, .rent, .tax, .ownerDraw, .contribution]
        var body = ""
        for kind in kinds {
            let entries = history.entries.filter { $0.entryClass == kind && !$0.isReturned }
            guard let last = entries.last else { continue }
            let sizes = entries.map(\.amount.magnitude).sorted()
            let stream = history.report.factors.recurring.first { $0.entryClass == kind }
            let gaps = zip(entries.dropFirst(), entries).map { $0.date - $1.date }
            let longest = gaps.max().map { "\($0) days" } ?? "one payment"
            body += HTML.facts([
                (kind.words, "\(entries.count)"), ("Pace", HTML.escaped(stream?.cadence.words ?? "no steady pace")),
                ("Median", HTML.escaped(sizes[sizes.count / 2].grouped)),
                ("Sum", HTML.escaped(sizes.reduce(.zero, +).grouped)), ("Last", "\(last.date)"),
                ("Longest gap", longest),
            ])
        }
        body += transfers(of: history)
        return HTML.section(
            "Payroll, rent, taxes, owners", body.isEmpty ? "<p>None was found.</p>\n" : body, level: 3)
    }

    /// Writes the share of each month's revenue that went to advances.
    private func holdback(of history: AccountHistory) -> String {
        let rows = ReportPage.shownMonths(of: history).compactMap { month -> [HTML.Cell]? in
            guard let paid = month.factors.mcaPaymentsTotal, paid > .zero, let revenue = month.factors.trueRevenue
            else { return nil }
            let share = paid.share(of: revenue).map { HTML.escaped($0) } ?? ReportPage.absent("no revenue")
            return [
                .head(month.month), .number(paid.grouped), .number(revenue.grouped), .html(share, isNumber: true),
            ]
        }
        guard !rows.isEmpty else { return "" }
        return "<h4>Holdback by month</h4>\n"
            + HTML.table(["Month", "#Paid to advances", "#True revenue", "#Share"], rows)
    }

    private func table(of positions: [AccountHistory.Position]) -> String {
        let rows = positions.map { position -> [HTML.Cell] in
            let stream = position.stream
            return [
                .text(masked(stream.text)), .text(stream.cadence.words), .number(stream.median.grouped),
                .number("\(stream.count)"), .day(stream.first), .day(stream.last), .number("\(position.missed)"),
                .number("\(position.returned)"), .text(stream.status.words),
                position.nextDue.map { .day($0) } ?? .html(ReportPage.absent("ended")),
                .number(stream.total.grouped), opening(of: position),
            ]
        }
        return HTML.table(
            [
                "Payee", "Pace", "#Median", "#Count", "First", "Last", "#Missed", "#Returned", "Status", "Next due",
                "#Paid", "Opened by the deposit",
            ], rows)
    }

    private func opening(of position: AccountHistory.Position) -> HTML.Cell {
        guard let opening = position.opening else { return .html(ReportPage.absent("not in these days")) }
        let entry = opening.entry
        let text = "\(entry.date) \(entry.amount.grouped) \(masked(entry.description)) (\(place(of: entry)))"
        return .text(opening.namesPayee ? text : "perhaps, by its day alone: \(text)")
    }

    private func transfers(of history: AccountHistory) -> String {
        let legs = history.entries.filter { $0.entryClass == .transfer }
        guard !legs.isEmpty else { return "" }
        let shown = 30
        let rows = legs.prefix(shown).map { entry -> [HTML.Cell] in
            let other = otherLeg(of: entry, in: history)
            return [
                .day(entry.date), .number(entry.amount.grouped), .text(masked(entry.description)),
                .text(other.map { "\($0.0) \($0.1.date) \(place(of: $0.1))" } ?? "not in these statements"),
                .text(place(of: entry)),
            ]
        }
        let rest = legs.count > shown ? "<p class=\"soft\">and \(legs.count - shown) more</p>\n" : ""
        return "<h4>Transfers between own accounts</h4>\n"
            + HTML.table(["Date", "#Amount", "Text", "Other side", "From"], rows) + rest
    }

    private func otherLeg(of entry: AccountHistory.Entry, in history: AccountHistory) -> (String, AccountHistory.Entry)?
    {
        for other in accounts {
            let isSame =
                other.report.account == history.report.account && other.report.currency == history.report.currency
                && other.sources.first?.source == history.sources.first?.source
            guard !isSame, other.report.currency == history.report.currency else { continue }
            let leg = other.entries.first { $0.amount == -entry.amount && abs($0.date - entry.date) <= 2 }
            if let leg { return (name(of: other), leg) }
        }
        return nil
    }
}

extension RecurringStream.Status {
    /// The status as a person calls it.
    var words: String {
        switch self {
        case .mature: "going on"
        case .early: "new"
        case .ended: "ended"
        }
    }
}

extension RecurringStream.Cadence {
    /// The pace as a person calls it.
    var words: String {
        switch self {
        case .daily: "business days"
        case .weekly: "weekly"
        case .semiMonthly: "twice a month"
        case .biweekly: "every two weeks"
        case .monthly: "monthly"
        case .quarterly: "quarterly"
        case .yearly: "yearly"
        }
    }
}
