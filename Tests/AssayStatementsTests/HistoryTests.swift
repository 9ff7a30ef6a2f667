import AssayStatements
import Testing

/// A statement of days of March 2025 from "day amount text" lines; it states its balances.
func march(
    _ lines: [(Int, String, String)], account: String? = "1", type: AccountType? = nil, opening: String = "1000",
    days: ClosedRange<Int> = 1...31
) -> Statement {
    func day(_ number: Int) -> Day { Day(number: 20_147 + Int32(number)) }
    var statement = Statement(account: account, currency: "USD")
    statement.accountType = type
    (statement.from, statement.to) = (day(days.lowerBound), day(days.upperBound))
    statement.opening = Amount(opening)
    statement.entries = lines.map { Entry(day: day($0.0), amount: Amount($0.1) ?? .zero, text: $0.2) }
    statement.closing = statement.entries.reduce(statement.opening ?? .zero) { $0 + $1.amount }
    return statement
}

func histories(_ statements: (String, Statement)..., includeTransactions: Bool = false) -> [AccountHistory] {
    AccountHistory.histories(
        of: statements.map { name, statement in
            SourcedReport(
                name: name,
                report: StatementFile(format: .ofx, statements: [statement]).report(
                    includeTransactions: includeTransactions))
        })
}

@Suite("The history of an account") struct HistoryTests {
    @Test("names each entry's class, the phrase that gave it, and where it was read from")
    func entries() throws {
        let lines = [
            (3, "500.00", "SQUARE 0301"), (4, "-900.00", "RENT MARCH"), (5, "70.00", "REFUND 1234 ACME"),
            (6, "-10.00", "SHOP"),
        ]
        let history = try #require(histories(("a.ofx", march(lines))).first)
        #expect(history.entries.map(\.entryClass) == [.revenue, .rent, .refund, .payment])
        #expect(history.entries.map(\.why) == [nil, "RENT", "REFUND", nil])
        #expect(history.entries.map(\.countsAsRevenue) == [true, false, false, false])
        #expect(history.entries.map(\.number) == [1, 2, 3, 4])
        #expect(history.entries.allSatisfy { $0.source?.name == "a.ofx" })
        #expect(history.entries.map(\.balance) == ["1500", "600", "670", "660"].map { Amount($0) })
        #expect(history.days.count == 31)
        #expect(history.days.last?.balance == Amount("660"))
    }

    @Test("shows the bank's own text where it is on record, and its words without numbers where not")
    func descriptions() throws {
        let lines = [(3, "500.00", "Square 0301")]
        #expect(histories(("a.ofx", march(lines)))[0].entries[0].description == "SQUARE")
        let whole = histories(("a.ofx", march(lines)), includeTransactions: true)
        #expect(whole[0].entries[0].description == "Square 0301")
    }

    @Test("says of a deposit that left another account of the run why it is no revenue")
    func transfers() throws {
        let found = histories(
            ("a.ofx", march([(3, "-500.00", "OUT")], account: "1")),
            ("b.ofx", march([(4, "500.00", "ACME")], account: "2")))
        let entry = try #require(found[1].entries.first)
        #expect(entry.entryClass == .transfer && !entry.countsAsRevenue)
        #expect(entry.why == "the money left another account of these statements")
    }

    @Test("counts each payment that was refused for lack of funds on its day, and one without a day on the last")
    func refusals() throws {
        var statement = march([(5, "-35.00", "NSF FEE"), (6, "100.00", "A")], days: 1...40)
        let days = statement.entries.compactMap(\.day)
        statement.refusals = [days[0], nil]
        let report = try #require(histories(("a.csv", statement)).first).report
        #expect(report.factors.total.nsfCount == 3)
        #expect(report.factors.months?.map(\.factors.nsfCount) == [2, 1])
        statement.accountType = .card
        #expect(histories(("a.csv", statement))[0].report.factors.total.nsfCount == nil)
    }

    @Test("counts a refused payment once that two files of the same days name, and two of one file twice")
    func repeatedRefusals() throws {
        var first = march([(5, "5.00", "A")], days: 1...10)
        let day = try #require(first.entries[0].day)
        first.refusals = [day, day]
        var second = march([(5, "5.00", "A"), (13, "7.00", "B")], days: 1...20)
        second.refusals = [day, day, day]
        #expect(histories(("a.csv", first), ("b.csv", second))[0].report.factors.total.nsfCount == 3)
    }

    @Test("reads the same whatever the order of its files")
    func order() {
        let first = ("a.ofx", march([(3, "5.00", "A")], days: 1...10))
        let second = ("b.ofx", march([(13, "7.00", "B")], opening: "1005", days: 11...31))
        let one = histories(first, second)[0]
        let other = histories(second, first)[0]
        #expect(one.report == other.report)
        #expect(one.entries.map(\.source?.name) == ["a.ofx", "b.ofx"])
        #expect(other.entries.map(\.source?.name) == ["a.ofx", "b.ofx"])
        #expect(one.report.flagReasons.isEmpty)
    }

    @Test(
        "puts each flag in words with its file and what would mend it",
        arguments: [
            (
                FactorFlag.unreconciled, FlagReason.Weight.stop,
                "1000.00 and the entries come to 1005.00, the file says 999.00: 6.00 apart"
            ),
            (.noOpeningBalance, .absent, "no opening balance is known: daily balances and negative days are absent"),
            (
                .entriesOutsidePeriod, .check,
                "1 entry of 2025-03-02 stands in the statement of 2025-03-03 to 2025-03-31 and counts at its edge"
            ),
            (.undatedEntries, .check, "1 entry without a date counts on 2025-03-31"),
        ])
    func reasons(flag: FactorFlag, weight: FlagReason.Weight, words: String) throws {
        var statement = march([(5, "5.00", "A")])
        switch flag {
        case .unreconciled: statement.closing = Amount("999")
        case .noOpeningBalance: (statement.opening, statement.closing) = (nil, nil)
        case .entriesOutsidePeriod:
            statement.entries[0].day = Day("2025-03-02")
            statement.from = Day("2025-03-03")
        default: statement.entries[0].day = nil
        }
        let reason = try #require(histories(("a.ofx", statement))[0].report.flagReasons.first)
        #expect(reason.code == flag && reason.weight == weight && reason.reason == words)
        #expect(reason.source == "a.ofx")
    }

    @Test("names the days that no statement covers")
    func gap() throws {
        let first = ("a.ofx", march([(3, "5.00", "A")], days: 1...10))
        let second = ("b.ofx", march([(23, "7.00", "B")], opening: "1100", days: 21...31))
        let reason = try #require(histories(first, second)[0].report.flagReasons.first)
        #expect(reason.reason == "no statement covers 2025-03-11 to 2025-03-20")
        #expect(reason.remedy == "add the statement of these days")
    }

    @Test(
        "of a card or a loan has no revenue, returned items or advances", arguments: AccountType.allCases)
    func debt(type: AccountType) throws {
        let lines = [(3, "500.00", "PAYMENT THANK YOU"), (4, "-900.00", "SHOP"), (5, "-35.00", "NSF FEE")]
        let report = histories(("a.ofx", march(lines, type: type, opening: "-100")))[0].report
        let total = report.factors.total
        #expect(report.accountType == type)
        #expect((total.trueRevenue == nil) == type.isDebt)
        #expect((total.nsfCount == nil) == type.isDebt)
        #expect((report.factors.mcaPositions == nil) == type.isDebt)
        #expect((report.factors.trend == nil) == type.isDebt)
        #expect(total.paymentsReceived == (type.isDebt ? Amount("500") : nil))
        #expect(report.factors.flags.contains(.cardAccount) == (type == .card))
        #expect(report.factors.flags.contains(.loanAccount) == (type == .loan))
    }

    @Test(
        "tells rent, taxes and what owners put in and take out apart",
        arguments: [
            ("-100", "RENT OFFICE", EntryClass.rent), ("-100", "IRS USATAXPYMT", .tax),
            ("-100", "OWNER DRAW", .ownerDraw), ("100", "OWNER CONTRIBUTION", .contribution),
        ])
    func owners(amount: String, text: String, entryClass: EntryClass) throws {
        let history = histories(("a.ofx", march([(5, amount, text)])))[0]
        #expect(history.entries[0].entryClass == entryClass)
        let total = history.report.factors.total
        let sums = [
            EntryClass.rent: total.rentTotal, .tax: total.taxesTotal, .ownerDraw: total.ownerOut,
            .contribution: total.ownerIn,
        ]
        for (key, sum) in sums { #expect(sum == (key == entryClass ? Amount("100") : .zero)) }
    }

    @Test("lists a position with the payments that are missing, those that came back and the next one")
    func position() throws {
        var lines = [3, 4, 5, 6, 7, 10, 11, 17, 18, 19, 20, 21].map { ($0, "-100.00", "ONDECK DAILY") }
        lines += [(21, "-100.00", "ONDECK DAILY"), (21, "100.00", "NSF RETURN ONDECK DAILY")]
        let position = try #require(histories(("a.ofx", march(lines, days: 1...21)))[0].positions.first)
        #expect(position.stream.entryClass == .mca && position.stream.cadence == .daily)
        // The 12th to the 14th are a Wednesday to a Friday, the 15th and 16th a weekend.
        #expect(position.missed == 3)
        #expect(position.returned == 1)
        #expect(position.nextDue == Day("2025-03-24"))
        #expect(position.opening == nil)
    }

    @Test("counts a payment as missed only where a statement covers its day")
    func missedOnCoveredDays() throws {
        let first = march([1, 8].map { ($0, "-100.00", "SBA LOAN PAYMENT") }, days: 1...9)
        var second = march([22, 29].map { ($0, "-100.00", "SBA LOAN PAYMENT") }, opening: "900", days: 20...31)
        let found = histories(("a.ofx", first), ("b.ofx", second))[0]
        #expect(found.report.factors.flags.contains(.gap))
        #expect(found.positions.map(\.missed) == [0])
        second.from = Day("2025-03-10")
        #expect(histories(("a.ofx", first), ("b.ofx", second))[0].positions.map(\.missed) == [1])
    }

    @Test("says of a position which deposit opened it, and of one that only its day speaks for")
    func openings() throws {
        let weeks = [6, 13, 20, 27]
        let lines =
            [(3, "5000.00", "WIRE KAPITUS ADVANCE PROCEEDS"), (4, "9000.00", "TERM LOAN")]
            + weeks.flatMap { [($0, "-300.00", "KAPITUS ACH"), ($0 + 1, "-700.00", "SBA LOAN PAYMENT")] }
        let positions = histories(("a.ofx", march(lines.sorted { $0.0 < $1.0 })))[0].positions
        #expect(positions.map(\.stream.text) == ["KAPITUS ACH", "SBA LOAN PAYMENT"])
        #expect(positions.map(\.opening?.entry.amount) == [Amount("5000"), Amount("9000")])
        #expect(positions.map(\.opening?.namesPayee) == [true, false])
    }

    @Test("numbers entries through all statements of their file")
    func numbers() throws {
        let days = march([(3, "5.00", "A"), (4, "6.00", "B")], days: 1...10)
        let more = march([(13, "7.00", "C")], opening: "1011", days: 11...31)
        let report = StatementFile(format: .mt940, statements: [days, more]).report()
        let history = try #require(AccountHistory.histories(of: [SourcedReport(name: "a.sta", report: report)]).first)
        #expect(history.entries.map(\.number) == [1, 2, 3])
    }

    @Test("names the row that the running balance does not lead to")
    func brokenRow() throws {
        let text = """
            Date,Description,Amount,Balance
            2025-03-03,A,500.00,1500.00
            2025-03-04,B,-100.00,1400.00
            2025-03-05,C,-100.00,1310.00
            2025-03-06,D,-10.00,1300.00
            2025-03-07,E,-10.00,1290.00

            """
        let report = SourcedReport(name: "a.csv", report: try read(text).report())
        let reason = try #require(AccountHistory.histories(of: [report])[0].report.flagReasons.first)
        #expect(reason.code == .unreconciled && reason.row == 4 && reason.source == "a.csv")
        #expect(reason.reason == "the running balance does not lead to row 4")
    }

    @Test("has the deposits that bounced taken off its net revenue")
    func netRevenue() throws {
        let lines = [(3, "500.00", "SQUARE"), (4, "-90.00", "DEPOSITED ITEM RETURNED")]
        let total = histories(("a.ofx", march(lines)))[0].report.factors.total
        #expect(total.returnedDepositsTotal == Amount("90"))
        #expect(total.netRevenue == Amount("410"))
    }
}
