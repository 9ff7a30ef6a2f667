/// A page about the accounts of an applicant, whole in itself: no script, nothing loaded, made to be printed.
public struct ReportPage: Sendable {
    /// The cost of a service.
    public struct CostLine: Sendable {
        /// The service and operation.
        public var name: String
        /// How often.
        public var count: Int
        /// How often its result came from the cache.
        public var cached: Int
        /// The amount charged.
        public var total: String
        /// The amount avoided because the result was known.
        public var avoided: String

        /// Makes a value of its parts.
        public init(name: String, count: Int, cached: Int, total: String, avoided: String) {
            (self.name, self.count, self.cached, self.total, self.avoided) = (name, count, cached, total, avoided)
        }
    }

    /// Who it is about.
    public var applicant: String
    /// The accounts.
    public var accounts: [AccountHistory]
    /// When it was made, as it is shown.
    public var madeOn: String
    /// The run that read the statements.
    public var runID: String
    /// The cost of the run.
    public var costs: [CostLine] = []
    /// The currency of those costs.
    public var costCurrency = ""
    /// Whether account numbers keep their last four characters only, also in texts.
    public var isMasked = false

    /// Makes a page about `accounts`, those that only hold debt last.
    public init(applicant: String, accounts: [AccountHistory], madeOn: String, runID: String) {
        let shown = AccountType.shown.flatMap { type in accounts.filter { $0.report.accountType == type } }
        (self.applicant, self.accounts, self.madeOn, self.runID) = (applicant, shown, madeOn, runID)
    }

    /// The page.
    public var html: String {
        var body = head + keyFigures + flags
        for (index, history) in accounts.enumerated() {
            let title =
                "\(name(of: history)) \u{00B7} \(history.report.accountType?.rawValue ?? "account")"
                + (history.report.currency.map { " \u{00B7} \($0)" } ?? "")
            body += "<section class=\"account\(index == 0 ? " first" : "")\"><h2>\(HTML.escaped(title))</h2>\n"
            body += leftOut(of: history) + months(of: history) + balances(of: history, index) + deposits(of: history)
            body += debt(of: history) + obligations(of: history) + returns(of: history) + seasons(of: history)
            body += "</section>\n"
        }
        body += sources + costSection
        return ReportPage.document(title: "Statements of \(masked(applicant))", body: body)
    }

    /// Returns a page that names the pages of several applicants, each with the file it is in.
    public static func index(_ pages: [(page: ReportPage, file: String)]) -> String {
        let rows = pages.flatMap { page, file in
            page.accounts.map { history -> [HTML.Cell] in
                let (report, total) = (history.report, history.report.factors.total)
                return [
                    .html("<a href=\"\(HTML.escaped(file))\">\(HTML.escaped(page.masked(page.applicant)))</a>"),
                    .text(page.name(of: history)),
                    .text(report.accountType?.rawValue ?? "\u{2013}"), .text(report.currency ?? "\u{2013}"),
                    .number("\(total.days)"),
                    .html(figure(total.averageDailyBalance, report.reasonWithoutBalance), isNumber: true),
                    .html(figure(total.trueRevenue, report.reasonWithoutBusiness), isNumber: true),
                    .html(figure(total.daysNegative, report.reasonWithoutNegativeDays), isNumber: true),
                    .html(figure(total.nsfCount, report.reasonWithoutBusiness), isNumber: true), .text(check(report)),
                ]
            }
        }
        let table = HTML.table(
            [
                "Applicant", "Account", "Type", "Cur", "#Days", "#Average daily", "#Revenue", "#Negative", "#NSF",
                "Check",
            ], rows)
        let made = pages.first.map { "\($0.page.madeOn), run \($0.page.runID)" } ?? ""
        return document(
            title: "Statements",
            body: "<h1>Statements</h1>\n<p class=\"soft\">\(HTML.escaped(made))</p>\n" + table)
    }

    private static func document(title: String, body: String) -> String {
        """
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="referrer" content="no-referrer"><title>\(HTML.escaped(title))</title>
        <style>\(PageStyle.css)</style></head>
        <body>
        \(body)</body></html>

        """
    }

    /// Returns in words whether the balances of an account add up.
    static func check(_ report: AccountReport) -> String {
        if report.balanceCheck == .mismatch || report.factors.flags.contains(.unreconciled) { return "WRONG" }
        return report.balanceCheck == .ok ? "adds up" : "nothing to compare"
    }

    // MARK: Head

    private var head: String {
        let names = accounts.map { history in
            [name(of: history), history.report.accountType?.rawValue, history.report.currency].compactMap { $0 }
                .joined(separator: " ")
        }
        let periods = accounts.map { ReportPage.period(of: $0).map { "\($0.from) to \($0.to)" } ?? "no days" }
        let covered = accounts.map { history in
            "\(history.report.factors.total.days) of \(ReportPage.period(of: history).map { $0.to - $0.from + 1 } ?? 0)"
        }
        return "<h1>\(HTML.escaped(masked(applicant)))</h1>\n"
            + HTML.facts([
                ("Accounts", HTML.escaped(names.joined(separator: ", "))),
                ("Period", byAccount(periods)), ("Days covered", byAccount(covered)),
                ("Made on", HTML.escaped(madeOn)), ("Run", HTML.escaped(String(runID.prefix(8)))),
                ("Definitions", "version \(Factors.definitionVersion)"),
            ]) + band
    }

    private static func period(of history: AccountHistory) -> (from: Day, to: Day)? {
        let period = history.report.factors.total.period
        guard let from = period.first ?? nil, let to = period.last ?? nil else { return nil }
        return (from, to)
    }

    /// Returns the text for each account, or one text if it is the same for all.
    private func byAccount(_ texts: [String]) -> String {
        guard Set(texts).count > 1 else { return HTML.escaped(texts.first ?? "") }
        return zip(accounts, texts)
            .map { "<small>\(HTML.escaped(name(of: $0)))</small> \(HTML.escaped($1))" }.joined(separator: "<br>")
    }

    private var band: String {
        let wrong = accounts.count { ReportPage.check($0.report) == "WRONG" }
        let noun = accounts.count == 1 ? "account" : "accounts"
        if wrong > 0 {
            return
                "<div class=\"band stop\">\u{25A0} \(wrong) of \(accounts.count) \(noun) \(wrong == 1 ? "does" : "do") not add up: do not use the figures</div>\n"
        }
        let flagged = accounts.count { history in history.report.flagReasons.contains { $0.weight == .check } }
        if flagged > 0 {
            return
                "<div class=\"band check\">\u{25B2} \(flagged) of \(accounts.count) \(noun) \(flagged == 1 ? "has" : "have") something to check</div>\n"
        }
        let proved = accounts.count { $0.report.balanceCheck == .ok }
        let words =
            proved == accounts.count
            ? "\(proved) of \(accounts.count) \(noun) \(proved == 1 ? "adds" : "add") up"
            : "\(proved) of \(accounts.count) \(noun) \(proved == 1 ? "is" : "are") proved by opening and closing balances"
        return "<div class=\"band\">\(words); nothing contradicts itself</div>\n"
    }

    // MARK: Key figures

    private var keyFigures: String {
        let business = accounts.filter { $0.report.accountType?.isDebt != true }
        var order: [String?] = []
        for history in business where !order.contains(history.report.currency) { order.append(history.report.currency) }
        var body = ""
        for currency in order {
            let figures = BusinessFigures(
                currency: currency, reports: business.filter { $0.report.currency == currency })
            let (revenue, average) = (figures.monthlyRevenue, figures.averageDailyBalance)
            let (negative, ending) = (figures.daysNegative, figures.endingBalance)
            body += "<h3>\(HTML.escaped(currency ?? "currency not known"))</h3>\n<div class=\"keys\">"
            body += HTML.facts([
                ("Average monthly true revenue", ReportPage.figure(revenue.0, revenue.1)),
                ("Average daily balance", ReportPage.figure(average.0, average.1)),
                ("Negative days", ReportPage.figure(negative.0, negative.1)),
                ("NSF and overdrafts", "\(figures.refusals) <small>last 30 days \(figures.recentRefusals)</small>"),
                ("Active advance positions", "\(figures.positions)"),
                ("Holdback", figures.holdback.map { HTML.escaped($0.percent) } ?? ReportPage.absent("no revenue")),
                ("Ending balance", ReportPage.figure(ending.0, ending.1)),
                ("Revenue trend", trend(of: figures)),
            ])
            body += "</div>\n"
        }
        let debts = accounts.filter { $0.report.accountType?.isDebt == true }
        if !debts.isEmpty {
            body += "<h3>Cards and loans</h3>\n"
            body += HTML.table(
                ["Account", "Type", "Cur", "#Payments received", "#Charges", "#Ending balance"],
                debts.map { history in
                    let (report, total) = (history.report, history.report.factors.total)
                    return [
                        .text(name(of: history)), .text(report.accountType?.rawValue ?? ""),
                        .text(report.currency ?? "\u{2013}"),
                        .html(ReportPage.figure(total.paymentsReceived, "not known"), isNumber: true),
                        .number(total.withdrawalsTotal.grouped),
                        .html(ReportPage.figure(total.endingBalance, report.reasonWithoutBalance), isNumber: true),
                    ]
                })
        }
        return HTML.section("Key figures", body)
    }

    private func trend(of figures: BusinessFigures) -> String {
        let trends = figures.trends
        guard trends.count > 1 else { return trends.first.map { HTML.escaped($0.trend) } ?? "" }
        return trends.map { "<small>\(HTML.escaped(name(of: $0.history)))</small> \(HTML.escaped($0.trend))" }
            .joined(separator: "<br>")
    }

    // MARK: Flags

    private var flags: String {
        let lines = accounts.flatMap { history in
            history.report.flagReasons.map { reason -> String in
                let (sign, word): (String, String) =
                    switch reason.weight {
                    case .stop: ("\u{25A0}", "stop")
                    case .check: ("\u{25B2}", "check")
                    case .absent: ("\u{25CB}", "absent")
                    }
                let source =
                    reason.source.map { " (\(masked($0.split(separator: "/").last.map(String.init) ?? $0)))" } ?? ""
                let remedy = reason.remedy.map { "; \($0)" } ?? ""
                return
                    "<p class=\"flag \(word)\"><b>\(sign) \(word)</b>\(HTML.escaped("\(name(of: history)): \(reason.reason)\(source)\(remedy)"))</p>"
            }
        }
        return HTML.section("Flags", lines.isEmpty ? "<p>None.</p>\n" : lines.joined(separator: "\n") + "\n")
    }

    // MARK: An account

    /// Writes the list of what is left out of all figures.
    private func leftOut(of history: AccountHistory) -> String {
        history.leftOutInWords.map { "<p class=\"soft\">\(HTML.escaped($0))</p>\n" }.joined()
    }

    /// Returns the text, with all but the last four digits of long numbers hidden where that was asked for.
    package func masked(_ text: String) -> String {
        guard isMasked else { return text }
        var (result, run) = ("", [Character]())
        func flush() {
            let hidden = run.count > 4 ? run.count - 4 : 0
            result += String(repeating: "\u{2022}", count: hidden) + String(run.dropFirst(hidden))
            run = []
        }
        for character in text {
            if character.isNumber {
                run.append(character)
            } else {
                flush()
                result.append(character)
            }
        }
        flush()
        return result
    }
}
