import AssayStatements
import Foundation
import Testing

@Suite("PDF statements", .enabled(if: hasPDFProgram)) struct PDFTests {
    private static let head = """
        FIRST EXAMPLE BANK
        Business Checking
        Statement period 03/01/2024 to 03/31/2024
        Beginning balance on March 1, 2024                        $500.00
        """

    private static let parts = """
        \(head)
        Deposits and other credits                               3,700.00

        Deposits and other credits
        Date         Description                                   Amount
        03/04/2024   ACH CLIENT A                                3,000.00
        03/25/2024   ACH CLIENT C                                  700.00
        Total deposits and other credits                         3,700.00

        Withdrawals and other debits
        03/13/2024   OFFICE LEASE                                2,950.00
        Service fees
        03/29/2024   MONTHLY FEE                                    10.00
        Ending balance on March 31, 2024                        $1,240.00
        """

    @Test("take the direction from the part in which a row stands")
    func sections() throws {
        let statement = try StatementReader().read(pdf(Self.parts)).statements[0]
        #expect(statement.entries.map(\.amount) == ["3000", "700", "-2950", "-10"].map { Amount($0) })
        #expect(statement.entries.map(\.text) == ["ACH CLIENT A", "ACH CLIENT C", "OFFICE LEASE", "MONTHLY FEE"])
        #expect(statement.balanceCheck == .ok)
    }

    @Test(
        "are refused where rows or headings are missing",
        arguments: ["ACH CLIENT C", "OFFICE LEASE", "Withdrawals and other debits", "Ending balance"])
    func missing(line: String) {
        let lines = Self.parts.split(separator: "\n").filter { !$0.contains(line) }
        #expect(refusal(pdf(lines.joined(separator: "\n")))?.code == .malformed)
    }

    private static func running(_ rows: [(String, String)], ending: String) -> String {
        let days = ["03/04/2024", "03/13/2024", "03/25/2024"]
        let lines = zip(days, rows).map { day, row in
            "\(day)   ENTRY OF MONEY        \(row.0)        \(row.1)"
        }
        return ([head] + lines + ["Ending balance on March 31, 2024       \(ending)"]).joined(separator: "\n")
    }

    @Test("take the direction from the balance behind each amount")
    func balances() throws {
        let rows = [("3,000.00", "3,500.00"), ("2,950.00", "550.00"), ("700.00", "1,250.00")]
        let statement = try StatementReader().read(pdf(Self.running(rows, ending: "1,250.00"))).statements[0]
        #expect(statement.entries.map(\.amount) == ["3000", "-2950", "700"].map { Amount($0) })
        #expect(statement.entries[0].text == "ENTRY OF MONEY")
    }

    @Test("whose balances are not led to are refused")
    func brokenBalances() {
        let rows = [("3,000.00", "3,500.00"), ("2,950.00", "560.00"), ("700.00", "1,250.00")]
        #expect(refusal(pdf(Self.running(rows, ending: "1,250.00")))?.code == .malformed)
    }

    @Test("that end where they began are read only where balances on the way say which way money went")
    func noChange() throws {
        let rows = [("700.00", "1,200.00"), ("700.00", "500.00")]
        let statement = try StatementReader().read(pdf(Self.running(rows, ending: "500.00"))).statements[0]
        #expect(statement.entries.map(\.amount) == ["700", "-700"].map { Amount($0) })
        let signed = Self.running([("700.00", "-"), ("-700.00", "-")], ending: "500.00").replacing(
            "        -\n", with: "\n")
        #expect(refusal(pdf(signed))?.code == .malformed)
    }

    private static func checkPage(_ rows: String, ending: String) -> String {
        """
        \(head)
        Deposits
        03/04/2024   ACH CLIENT A                                3,000.00
        Checks paid
        \(rows)
        Ending balance on March 31, 2024                        \(ending)
        """
    }

    @Test(
        "take rows of checks by their number, wherever it stands",
        arguments: [
            "1041    03/05/2024    100.00\n1043*   03/09/2024    250.00",
            "03/05/2024    1041    100.00\n03/09/2024    1043*    250.00",
        ])
    func checks(rows: String) throws {
        let statement = try StatementReader().read(pdf(Self.checkPage(rows, ending: "3,150.00"))).statements[0]
        #expect(statement.entries.map(\.amount) == ["3000", "-100", "-250"].map { Amount($0) })
        #expect(statement.entries.map(\.text) == ["ACH CLIENT A", "CHECK 1041", "CHECK 1043"])
        #expect(statement.entries.map(\.day) == ["2024-03-04", "2024-03-05", "2024-03-09"].map { Day($0) })
        #expect(statement.balanceCheck == .ok)
    }

    @Test("take a row of a check anywhere where the balance behind its amount proves it")
    func checkWithBalance() throws {
        let rows = [("3,000.00", "3,500.00"), ("2,950.00", "550.00")]
        let page = Self.running(rows, ending: "350.00").replacing(
            "Ending", with: "1041   03/25/2024        200.00        350.00\nEnding")
        let statement = try StatementReader().read(pdf(page)).statements[0]
        #expect(statement.entries.last?.amount == Amount("-200"))
        #expect(statement.entries.last?.text == "CHECK 1041")
    }

    @Test(
        "are refused where rows of checks do not add up, stand side by side or under no heading",
        arguments: [
            ("1041    03/05/2024    100.00", "3,399.00", "Checks paid"),
            ("1041    03/05/2024    100.00   1043   03/09/2024    250.00", "3,150.00", "Checks paid"),
            ("1041    03/05/2024    100.00", "3,400.00", "Notes"),
        ])
    func wrongChecks(rows: String, ending: String, heading: String) {
        let page = Self.checkPage(rows, ending: ending).replacing("Checks paid", with: heading)
        #expect(refusal(pdf(page))?.code == .malformed)
    }
}
