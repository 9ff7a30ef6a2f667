import AssayStatements
import Foundation
import Testing

@Suite("Rows of a CSV file") struct CSVRowTests {
    private static let pair = """
        Date,Description,Debit,Credit
        2025-03-03,RENT,900.00,
        2025-03-04,CLIENT,,600.00
        2025-03-05,CLIENT,,50.00

        """
    private static let signed = """
        Date,Description,Amount
        2025-03-03,RENT,-900.00
        2025-03-04,CLIENT,600.00
        2025-03-05,CLIENT,50.00

        """

    @Test(
        "that state totals hold under what a total may add up",
        arguments: [
            (pair, ",Total,900.00,650.00"), (pair, ",Total,,650.00"), (pair, ",Total card bookings,900,650"),
            (signed, ",Total,-250.00"), (signed, ",Total credits,650.00"), (signed, ",Total debits,-900.00"),
            (signed, ",Total,1550.00"), (signed, ",Total,3"),
            (signed, "Pending,PURCHASE,-10.00\n,Total,-250.00"),
            (signed, ",Total,-250.00\n2025-03-07,CLIENT,20.00\n,Total,20.00\n,Total,-230.00"),
        ])
    func totals(table: String, total: String) throws {
        let statement = try read(table + total).statements[0]
        #expect(!statement.contradictsTotals)
        #expect(statement.leftOut.total > 0)
    }

    @Test(
        "that state totals which nothing comes to make the statement contradict itself",
        arguments: [
            (pair, ",Total,900.00,660.00", "Debit"), (pair, ",Total,650.00,900.00", "Debit"),
            (signed, ",Total,-260.00", "Amount"), (signed, ",Total credits,900.00", "Amount"),
            (signed, ",Total debits,650.00", "Amount"),
        ])
    func wrongTotals(table: String, total: String, column: String) throws {
        let file = try read(table + total)
        #expect(file.statements[0].contradictsTotals)
        #expect(file.statements[0].evidence.contains { $0.decision == "total" && $0.by == column })
        #expect(file.report().statements[0].factors.flags.contains(.unreconciled))
    }

    private static let accounts = """
        Account Number,Date,Description,Amount
        A,2025-03-03,RENT,-900.00
        A,2025-03-04,CLIENT,600.00
        B,2025-03-04,CLIENT,70.00
        B,2025-03-05,CLIENT,5.00

        """
    private static let blocks = accounts.replacing("B,2025-03-04", with: ",,Total,-300.00\nB,2025-03-04")

    @Test(
        "that state totals of a file with several accounts hold under one account or all of them",
        arguments: [
            (accounts, ",,Total,-225.00"), (accounts, "A,,Total,-300.00\nB,,Total,75.00"),
            (accounts, "B,,Total,75.00\nA,,Total,-300.00"), (blocks, ",,Total,75.00"),
            (blocks, ",,Total,75.00\n,,Total,-225.00"),
        ])
    func totalsOfAccounts(table: String, totals: String) throws {
        let statements = try read(table + totals).statements
        #expect(statements.map(\.account) == ["A", "B"])
        #expect(statements.map(\.contradictsTotals) == [false, false])
    }

    @Test(
        "that state totals which no account comes to make that account contradict itself",
        arguments: [
            (accounts, "A,,Total,-301.00\nB,,Total,75.00", [true, false]),
            (accounts, "B,,Total,-300.00", [false, true]),
            (accounts, ",,Total,-226.00", [true, true]), (blocks, ",,Total,76.00", [false, true]),
            (blocks.replacing("-300", with: "-310"), ",,Total,75.00", [true, false]),
        ])
    func wrongTotalsOfAccounts(table: String, totals: String, contradict: [Bool]) throws {
        #expect(try read(table + totals).statements.map(\.contradictsTotals) == contradict)
    }

    @Test("that state a balance without a day are a check and no figure")
    func undatedBalance() throws {
        let file = try read(Self.signed + ",Saldo,750.00")
        #expect(file.statements[0].statedBalance == StatedBalance(amount: Amount("750") ?? .zero, day: nil))
        #expect(file.statements[0].closing == nil)
        let factors = file.report().statements[0].factors
        #expect(factors.flags.contains(.noOpeningBalance) && factors.flags.contains(.balanceUndated))
        #expect(factors.total.averageDailyBalance == nil)
        let dated = try read(Self.signed + "2025-03-05,Saldo,750.00")
        #expect(dated.report().statements[0].factors.total.opening == Amount("1000"))
    }

    @Test("at the end are left out by footer_rows, whatever they hold")
    func footer() throws {
        let text = Self.signed + "Made on,,\n2025-03-09,DEPOSIT OFFER,999.00\n\n"
        var profile = CSVProfile()
        #expect(refusal(text) == nil)
        profile.footerRows = 2
        let statement = try read(text, csv: profile).statements[0]
        #expect(statement.entries.count == 3)
        #expect(statement.leftOut.text == 2)
    }

    @Test(
        "with neither date nor amount go on with the entry above, or not, as continuation says",
        arguments: [
            (nil, ["RENT OFFICE 4", "CLIENT"]), (CSVProfile.Continuation.skip, ["RENT", "CLIENT"]),
            (.join, ["RENT OFFICE 4", "CLIENT see page 2"]),
        ])
    func continuation(key: CSVProfile.Continuation?, texts: [String]) throws {
        let text = """
            Date,Description,Amount
            2025-03-03,RENT,-900.00
            ,OFFICE 4,
            2025-03-04,CLIENT,600.00
            see page 2
            """
        var profile = CSVProfile()
        profile.continuation = key
        #expect(try read(text, csv: profile).statements[0].entries.map(\.text) == texts)
    }

    @Test("of one day that lead round in a circle have balances only where their order is known")
    func circle() throws {
        let text = """
            Date,Description,Amount,Balance
            2025-03-03,RENT,-600.00,400.00
            2025-03-03,CLIENT,600.00,1000.00

            """
        let open = try read(text).statements[0]
        #expect(open.opening == nil && open.closing == nil)
        #expect(open.entries.map(\.amount) == [Amount("-600"), Amount("600")])
        var profile = CSVProfile()
        for (order, balance) in [(CSVProfile.Order.oldestFirst, "1000"), (.newestFirst, "400")] {
            profile.order = order
            let known = try read(text, csv: profile).statements[0]
            #expect(known.opening == Amount(balance) && known.closing == Amount(balance))
        }
        let dated = try read(text.replacingOccurrences(of: "03-03,CLIENT", with: "03-04,CLIENT")).statements[0]
        #expect(dated.opening == Amount("1000"))
        let stated = try read("Opening balance,1000.00\n\n" + text).statements[0]
        #expect(stated.opening == Amount("1000"))
    }

    /// Payments of equal size to a card, each of which makes the balance larger.
    private static func equal(_ second: String) -> String {
        "Date,Description,Amount,Balance\n2025-03-03,PAYMENT - THANK YOU,-600.00,1000.00\n\(second),PAYMENT - THANK YOU,-600.00,1600.00\n"
    }

    @Test("with equal amounts prove no order of the rows that their dates contradict")
    func equalAmounts() throws {
        let rising = try read(Self.equal("2025-03-04")).statements[0]
        #expect(rising.entries.map(\.amount) == [Amount("600"), Amount("600")])
        #expect(rising.closing == Amount("1600"))
        let falling = try read(Self.equal("2025-03-02")).statements[0]
        #expect(falling.entries.map(\.amount) == [Amount("-600"), Amount("-600")])
    }

    @Test("with equal amounts on one day are read only with the sign that a person knows")
    func equalAmountsOfOneDay() throws {
        let text = Self.equal("2025-03-03")
        #expect(refusal(text)?.message.contains("set csv.amount_sign") == true)
        var profile = CSVProfile()
        for (sign, amount) in [(AmountSign.bank, "-600"), (.card, "600")] {
            profile.amountSign = sign
            let statement = try read(text, csv: profile).statements[0]
            #expect(statement.entries.map(\.amount) == [Amount(amount), Amount(amount)])
            #expect(statement.opening == nil && statement.closing == nil)
        }
    }

    @Test("hold long numbers of references, which are no amounts", arguments: [18, 19, 30, 31, 38, 39, 40, 60, 64, 65])
    func longNumbers(digits: Int) throws {
        let number = String(repeating: "9", count: digits)
        let text =
            "Date,Description,Reference,Amount\n2025-03-03,RENT,\(number),-9.00\n2025-03-04,CLIENT,\(number),6.00\n"
        #expect(try read(text).statements[0].entries.map(\.amount) == [Amount("-9"), Amount("6")])
        #expect(refusal(text.replacingOccurrences(of: "6.00", with: number))?.code == .malformed)
    }

    @Test("that a profile leaves out say nothing about the columns")
    func leftOut() throws {
        let text = Self.signed + "2025-03-06,NOTE,n. v.\n31/12/2025,NOTE,\"1,5\"\n"
        let rule = #"{"leave_out": [{"column": "Description", "is": "NOTE", "as": "text"}]}"#
        #expect(refusal(text)?.message.contains("csv.leave_out") == true)
        let profile = try JSONDecoder().decode(CSVProfile.self, from: Data(rule.utf8))
        let statement = try read(text, csv: profile).statements[0]
        #expect(statement.entries.count == 3)
        #expect(statement.leftOut.text == 2)
    }
}
