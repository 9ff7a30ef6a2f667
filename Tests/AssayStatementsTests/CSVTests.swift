import AssayStatements
import Foundation
import Testing

@Suite("CSV files") struct CSVTests {
    private static let rows = [
        "Date,Description,Amount\n2025-03-01,A,-1.50\n2025-03-02,B,20.00\n",
        "Date;Description;Amount\r\n2025-03-01;A;-1,50\r\n2025-03-02;B;20,00\r\n",
        "Datum\tOmschrijving\tBedrag\n01.03.2025\tA\t-1,50\n02.03.2025\tB\t20,00",
        "\u{FEFF}\"Date\",\"Description\",\"Amount\"\r\"03/01/2025\",\"A\",\"($1.50)\"\r\"03/30/2025\",\"B\",\"$20.00\"",
        "Buchungstag;Verwendungszweck;Soll;Haben\n01.03.25;A;1,50;\n02.03.25;B;;20,00\n",
        "Fecha,Concepto,Importe,Saldo\n25/03/2025,B,20.00,18.50\n24/03/2025,A,-1.50,-1.50\n",
        "Export of account 1\n\nDate,Details,Money Out,Money In,Balance\n2025-03-01,A,1.50,,98.50\n2025-03-02,B,,20.00,118.50\n\n",
        "Date,Description,Amount,Type\n2025-03-01,A,1.50,Debit\n2025-03-02,B,20.00,Credit\n",
        "Date,Description,Amount,Status\n2025-03-01,A,-1.50,Posted\n2025-03-02,B,20.00,Posted\n2025-03-03,C,7.00,Pending\n",
        "Date,Description,Amount,Running Bal.\n03/01/2025,Beginning balance,,100.00\n03/01/2025,A,-1.50,98.50\n03/31/2025,B,20.00,118.50\n",
    ]

    @Test("are understood in many dialects", arguments: rows)
    func dialects(text: String) throws {
        let statement = try read(text).statements[0]
        #expect(statement.entries.map(\.amount) == [Amount("-1.50"), Amount("20")])
        #expect(statement.entries.map(\.text) == ["A", "B"])
    }

    @Test("in UTF-16 are read as text")
    func utf16() throws {
        let text = Self.rows[0]
        var bytes: [UInt8] = [0xFF, 0xFE]
        for unit in text.utf16 { bytes += [UInt8(unit & 0xFF), UInt8(unit >> 8)] }
        #expect(try StatementReader().read(bytes).statements[0].entries.count == 2)
    }

    @Test(
        "are refused where they can be read two ways or not at all",
        arguments: [
            ("Date,Description,Amount\n03/04/2025,A,-1.00\n03/04/2025,B,2.00\n", "csv.date_order: day or month"),
            ("Date,Description,Amount\n2025-03-01,A,1.50\n2025-03-02,B,\"1,50\"\n", "decimals"),
            ("Date,Description,Amount\n2025-03-01,A,12..34\n", "not an amount"),
            ("Date,Description,Amount\n2025-02-31,A,1.00\n", "not a date"),
            ("Date,Description,Amount\n2025-02-01,A,1.00\n2025-02-02,B,2.00\n", "csv.amount_sign: bank"),
            ("Date,Description,Amount\n2025-02-01,A,1.000\n2025-02-02,B,-2.500\n", "csv.decimal: ',' or '.'"),
            ("Date,Description,Amount,Fee\n2025-02-01,A,-1.00,0.10\n2025-02-02,B,2.00,0\n", "csv.fee: Fee"),
            (
                "Date,Description,Amount,Balance\n2025-02-01,A,1.00,9.00\n2025-02-02,B,2.00,7.00\n",
                "csv.opening_balance"
            ),
            ("Date,Description,Amount\n,A,-1.00\n2025-02-02,B,2.00\n", "without a date"),
            ("Date,Description,Debit,Credit\n2025-02-01,A,1.00,2.00\n", "both a debit and a credit"),
            ("Date,Description,Amount\n2025-03-01,\"A,1.00\n", "quote"),
            ("Date,Description,Amount\n2025-03-01,A\n", "cells"),
            ("a,b,c\n1,2,3\n", "header"), ("Date,Description,Amount\n2025-03-01,A,1e9\n", "not an amount"),
        ])
    func refusals(text: String, reason: String) {
        let error = refusal(text)
        #expect(error?.code == .malformed)
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "read")")
    }

    @Test("keep doubled quotes, line ends within quotes and no control characters")
    func quoting() throws {
        let text =
            "Date,Description,Amount\n2025-03-01,\"He said \"\"hi\"\",\nand\u{0} \u{1B}[31mleft\u{202E}\",-1.00\n"
        #expect(try read(text).statements[0].entries[0].text == "He said \"hi\",and [31mleft")
    }

    @Test("may be described with columns by name")
    func columnNames() throws {
        let json =
            #"{"date": "When", "amount": "How much", "description": 1, "date_format": "%d.%m.%Y", "decimal": ","}"#
        let profile = try JSONDecoder().decode(CSVProfile.self, from: Data(json.utf8))
        let file = try read("When,What,How much\n01.03.2025,A,\"-1.234,56\"\n", format: .csv, csv: profile)
        #expect(file.statements[0].entries[0].amount == Amount("-1234.56"))
    }

    @Test(
        "are not described with unknown keys",
        arguments: [
            #"{"date": 0, "date_format": "%Y", "colour": 1}"#,
            #"{"date": 0, "date_format": "%Y", "summary_rows": {"open": 1}}"#,
        ])
    func unknownKeys(json: String) {
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(CSVProfile.self, from: Data(json.utf8)) }
    }

    @Test("with a row missing from the running balance are a mismatch")
    func brokenChain() throws {
        let text =
            "Date,Description,Amount,Balance\n2025-03-01,A,-1.00,99.00\n2025-03-02,B,-1.00,98.00\n2025-03-04,D,-1.00,96.00\n2025-03-05,E,-1.00,95.00\n"
        let report = try read(text).report()
        #expect(report.summary.balanceCheck == .mismatch)
        #expect(report.statements[0].factors.flags.contains(.unreconciled))
    }

    @Test("of several accounts or currencies are a statement each, in order of first appearance")
    func several() throws {
        let file = try read(
            "Date,Description,Amount,Currency,Account Number\n2025-02-01,A,1.00,EUR,A-1\n2025-02-01,B,-2.00,USD,A-1\n2025-02-02,C,3.00,EUR,A-2\n2025-02-03,D,-4.00,EUR,A-1\n"
        )
        #expect(file.statements.map(\.account) == ["A-1", "A-1", "A-2"])
        #expect(file.statements.map(\.currency) == ["EUR", "USD", "EUR"])
        #expect(file.statements.map(\.entries.count) == [2, 1, 1])
    }

    @Test(
        "turn the signs of a card where payments to it stand on the minus side, and nowhere else",
        arguments: [
            ("BISTRO,8.00", "INTERNET PAYMENT - THANK YOU,-20.00", "-8", AccountType?.some(.card)),
            ("BISTRO,-8.00", "PAYMENT THANK YOU,20.00", "-8", nil),
            ("DEPOSIT,8.00", "REFUND TO CLIENT,-20.00", "8", nil),
        ])
    func cards(first: String, second: String, amount: String, type: AccountType?) throws {
        let statement = try read("Date,Description,Amount\n2025-02-01,\(first)\n2025-02-02,\(second)\n").statements[0]
        #expect(statement.entries[0].amount == Amount(amount))
        #expect(statement.accountType == type)
    }

    @Test("take a phrase for a balance only as the whole of a cell")
    func phrases() throws {
        let text =
            "Date,Description,Amount\n2025-02-01,Opening balance,100.00\n2025-02-02,Opening balance correction,5.00\n2025-02-03,Rent,-50.00\n2025-02-28,Closing balance,55.00\n"
        let statement = try read(text).statements[0]
        #expect(statement.entries.map(\.amount) == [Amount("5"), Amount("-50")])
        #expect(statement.opening == Amount("100"))
        #expect(statement.balanceCheck == .ok)
        #expect(statement.leftOut.balance == 2)
        #expect([statement.from?.description, statement.to?.description] == ["2025-02-01", "2025-02-28"])
    }

    @Test(
        "whose profile names a column that no row has are refused with its key, and never trap",
        arguments: ["date", "amount", "debit", "credit", "balance", "type_column", "fee"])
    func columnsBeyondTheTable(key: String) throws {
        var settings = ["date": 0, "debit": 2, "credit": 3]
        if ["amount", "type_column", "fee"].contains(key) { settings = ["date": 0, "amount": 2] }
        settings[key] = 99
        let json = String(decoding: try JSONEncoder().encode(settings), as: UTF8.self)
        let profile = try JSONDecoder().decode(CSVProfile.self, from: Data(json.utf8))
        let text = "Date,Description,Debit,Credit\n2025-03-03,RENT,900.00,\n2025-03-04,CLIENT,,600.00\n"
        #expect {
            try read(text, csv: profile)
        } throws: { error in
            "\(error)".contains("csv.\(key) is column 99")
        }
    }

    @Test("with a column of what went out alone are read, too")
    func debitAlone() throws {
        let profile = try JSONDecoder().decode(CSVProfile.self, from: Data(#"{"date": 0, "debit": 2}"#.utf8))
        let statement = try read("Date,Text,Out\n2025-03-03,RENT,900.00\n2025-03-04,FEE,6.00\n", csv: profile)
        #expect(statement.statements[0].entries.map(\.amount) == [Amount("-900"), Amount("-6")])
    }

    @Test("are settled by one key of a profile alone")
    func oneKey() throws {
        let text = "Date,Description,Amount\n03/04/2025,A,-1.00\n03/04/2025,B,2.00\n"
        for (order, day) in [(DateOrder.day, "2025-04-03"), (.month, "2025-03-04")] {
            var profile = CSVProfile()
            profile.dateOrder = order
            #expect(try read(text, csv: profile).statements[0].entries[0].day?.description == day)
        }
    }
}
