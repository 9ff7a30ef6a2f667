import AssayStatements

/// The statements of accounts, those of one file and account that follow each other in one row.
struct StatementTable {
    private(set) var table = TextTable([
        .path("FILE"), .text("ACCOUNT"), .text("PERIOD"), .number("CLOSING"), .text("CHECK"),
    ])

    /// The statements of at most so many rows.
    init(_ histories: [AccountHistory], width: Int?, limit: Int = .max) {
        for history in histories {
            var start = history.sources.startIndex
            while start < history.sources.endIndex, table.rows.count < limit {
                let name = history.sources[start].source?.name
                let end = history.sources[start...].firstIndex { $0.source?.name != name } ?? history.sources.endIndex
                let account = history.report.account == nil ? "–" : history.label(in: width == nil ? .max : 9)
                table.rows.append([name ?? "–", account] + cells(history.sources[start..<end]))
                start = end
            }
        }
    }

    private func cells(_ statements: ArraySlice<AccountHistory.Source>) -> [String] {
        let (from, to) = (statements.first?.from, statements.last?.to)
        let period = from.flatMap { from in to.map { "\(from)–\($0)" } } ?? "–"
        let checks = statements.map(\.summary.balanceCheck)
        let check = checks.contains(.mismatch) ? "WRONG" : checks.allSatisfy { $0 == .ok } ? "ok" : "n/a"
        return [
            period, .figure(statements.last?.summary.closing),
            statements.count == 1 ? check : "\(check), \(statements.count) statements",
        ]
    }
}

/// The figures of accounts by month.
struct MonthTable {
    private(set) var table = TextTable([
        .text("ACCOUNT"), .text("MONTH"), .number("COVERED").dropped(4), .number("DEPOSITS").dropped(3),
        .number("REVENUE"), .number("WITHDRAWALS").dropped(2), .number("AVG DAILY"), .number("LOWEST").dropped(1),
        .number("ENDING"), .number("NEG"), .number("NSF"), .number("OD").dropped(5),
    ])

    init(_ histories: [AccountHistory], width: Int?) {
        for history in histories {
            for month in history.report.factors.months ?? [] {
                let figures = month.factors
                table.rows.append([
                    history.label(in: width == nil ? .max : 14), month.month, "\(figures.days) of \(month.length)",
                    "\(figures.depositsTotal)", .figure(figures.trueRevenue), "\(figures.withdrawalsTotal)",
                    .figure(figures.averageDailyBalance), .figure(figures.lowestDailyBalance),
                    .figure(figures.endingBalance), .figure(figures.daysNegative), .figure(figures.nsfCount),
                    .figure(figures.overdraftCount),
                ])
            }
        }
    }
}

/// Entries of accounts.
struct EntryTable {
    private(set) var table = TextTable([
        .text("ACCOUNT").dropped(2), .text("DATE"), .number("AMOUNT"), .number("BALANCE"), .text("CLASS"),
        .flexible("DESCRIPTION"), .flexible("WHY").dropped(3), .text("FROM").dropped(1),
    ])

    init(_ histories: [AccountHistory], width: Int?) {
        for history in histories {
            for entry in history.entries {
                table.rows.append([
                    history.label(in: width == nil ? .max : 14), "\(entry.date)", "\(entry.amount)",
                    .figure(entry.balance), entry.entryClass.rawValue, entry.description, entry.why ?? "", entry.place,
                ])
            }
        }
    }
}

extension AccountHistory.Entry {
    /// Where the entry was read from: `jan.ofx #14`.
    var place: String { (source.map { "\($0.name.fileName) " } ?? "") + "#\(number)" }
}
