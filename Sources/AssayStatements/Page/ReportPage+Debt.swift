extension ReportPage {
    /// Advances and loans that are being paid back, and what share of revenue goes to them.
    func debt(of history: AccountHistory) -> String {
        let report = history.report
        guard report.accountType?.isDebt != true else { return "" }
        let outgoing = report.factors.recurring.filter { $0.direction == "out" }
        let positions = outgoing.filter { $0.entryClass == .mca }
        let loans = outgoing.filter { $0.entryClass == .loan }
        var body = ""
        if positions.isEmpty {
            let single = report.factors.total.mcaPaymentsCount ?? 0
            body +=
                single == 0
                ? "<p>No payment of an advance was found.</p>\n"
                : "<p>\(single) payments of advances at no steady pace, \(HTML.escaped((report.factors.total.mcaPaymentsTotal ?? .zero).grouped)) in all.</p>\n"
        } else {
            body += streams(positions, of: history, withOpening: true)
            let months = ReportPage.shownMonths(of: history).compactMap { month -> String? in
                guard let paid = month.factors.mcaPaymentsTotal, paid > .zero, let revenue = month.factors.trueRevenue
                else { return nil }
                return "\(month.month): \(paid.share(of: revenue) ?? "no revenue")"
            }
            if !months.isEmpty {
                body += "<p>Share of revenue by month: \(HTML.escaped(months.joined(separator: ", ")))</p>\n"
            }
        }
        if !loans.isEmpty {
            body += "<h4>Loans, leases and card payments</h4>\n" + streams(loans, of: history, withOpening: false)
        }
        return HTML.section("Positions and debt", body, level: 3)
    }

    /// Payroll, rent, taxes and the owners' money.
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

    private func streams(_ streams: [RecurringStream], of history: AccountHistory, withOpening: Bool) -> String {
        let titles = [
            "Payee", "Pace", "#Median", "#Count", "First", "Last", "#Returned", "Status", "Next due", "#Paid",
        ]
        let rows = streams.map { stream -> [HTML.Cell] in
            let returned = history.entries.count {
                $0.isReturned && $0.amount < .zero && NormalisedText.of($0.description) == stream.text
            }
            var cells: [HTML.Cell] = [
                .text(masked(stream.text)), .text(stream.cadence.words), .number(stream.median.grouped),
                .number("\(stream.count)"), .text("\(stream.first)"), .text("\(stream.last)"), .number("\(returned)"),
                .text(stream.status.rawValue), .text(stream.status == .ended ? "" : "\(stream.nextExpected)"),
                .number(stream.total.grouped),
            ]
            if withOpening {
                let opened = history.entries.last {
                    $0.entryClass == .loanProceeds && $0.date <= stream.first && stream.first - $0.date <= 45
                }
                cells.append(
                    .text(
                        opened.map { "\($0.date) \($0.amount.grouped) \(masked($0.description))" }
                            ?? "not in these days"))
            }
            return cells
        }
        return HTML.table(titles + (withOpening ? ["Opened by the deposit"] : []), rows)
    }

    private func transfers(of history: AccountHistory) -> String {
        let legs = history.entries.filter { $0.entryClass == .transfer }
        guard !legs.isEmpty else { return "" }
        let shown = 30
        let rows = legs.prefix(shown).map { entry -> [HTML.Cell] in
            let other = otherLeg(of: entry, in: history)
            return [
                .text("\(entry.date)"), .number(entry.amount.grouped), .text(masked(entry.description)),
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
            if let leg { return (other.shortName, leg) }
        }
        return nil
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
