import AssayStatements

/// What underwriters read first, one row an account, with its flags in words below.
struct AccountTable {
    private struct Account {
        var label: (Int) -> String
        var report: AccountReport
        /// What is left out of its figures, in words.
        var leftOut: [String] = []
    }

    private let accounts: [Account]

    /// The accounts, those that only hold debt under a heading of their own.
    init(_ histories: [AccountHistory]) {
        accounts = Self.sorted(
            histories.map { history in
                Account(label: { history.label(in: $0) }, report: history.report, leftOut: history.leftOutInWords)
            })
    }

    /// The accounts as a run's summary has them, which knows no files.
    init(reports: [AccountReport]) {
        accounts = Self.sorted(
            reports.map { report in
                Account(label: { (report.account ?? "(no account)").cut(toColumns: $0) }, report: report)
            })
    }

    private static func sorted(_ all: [Account]) -> [Account] {
        AccountType.shown.flatMap { type in all.filter { $0.report.accountType == type } }
    }

    private static let columns: [TextTable.Column] = [
        .text("ACCOUNT"), .text("TYPE"), .text("CUR"), .number("STMT").dropped(4), .number("DAYS").dropped(5),
        .number("AVG DAILY"), .number("LOWEST").dropped(2), .number("REVENUE"), .number("NEG"), .number("NSF"),
        .number("OD").dropped(3), .number("MCA"), .text("TREND").dropped(1), .text("CHECK"),
    ]

    /// The table in at most `width` columns, then the flags.
    func lines(width: Int?, _ paint: Paint?) -> [String] {
        let labelWidth = width.map { $0 < 120 ? 14 : 20 } ?? 40
        var table = TextTable(Self.columns)
        table.rows = accounts.map { cells($0.label(labelWidth), $0.report) }
        var lines = table.lines(width: width, paint: paint)
        if let heading, let first = accounts.firstIndex(where: { $0.report.accountType?.isDebt == true }) {
            lines.insert(heading, at: first + 1)
        }
        if width != nil, !accounts.isEmpty {
            let legend = "NEG days below zero, NSF returned items, MCA advances, CHECK of balances"
            lines += ["", paint.map { $0(legend, .dim) } ?? legend]
        }
        let remarks = self.remarks(labelWidth, width, paint)
        return remarks.isEmpty ? lines : lines + [""] + remarks
    }

    private var heading: String? {
        let types = Set(accounts.compactMap(\.report.accountType))
        switch (types.contains(.card), types.contains(.loan)) {
        case (true, true): return "cards and loans"
        case (true, false): return "cards"
        case (false, true): return "loans"
        case (false, false): return nil
        }
    }

    private func cells(_ label: String, _ report: AccountReport) -> [String] {
        let (factors, total) = (report.factors, report.factors.total)
        return [
            label, report.accountType?.rawValue ?? "–", report.currency ?? "–", "\(report.statements)", "\(total.days)",
            .figure(total.averageDailyBalance), .figure(total.lowestDailyBalance), .figure(total.trueRevenue),
            .figure(total.daysNegative), .figure(total.nsfCount), .figure(total.overdraftCount),
            .figure(factors.mcaPositions), .figure(factors.trend?.trendClass.rawValue), report.checkWord,
        ]
    }

    /// What is to be said of accounts, that with the most serious flag first.
    private func remarks(_ labelWidth: Int, _ width: Int?, _ paint: Paint?) -> [String] {
        let indent = (accounts.map { $0.label(labelWidth).columns }.max() ?? 0) + 2
        let blank = String(repeating: " ", count: indent)
        let order: [FlagReason.Weight?] = FlagReason.Weight.allCases + [nil]
        let sorted = order.flatMap { weight in accounts.filter { $0.report.flagReasons.first?.weight == weight } }
        return sorted.flatMap { account -> [String] in
            var texts = account.report.flagReasons.map { (Self.text(of: $0), Self.color(of: $0.weight)) }
            texts += account.leftOut.map { ($0, nil) }
            let lines = texts.flatMap { text, color in
                text.safe.wrapped(toColumns: max(30, (width ?? 100) - indent)).map { line in
                    color.flatMap { color in paint.map { $0(line, color) } } ?? line
                }
            }
            let label = account.label(labelWidth)
            let head = label + String(repeating: " ", count: max(0, indent - label.columns))
            return lines.enumerated().map { ($0 == 0 ? head : blank) + $1 }
        }
    }

    private static func text(of reason: FlagReason) -> String {
        let source = reason.source.map { " (\($0.fileName))" } ?? ""
        let remedy = reason.remedy.map { "; \($0)" } ?? ""
        return reason.reason + source + remedy
    }

    private static func color(of weight: FlagReason.Weight) -> Paint.Color? {
        switch weight {
        case .stop: .red
        case .check: .yellow
        case .absent: nil
        }
    }
}

extension AccountReport {
    /// `ok`, `WRONG` or `n/a`, and how many further flags there are.
    var checkWord: String {
        let isWrong = balanceCheck == .mismatch || factors.flags.contains(.unreconciled)
        let further = factors.flags.count { $0 != .unreconciled }
        let word = isWrong ? "WRONG" : balanceCheck == .ok ? "ok" : "n/a"
        return further == 0 ? word : "\(word) +\(further)"
    }
}

extension String {
    /// A figure for a table; `–` when it is absent.
    static func figure(_ value: (some CustomStringConvertible)?) -> String { value.map { "\($0)" } ?? "–" }

    /// The text in lines of at most `width` columns, broken between words.
    func wrapped(toColumns width: Int) -> [String] {
        var (lines, line) = ([String](), "")
        for word in split(separator: " ") {
            if !line.isEmpty, line.columns + 1 + String(word).columns > width {
                lines.append(line)
                line = ""
            }
            line += line.isEmpty ? String(word) : " " + word
        }
        return line.isEmpty ? lines : lines + [line]
    }
}
