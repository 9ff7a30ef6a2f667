import AssayStatements
import Foundation
import Testing

/// A statement of 2025-03 with an opening balance of 1000, from "day amount text" lines.
private func statement(_ lines: [(Int, String, String)], opening: String = "1000", days: ClosedRange<Int> = 1...31)
    -> Statement
{
    var statement = Statement(account: "1", currency: "USD")
    (statement.from, statement.to) = (march(days.lowerBound), march(days.upperBound))
    statement.opening = Amount(opening)
    for (day, amount, text) in lines {
        statement.entries.append(Entry(day: march(day), amount: Amount(amount) ?? .zero, text: text))
    }
    statement.closing = statement.entries.reduce(statement.opening ?? .zero) { $0 + $1.amount }
    return statement
}

private func march(_ day: Int) -> Day { Day(number: 20_147 + Int32(day)) }

private func factors(_ lines: [(Int, String, String)], settings: FactorSettings = FactorSettings()) -> Factors {
    StatementFile(format: .ofx, statements: [statement(lines)]).report(settings: settings).statements[0].factors
}

private func amount(_ text: String) -> Amount? { Amount(text) }

@Suite("Factors") struct FactorTests {
    @Test("of the worked example are those of the definitions")
    func workedExample() throws {
        let lines = [
            (3, "500.00", "SQUARE"), (3, "-1200.00", "RENT"), (4, "-400.00", "SUPPLIER"),
            (4, "-35.00", "OVERDRAFT ITEM FEE"), (5, "-250.00", "ITEM"),
            (5, "250.00", "RETURN OF POSTED ITEM - INSUFFICIENT FUNDS"), (5, "-35.00", "NSF: RETURNED ITEM FEE"),
            (7, "2000.00", "ONLINE TRANSFER FROM SAV"), (10, "600.00", "SQUARE"), (10, "-189.92", "MCA"),
        ]
        let example = statement(lines, days: 1...10)
        let factors = StatementFile(format: .ofx, statements: [example]).report().statements[0].factors
        let expected = try JSONDecoder().decode(
            JSON.self,
            from: Data(
                """
                {"days": 10, "average_daily_balance": "955.51", "days_negative": 3, "longest_negative_run": 3,
                 "lowest_daily_balance": "-170.00", "deposits_total": "3350.00", "deposits_count": 4,
                 "withdrawals_total": "2109.92", "ending_balance": "2240.08", "true_revenue": "1100.00",
                 "revenue_deposits_count": 2, "nsf_count": 1, "overdraft_count": 1, "fees_total": "70.00",
                 "largest_deposit": "2000.00", "mca_payments_count": 1, "mca_payments_total": "189.92",
                 "net_cash_flow": "1240.08", "deposit_days": 4, "flags": []}
                """.utf8))
        let differences = try expected.differences(from: JSON(factors))
        #expect(differences.isEmpty, "\(differences.joined(separator: "\n"))")
    }

    @Test(
        "count as refused for lack of funds only what was",
        arguments: [
            ("-35", "NSF FEE", 1), ("-35", "NON-SUFFICIENT FUNDS CHARGE", 1),
            ("-25", "RETURNED CHECK FEE, CHECK # 319", 1),
            ("-30", "Returned Item Charge", 1), ("50", "RETURN OF POSTED ITEM", 1), ("35", "NSF FEE REFUND", 0),
            ("35", "OVERDRAFT/NSF FEE REFUND", 0), ("-10", "LATE NIGHT DINER", 0), ("-10", "PINTEREST", 0),
            ("-10", "Overlimit Fee", 0), ("-10", "Late Fee", 0), ("-10", "Annual Fee", 0),
            ("-90", "RETURNED CHEQUE", 0),
            ("-90", "DEPOSITED ITEM RETURNED", 0), ("-35", "OVERDRAFT ITEM FEE", 0), ("-35", "TRANSFERNSFEE", 0),
        ])
    func insufficientFunds(amount: String, text: String, count: Int) {
        #expect(factors([(5, amount, text)]).total.nsfCount == count)
    }

    @Test("count an item, its return and its fee as one event, and a new presentment as another")
    func oneEvent() {
        let event = [(5, "-250", "US FOODS"), (5, "250", "RETURN OF POSTED ITEM US FOODS"), (5, "-35", "NSF FEE")]
        #expect(factors(event).total.nsfCount == 1)
        let again = event + [(7, "-250", "RETRY PYMT US FOODS"), (7, "250", "RETURN OF POSTED ITEM US FOODS")]
        #expect(factors(again).total.nsfCount == 2)
    }

    @Test(
        "count overdrafts by their fees",
        arguments: [
            ("-35", "OVERDRAFT FEE", 1), ("-35", "OVERDRAFT ITEM FEE FOR ACTIVITY OF 03-04", 1),
            ("-6", "EXTENDED OVERDRAFT", 1),
            ("-100", "OVERDRAFT PROTECTION TRANSFER", 0), ("-12", "OVERDRAFT PROTECTION TRANSFER FEE", 0),
            ("35", "OVERDRAFT FEE REFUND", 0),
        ])
    func overdrafts(amount: String, text: String, count: Int) {
        #expect(factors([(5, amount, text)]).total.overdraftCount == count)
    }

    @Test(
        "count as revenue only what customers pay",
        arguments: [
            ("SQUARE INC DES:SQ250102 ID:T1", true), ("STRIPE DES:TRANSFER ID:ST-12345678 CCD", true),
            ("WIRE TYPE:WIRE IN ORIG:ACME", true), ("WIRE TRANSFER FROM ACME", true), ("COUNTER CREDIT", true),
            ("RETURNITY BAGS LLC", true), ("DEL SOL INTERESTING GOODS", true),
            ("ONLINE BANKING TRANSFER FROM SAV 1234", false),
            ("STRIPE CAPITAL", false), ("RAPID ADVANCE FUNDING DES:FUNDING", false), ("SBA EIDL LOAN", false),
            ("MERCHANDISE REFUND 123", false), ("CASH BACK REWARD", false), ("INTEREST EARNED", false),
            ("DIVIDEND EARNED", false), ("IRS TREAS 310 TAX REF", false), ("CHARGEBACK CREDIT", false),
            ("OWNER CONTRIBUTION", false), ("COINBASE", false), ("MAINTENANCE FEE REVERSAL", false),
        ])
    func revenue(text: String, isRevenue: Bool) {
        let found = factors([(5, "100", text)])
        #expect((found.total.revenueDepositsCount == 1) == isRevenue)
        #expect(found.excludedDeposits.isEmpty == isRevenue)
    }

    @Test(
        "tell payroll, loans and advances apart",
        arguments: [
            ("GUSTO DES:PAYROLL ID:000001", "payroll"), ("GUSTO; FEE 111111; Launch", ""), ("ADP WAGE PAY", "payroll"),
            ("CANYON CREDIT UNION DES:LOAN PMT", "loan"), ("KAPITUS DAILY", "mca"), ("SQUARE CAPITAL", "mca"),
            ("PAYPAL TRANSFER", ""), ("STRIPE FEES", ""), ("ADPOINT MEDIA", ""), ("RAPIDO TACOS", ""),
        ])
    func payments(text: String, kind: String) {
        let found = factors([(5, "-100", text)]).total
        #expect(found.payrollCount == (kind == "payroll" ? 1 : 0))
        #expect(found.loanPaymentsCount == (kind == "loan" ? 1 : 0))
        #expect(found.mcaPaymentsCount == (kind == "mca" ? 1 : 0))
    }

    @Test("leave a payment out that was returned the same day, but not of the totals")
    func returnedPayment() {
        let found = factors([(5, "-100", "KAPITUS"), (5, "100", "RETURN OF POSTED ITEM KAPITUS")]).total
        #expect(found.mcaPaymentsCount == 0)
        #expect(found.withdrawalsTotal == amount("100"))
        #expect(found.depositsTotal == amount("100"))
    }

    @Test("take a fixed payment on business days for an advance")
    func unnamedAdvance() {
        let days = [3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 17]
        let found = factors(days.map { ($0, "-75.50", "XJ HOLDINGS") } + [(12, "1000", "SQUARE")])
        #expect(found.total.mcaPaymentsCount == 11)
        #expect(found.recurring.first?.cadence == .daily)
        #expect(found.holdback == amount("0.8305"))
    }

    @Test("find payroll every two weeks")
    func biweekly() {
        let found = factors([(3, "-900", "GUSTO"), (17, "-905", "GUSTO"), (31, "-910", "GUSTO")])
        #expect(found.recurring.map(\.cadence) == [.biweekly])
        #expect(found.recurring.first?.fixed == true)
        #expect(found.recurring.first?.nextExpected.description == "2025-04-14")
    }

    @Test("split one payee's payments by amount")
    func clusters() {
        let weekly = [3, 10, 17, 24].flatMap { [($0, "-50", "ACME"), ($0 + 1, "-400", "ACME")] }
        #expect(factors(weekly).recurring.map(\.count) == [4, 4])
    }

    @Test("give neither balances nor zeros without an opening balance")
    func noOpening() {
        var unknown = statement([(5, "100", "SQUARE")])
        (unknown.opening, unknown.closing) = (nil, nil)
        let found = StatementFile(format: .csv, statements: [unknown]).report().statements[0].factors
        #expect(found.total.averageDailyBalance == nil)
        #expect(found.total.daysNegative == nil)
        #expect(found.flags == [.noOpeningBalance])
    }

    @Test("count entries outside the period on its ends, and undated ones on the last day")
    func clamping() {
        var late = statement([(5, "100", "A")], days: 4...6)
        late.entries.insert(Entry(day: march(2), amount: Amount("-1000") ?? .zero, text: "B"), at: 0)
        late.entries.append(Entry(day: nil, amount: Amount("-300") ?? .zero, text: "C"))
        late.closing = Amount("-200")
        let found = StatementFile(format: .camt, statements: [late]).report().statements[0].factors
        #expect(found.total.endingBalance == amount("-200"))
        #expect(found.total.daysNegative == 1)
        #expect(found.flags == [.entriesOutsidePeriod, .undatedEntries])
    }

    @Test("list deposits above half a month's true revenue")
    func largeDeposits() {
        let found = factors([(3, "100", "SQUARE"), (4, "301", "ACME"), (5, "200", "SQUARE")])
        #expect(found.largeDeposits.map(\.text) == ["ACME"])
    }

    @Test("name the trend over full months only")
    func trend() throws {
        let months = [(1, "210000"), (2, "180000"), (3, "100400")].map { month, deposit in
            var statement = Statement(account: "1", currency: "EUR")
            let next = Day(year: 2025, month: month + 1, day: 1)
            (statement.from, statement.to) = (Day(year: 2025, month: month, day: 1), next.map { $0 + -1 })
            (statement.opening, statement.closing) = (.zero, Amount(deposit))
            statement.entries = [Entry(day: statement.from, amount: Amount(deposit) ?? .zero, text: "ACME \(month)")]
            return statement
        }
        let report = StatementFile(format: .camt, statements: months).report()
        let trend = try #require(AccountReport.reports(of: [report])[0].factors.depositsTrend)
        #expect(trend.trendClass == .declining)
        #expect(trend.slope == amount("-54800"))
        #expect(trend.monthOverMonth == [amount("-0.1429"), amount("-0.4422")])
        #expect(try JSON(trend)["cv"] == .number(#require(Decimal(string: "0.2829"))))
    }
}

@Suite("Statements of one account") struct AccountTests {
    private func months(_ ranges: [(ClosedRange<Int>, String)]) -> StatementReport {
        StatementFile(
            format: .ofx,
            statements: ranges.map { days, opening in
                statement([(days.lowerBound, "10", "SQUARE")], opening: opening, days: days)
            }
        ).report()
    }

    @Test(
        "chain, leave a gap or overlap",
        arguments: [
            ([(1...10, "100"), (11...20, "110")], AccountReport.Chain.ok), ([(1...10, "100"), (10...20, "110")], .ok),
            ([(11...20, "110"), (1...10, "100")], .ok), ([(1...10, "100"), (11...20, "111")], .gap),
            ([(1...10, "100"), (13...20, "111")], .gap), ([(1...10, "100"), (8...20, "110")], .overlap),
            // The balance goes on exactly over quiet days; at zero it does so over a few days only.
            ([(1...10, "100"), (13...20, "110")], .ok), ([(1...10, "-10"), (13...20, "0")], .ok),
            ([(1...10, "-10"), (16...20, "0")], .gap),
        ])
    func chain(ranges: [(ClosedRange<Int>, String)], expected: AccountReport.Chain) {
        let account = AccountReport.reports(of: [months(ranges)])[0]
        #expect(account.chain == expected)
        #expect(account.factors.flags.contains(.gap) == (expected == .gap))
    }

    @Test("are counted once each, over covered days only")
    func coverage() {
        let report = months([(1...10, "100"), (13...20, "111")])
        let account = AccountReport.reports(of: [report, report])[0]
        #expect(account.statements == 2)
        #expect(account.factors.total.days == 18)
        #expect(account.factors.total.depositsCount == 2)
    }

    @Test("that overlap count each entry as often as the statement that has it most often")
    func overlap() {
        func account(_ later: [(Int, String, String)]) -> AccountReport {
            let first = statement([(8, "-3", "COFFEE"), (9, "-3", "COFFEE"), (9, "-3", "COFFEE")], days: 1...10)
            let second = statement(later, opening: "1000", days: 8...20)
            return AccountReport.reports(of: [StatementFile(format: .ofx, statements: [first, second]).report()])[0]
        }
        let same = account([(8, "-3", "COFFEE"), (9, "-3", "COFFEE"), (9, "-3", "COFFEE"), (15, "-7", "LUNCH")])
        #expect(same.factors.total.withdrawalsTotal == Amount("16"))
        #expect(same.factors.flags.contains(.overlapMerged))
        let other = account([(8, "-3", "COFFEE"), (9, "-3", "COFFEE"), (15, "-7", "LUNCH")])
        #expect(other.factors.total.withdrawalsTotal == Amount("16"))
        #expect(other.factors.flags.contains(.overlapConflict))
    }

    /// Two files of one account, of entries with the bank's marks: day, amount, text, mark.
    private func overlapping(
        _ earlier: [(Int, String, String, String?)], _ later: [(Int, String, String, String?)]
    ) -> AccountReport {
        func part(_ lines: [(Int, String, String, String?)], _ days: ClosedRange<Int>) -> Statement {
            var result = statement(lines.map { ($0.0, $0.1, $0.2) }, opening: "1000", days: days)
            for (index, line) in lines.enumerated() { result.entries[index].id = line.3 }
            return result
        }
        return AccountReport.reports(of: [
            StatementFile(format: .ofx, statements: [part(earlier, 1...10), part(later, 6...20)]).report()
        ])[0]
    }

    @Test("that overlap know an entry by the bank's mark, whatever its text has become")
    func marks() {
        let account = overlapping(
            [(6, "-3", "CARD 1", "a"), (8, "-5", "LUNCH", "b"), (10, "-9", "TAXI", "c")],
            [(6, "-3", "COFFEE HOUSE", "a"), (8, "-5", "LUNCH", "b"), (10, "-9", "TAXI", "c"), (10, "-9", "TAXI", "d")])
        #expect(account.factors.total.withdrawalsTotal == Amount("26"))
        #expect(account.factors.flags.contains(.overlapMerged))
        #expect(!account.factors.flags.contains(.overlapConflict))
    }

    @Test("that overlap are a conflict where one mark has two amounts, or a mark of an inner day is missing")
    func marksInConflict() {
        let entries: [(Int, String, String, String?)] = [(7, "-3", "COFFEE", "a"), (8, "-5", "LUNCH", "b")]
        #expect(
            overlapping(entries, [entries[0], (8, "-6", "LUNCH", "b")]).factors.flags.contains(.overlapConflict))
        #expect(
            overlapping(entries, [entries[0], (8, "-5", "LUNCH", "x")]).factors.flags.contains(.overlapConflict))
        #expect(overlapping(entries, entries).factors.flags.contains(.overlapMerged))
    }

    @Test("that overlap know entries by their content where marks are missing, or made anew for each file")
    func marksAnew() {
        let earlier: [(Int, String, String, String?)] = [(7, "-3", "COFFEE", "a"), (8, "-5", "LUNCH", "b")]
        for marks in [["x", "y"], [nil, nil], ["a", nil]] as [[String?]] {
            let later = zip(earlier, marks).map { ($0.0, $0.1, $0.2, $1) }
            let account = overlapping(earlier, later)
            #expect(account.factors.total.withdrawalsTotal == Amount("8"))
            #expect(!account.factors.flags.contains(.overlapConflict))
        }
    }

    @Test(
        "of final form replace reports of the same days",
        arguments: [(1...31, 1...31), (1...20, 15...31), (10...31, 1...20), (10...20, 5...25), (1...31, 10...20)])
    func provisional(final: ClosedRange<Int>, report: ClosedRange<Int>) {
        func part(_ days: ClosedRange<Int>, _ text: String) -> Statement {
            let all = [5, 12, 18, 25]
            let before = all.count { $0 < days.lowerBound }
            return statement(
                all.filter { days.contains($0) }.map { ($0, "10", text) }, opening: "\(100 + 10 * before)", days: days)
        }
        let covered = Set(final).union(report)
        var provisional = part(report, "AS THE DAY'S REPORT HAS IT")
        provisional.isProvisional = true
        for order in [[part(final, "A"), provisional], [provisional, part(final, "A")]] {
            let report = StatementFile(format: .camt, statements: order).report()
            let stored = try? JSONDecoder().decode(StatementReport.self, from: JSONEncoder().encode(report))
            #expect(stored == report)
            let account = AccountReport.reports(of: [report])[0]
            #expect(account.factors.total.days == covered.count)
            #expect(
                account.factors.total.depositsTotal == Amount("\(10 * [5, 12, 18, 25].count { covered.contains($0) })"))
            #expect(account.factors.flags.isEmpty)
            #expect(account.chain == .ok)
        }
    }

    @Test("without balances of their own take them from the statements beside them")
    func passedOn() {
        var parts = (1...3).map { statement([($0 * 10 - 5, "10", "A")], days: ($0 * 10 - 9)...($0 * 10)) }
        for index in parts.indices { (parts[index].opening, parts[index].closing) = (nil, nil) }
        (parts[2].opening, parts[2].closing) = (Amount("120"), Amount("130"))
        parts[0].flags = [.balanceAfterPeriod]
        let account = AccountReport.reports(of: [StatementFile(format: .ofx, statements: parts).report()])[0]
        #expect(account.factors.total.opening == Amount("100"))
        #expect(account.factors.total.endingBalance == Amount("130"))
        #expect(account.factors.flags.isEmpty)
    }

    @Test("do not have the money of another account as revenue")
    func ownTransfers() {
        var other = statement([(6, "-777", "ACH OUT")])
        other.account = "2"
        let report = StatementFile(format: .ofx, statements: [statement([(5, "777", "DEPOSIT")]), other]).report()
        #expect(report.statements[0].factors.total.revenueDepositsCount == 1)
        #expect(AccountReport.reports(of: [report])[0].factors.total.revenueDepositsCount == 0)
    }

    @Test("without a number come together only where they chain")
    func unnamed() {
        var parts = [
            statement([(1, "10", "A")], opening: "100", days: 1...10),
            statement([(11, "10", "B")], opening: "110", days: 11...20),
            statement([(11, "10", "C")], opening: "7", days: 11...20),
        ]
        for index in parts.indices { parts[index].account = nil }
        let accounts = AccountReport.reports(of: [StatementFile(format: .csv, statements: parts).report()])
        #expect(accounts.map(\.statements) == [2, 1])
    }
}
