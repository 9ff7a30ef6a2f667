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
