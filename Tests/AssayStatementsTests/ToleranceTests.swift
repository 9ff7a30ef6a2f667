import AssayStatements
import Foundation
import Testing

@Suite("What banks really write") struct ToleranceTests {
    private func amounts(_ statement: Statement) -> [String] { statement.entries.map { "\($0.amount)" } }

    // MARK: OFX

    private static func ofx(_ entries: String, balance: String = "", type: String = "STMTRS") -> String {
        "<OFX><MSGS><\(type)><CURDEF>EUR<BANKACCTFROM><ACCTID>1<ACCTTYPE>CHECKING</BANKACCTFROM><BANKTRANLIST><DTSTART>20250301<DTEND>20250331"
            + entries + "</BANKTRANLIST>\(balance)</\(type)></MSGS></OFX>"
    }

    private static func entry(_ amount: String, _ type: String = "DEBIT", day: Int = 5, more: String = "") -> String {
        "<STMTTRN><TRNTYPE>\(type)<DTPOSTED>202503\(day < 10 ? "0" : "")\(day)<TRNAMT>\(amount)<FITID>\(amount)<NAME>A\(more)</STMTTRN>"
    }

    @Test("of OFX amounts decides over the whole statement which mark begins decimals")
    func ofxDecimals() throws {
        let text = Self.ofx(
            Self.entry("1.512,40", "CREDIT") + Self.entry("-12,5"),
            balance: "<LEDGERBAL><BALAMT>2.499,90<DTASOF>20250331</LEDGERBAL>")
        let statement = try read(text).statements[0]
        #expect(amounts(statement) == ["1512.40", "-12.50"])
        #expect(statement.closing == Amount("2499.9"))
        #expect(statement.accountType == .bank)
    }

    @Test("of OFX without signs takes the direction from the types, or refuses")
    func ofxUnsigned() throws {
        let text = Self.ofx(Self.entry("5.00", "CREDIT") + Self.entry("3.00", "POS") + Self.entry("2.00", "FEE"))
        #expect(amounts(try read(text).statements[0]) == ["5.00", "-3.00", "-2.00"])
        let open = Self.ofx(Self.entry("5.00", "CREDIT") + Self.entry("3.00", "XFER"))
        #expect(refusal(open)?.message.contains("ofx.amount_sign: bank") == true)
        var reader = StatementReader()
        reader.ofx.amountSign = .bank
        #expect(amounts(try reader.read([UInt8](open.utf8)).statements[0]) == ["5.00", "3.00"])
    }

    @Test(
        "of OFX balances closes the statement only from its last entry to the day after it",
        arguments: [
            ("20250331", true, nil), ("20250401", true, nil), ("20250614", false, FactorFlag.balanceAfterPeriod),
            ("20250301", false, .balanceBeforeLastEntry), ("00000000", false, .balanceUndated),
            ("", false, .balanceUndated),
        ])
    func ofxBalance(day: String, closes: Bool, flag: FactorFlag?) throws {
        let text = Self.ofx(
            Self.entry("-5.00"), balance: "<LEDGERBAL><BALAMT>10.00<DTASOF>\(day)</LEDGERBAL>")
        let statement = try read(text).statements[0]
        #expect(statement.closing == (closes ? Amount("10") : nil))
        #expect(statement.statedBalance?.amount == (closes ? nil : Amount("10")))
        #expect(statement.flags == Set([flag].compactMap { $0 }))
    }

    @Test("of OFX entries in another currency are converted, or a statement of their own")
    func ofxCurrencies() throws {
        let rated = "<CURRENCY><CURRATE>1.1<CURSYM>USD</CURRENCY>"
        let statement = try read(Self.ofx(Self.entry("-5.00", more: rated) + Self.entry("1.00", "CREDIT"))).statements
        #expect(statement.map { amounts($0) } == [["-5.50", "1.00"]])
        #expect(statement[0].flags == [.convertedEntries])
        let plain = try read(
            Self.ofx(Self.entry("-5.00", more: "<CURRENCY><CURSYM>USD</CURRENCY>") + Self.entry("1.00", "CREDIT"))
        ).statements
        #expect(plain.map(\.currency) == ["EUR", "USD"])
    }

    @Test("of OFX tags closes what never was open, and repeats itself")
    func ofxTags() throws {
        let same = Self.entry("-5.00")
        let text = Self.ofx(same + same + "</PAYEE></INTU.X>", type: "CCSTMTRS").replacingOccurrences(
            of: "</CCSTMTRS>", with: "</STMTRS>")
        let statement = try read(text).statements[0]
        #expect(amounts(statement) == ["-5.00", "-5.00"])
        #expect(statement.flags == [.repeatedIds])
        #expect(statement.accountType == .card)
    }

    // MARK: MT940

    @Test("of MT940 leaves field 20 out, breaks lines within fields and puts tags into texts")
    func mt940() throws {
        let text = """
            BANKNL2A
            940
            :25:NL01
            :28:1/1
            :60F:C250228EUR100,00
            :61:2503010301CR
            45,00N062NONREF
            :86:TEXT THAT GOES ON AT 10
            :20:41 AND ON
            :61:2503020302D15,00N005NONREF
            :
            :86:MORE
            :62F:C250331EUR130,00
            -
            BANKNL2A
            :25:NL02
            :60F:C250228EUR1,00
            :62F:C250331EUR1,00
            -
            """.replacingOccurrences(of: "\n:\n:86:", with: "\n:\n86:")
        let file = try read(text)
        #expect(file.format == .mt940)
        #expect(file.statements.map(\.account) == ["NL01", "NL02"])
        #expect(amounts(file.statements[0]) == ["45.00", "-15.00"])
        #expect(file.statements.map(\.balanceCheck) == [.ok, .ok])
    }

    @Test("of MT940 interim reports have no closing balance, and other statements must")
    func interim() throws {
        let text =
            ":20:X\n:25:1\n:60F:C250301EUR9,00\n:34F:EUR0,\n:13D:2503011200+0100\n:61:2503010301D2,00NTRFX\n:86:A\n-\n"
        let statement = try read(text).statements[0]
        #expect(statement.flags == [.interim])
        #expect([statement.opening, statement.closing] == [Amount("9"), nil])
        let cut = text.replacingOccurrences(of: ":34F:EUR0,\n:13D:2503011200+0100\n", with: "")
        #expect(refusal(cut)?.message.contains("cut off") == true)
    }

    @Test("of MT940 expected entries are pending, and keep their text to themselves")
    func mt940Expected() throws {
        let text =
            ":20:X\n:25:1\n:28C:1\n:60F:C250301EUR10,00\n:61:250305D5,00NTRFNONREF\n:86:RENT\n:61:250306EC7,00NTRFNONREF\n:86:EXPECTED\n:62F:C250331EUR5,00\n"
        let statement = try read(text).statements[0]
        #expect(statement.entries.map(\.text) == ["RENT"])
        #expect(statement.leftOut.pending == 1 && statement.leftOut.pendingSum == Amount("7"))
        #expect(statement.balanceCheck == .ok)
    }

    @Test("of MT940 dates of another calendar are refused until it is named")
    func hijri() throws {
        let text =
            ":20:X\n:25:1\n:28C:1\n:60F:C380616SAR9,00\n:61:3806160617D2,00NTRFX\n:86:A\n:62F:C380617SAR7,00\n-\n"
        var reader = StatementReader()
        reader.today = Day("2026-01-01")
        let error = #expect(throws: StatementError.self) { try reader.read([UInt8](text.utf8)) }
        #expect(error?.message.contains("set mt940.calendar: hijri") == true)
        reader.mt940.calendar = .hijri
        let statement = try reader.read([UInt8](text.utf8)).statements[0]
        #expect([statement.from?.description, statement.to?.description] == ["2017-03-15", "2017-03-16"])
    }

    // MARK: camt

    private static func camt(_ parts: String, name: String = "Rpt") -> String {
        "<Document xmlns='urn:x:camt.052.001.08'><M><\(name)><Acct><Ccy>EUR</Ccy></Acct>\(parts)</\(name)></M></Document>"
    }

    private static func balance(_ code: String, _ amount: String) -> String {
        "<Bal><Tp><CdOrPrtry><Cd>\(code)</Cd></CdOrPrtry></Tp><Amt Ccy='EUR'>\(amount)</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2025-03-01</Dt></Dt></Bal>"
    }

    private static func item(_ amount: String, _ side: String, more: String = "", inner: String = "") -> String {
        "<Ntry><Amt Ccy='EUR'>\(amount)</Amt><CdtDbtInd>\(side)</CdtDbtInd>\(more)<BookgDt><Dt>2025-03-01</Dt></BookgDt>\(inner)</Ntry>"
    }

    @Test(
        "of camt interim balances stand in for the end that is missing",
        arguments: [("OPBD", "ITBD"), ("PRCD", "ITBD"), ("ITBD", "CLBD"), ("ITBD", "ITBD")])
    func interimBalances(first: String, last: String) throws {
        let text = Self.camt(Self.balance(first, "10") + Self.balance(last, "15") + Self.item("5", "CRDT"))
        let statement = try read(text).statements[0]
        #expect([statement.opening, statement.closing] == [Amount("10"), Amount("15")])
    }

    @Test("of camt reversals are turned only where nothing else adds up", arguments: ["DBIT", "CRDT"])
    func reversals(side: String) throws {
        let mark = "<RvslInd>true</RvslInd>"
        let text = Self.camt(
            Self.balance("OPBD", "10") + Self.balance("CLBD", "10") + Self.item("5", "DBIT")
                + Self.item("5", side, more: mark))
        let statement = try read(text).statements[0]
        #expect(amounts(statement) == ["-5.00", "5.00"])
        let flags: Set<FactorFlag> = side == "DBIT" ? [.reversalTurned] : []
        #expect(statement.flags == flags)
    }

    @Test("of camt return codes say whose item came back")
    func returns() throws {
        let reason = "<NtryDtls><TxDtls><RtrInf><Rsn><Cd>AM04</Cd></Rsn></RtrInf></TxDtls></NtryDtls>"
        let file = try read(Self.camt(Self.item("5", "CRDT", inner: reason) + Self.item("7", "DBIT", inner: reason)))
        #expect(file.statements[0].entries.map(\.kind) == [.insufficientFundsReturn, .returnedDeposit])
        let factors = file.report().statements[0].factors.total
        #expect(factors.nsfCount == 1)
        #expect(factors.trueRevenue == .zero)
        #expect(factors.returnedDepositsCount == 1)
    }

    @Test("of camt notifications are refused with what to give in their place")
    func notifications() {
        let error = refusal(Self.camt(Self.item("5", "CRDT"), name: "Ntfctn"))
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains("camt.053") == true)
    }

    // MARK: BAI2, QIF

    @Test("of BAI2 group trailers may leave the number of accounts out")
    func groupTrailer() throws {
        let text =
            "01,A,B,250301,0600,1,,,2/\n02,B,A,1,250301,,USD,2/\n03,1,USD,010,10000,,,015,11000,,/\n16,399,1000,,R,,DEPOSIT/\n49,22000,3/\n98,22000,5,/\n99,22000,1,7/\n"
        #expect(try read(text).statements[0].balanceCheck == .ok)
        #expect(
            refusal(text.replacingOccurrences(of: "98,22000,5", with: "98,22000,4"))?.message.contains("cut or edited")
                == true)
    }

    @Test(
        "of BAI2 text that looks like a record is cut where the trailer says so, and only there",
        arguments: [
            ("16,399,1000,,R,,DEPOSIT 12/ 16,500 UNITS/", 3, ["10.00"], "DEPOSIT 12/ 16,500 UNITS"),
            ("16,399,1000,,R,,DEPOSIT 12/ 16,699,200,,,,RENT/", 4, ["10.00", "-2.00"], "DEPOSIT 12"),
            ("16,399,1000,,R,,DEPOSIT 12/ 16,699,200,,,,RENT/", 3, ["10.00"], "DEPOSIT 12/ 16,699,200,,,,RENT"),
        ])
    func cuts(entry: String, records: Int, amounts: [String], text: String) throws {
        let sum = 21000 + 1000 + (records == 4 ? 200 : 0)
        let account = "03,1,USD,010,10000,,,015,11000,,/\n\(entry)\n49,\(sum),\(records)/\n"
        let file =
            "01,A,B,250301,0600,1,,,2/\n02,B,A,1,250301,,USD,2/\n\(account)\(account)98,\(2 * sum),2,\(2 * records + 2)/\n99,\(2 * sum),1,\(2 * records + 4)/\n"
        for statement in try read(file).statements {
            #expect(statement.entries.map(\.amount) == amounts.map { Amount($0) })
            #expect(statement.entries[0].text == text)
        }
        let wrong = file.replacingOccurrences(of: "49,\(sum),\(records)", with: "49,\(sum),\(records + 2)")
        #expect(refusal(wrong)?.message.contains("cut or edited") == true)
    }

    private static func qif(_ records: String...) -> String {
        "!Type:Bank\n" + records.joined(separator: "^\n") + "^\n"
    }

    @Test("of QIF the first record opens the account where it says so, and only then")
    func qifOpening() throws {
        let text = Self.qif("D28.02'2023\nT5120.40\nPSolde initial\nL[Compte]\n", "D01.03'2023\nT-900.00\nPLoyer\n")
        let statement = try read(text).statements[0]
        #expect(amounts(statement) == ["-900.00"])
        #expect(statement.opening == Amount("5120.4"))
        let other = Self.qif("D28.02'2023\nT5.00\nPOpening Balance correction\nLMisc\n", "D01.03'2023\nT-9.00\nPX\n")
        #expect(amounts(try read(other).statements[0]) == ["5.00", "-9.00"])
    }

    @Test(
        "of QIF dates and amounts have many forms",
        arguments: [
            ("4/13' 3", "-80.00", "2003-04-13", "-80.00"), ("13/02/2024", "-1.234,56", "2024-02-13", "-1234.56"),
            ("2/14'2020", "67.5", "2020-02-14", "67.50"), ("2024-02-13", "1 000,25", "2024-02-13", "1000.25"),
        ])
    func qifForms(date: String, amount: String, day: String, value: String) throws {
        let entry = try read(
            Self.qif(
                "D\(date)\nT\(amount)\nPX\n",
                "D\(date)\nT-1.5\nPX\n".replacingOccurrences(of: "-1.5", with: amount.contains(",") ? "-1,5" : "-1.5"))
        ).statements[0].entries[0]
        #expect(entry.day?.description == day)
        #expect("\(entry.amount)" == value)
    }

    @Test("of QIF dates that can be read two ways are refused until their order is named")
    func qifOrder() throws {
        let text = Self.qif("D03/07/2026\nT1.00\nPX\n", "D07/03/2026\nT-2.00\nPX\n")
        #expect(
            refusal(text)?.message.contains("3 July or 7 March, and nothing in the file decides; set qif.date_order")
                == true)
        var reader = StatementReader()
        reader.qif.dateOrder = .day
        #expect(try reader.read([UInt8](text.utf8)).statements[0].entries[0].day?.description == "2026-07-03")
    }

    // MARK: CSV

    @Test(
        "of CSV amounts has many forms",
        arguments: [
            ("-1234.56", "-1234.56"), ("\u{2212}1,234.56", "-1234.56"), ("(1,234.56)", "-1234.56"),
            ("$(1,234.56)", "-1234.56"), ("--1234.56", "1234.56"), ("1234.56-", "-1234.56"), ("-€1'234.56", "-1234.56"),
            ("EUR -1\u{202F}234.56", "-1234.56"), ("1,234.56 DR", "-1234.56"), ("-1,20,500.00", "-120500.00"),
            ("=\"-1.25\"", "-1.25"), ("-Rs.100.50", "-100.50"), ("-100.00 kr.", "-100.00"),
        ])
    func csvAmounts(text: String, value: String) throws {
        let rows = "Date;Description;Amount\n2025-03-01;A;\(text)\n2025-03-02;B;-0.50\n2025-03-02;C;0.50\n"
        #expect(amounts(try read(rows).statements[0])[0] == value)
    }

    @Test("of CSV columns may say the direction under any name, and the balance proves what is left out")
    func csvColumns() throws {
        let directed = "Datum;Text;Betrag; \n01.03.2025;A;1,50;S\n02.03.2025;B;20,00;H\n"
        #expect(amounts(try read(directed).statements[0]) == ["-1.50", "20.00"])
        let sparse =
            "Date,Text,Debit,Credit,Balance\n2025-03-03,C,-,6.00,21.00\n2025-03-02,B,3.00,-,-\n2025-03-01,A,-,12.00,18.00\n"
        let statement = try read(sparse).statements[0]
        #expect(amounts(statement) == ["12.00", "-3.00", "6.00"])
        #expect([statement.opening, statement.closing] == [Amount("6"), Amount("21")])
        let fees =
            "Date,Text,Amount,Fee,Balance\n2025-03-01,A,50.00,0.00,50.00\n2025-03-02,B,-10.00,0.50,39.50\n2025-03-03,C,-1.00,0.25,38.25\n"
        #expect(amounts(try read(fees).statements[0]) == ["50.00", "-10.50", "-1.25"])
    }

    @Test("of CSV files has no header where only one assignment fits")
    func csvHeaderless() throws {
        let plain = try read("31/01/2025,CAFE,-4.50\n16/01/2025,CLIENT,\"1,200.00\"\n").statements[0]
        #expect(amounts(plain) == ["1200.00", "-4.50"])
        let proven = try read("01/16/2025,CLIENT,,1500.00,2000.00\n01/17/2025,HYDRO,88.12,,1911.88\n").statements[0]
        #expect(amounts(proven) == ["1500.00", "-88.12"])
        #expect(proven.opening == Amount("500"))
        #expect(refusal("01.03.2025,X,5.00,6.00\n02.03.2025,Y,7.00,8.00\n")?.message.contains("csv.date: 0") == true)
    }

    @Test("of CSV rows counts all that are no entries")
    func csvLeftOut() throws {
        let text = """
            Date,Description,Amount,Status
            2025-03-01,Opening balance,100.00,
            2025-03-01,A,-1.50,Posted
            2025-03-02,part of A,,Posted
            2025-03-02,B,20.00,Posted
            2025-03-03,C,-7.00,Pending
            2025-03-03,D,-9.00,Declined for insufficient funds declined
            ,Total,18.50,
            ,no liability,,

            """
        let statement = try read(text).statements[0]
        let left = statement.leftOut
        let counts = [left.pending, left.refused, left.balance, left.total, left.part, left.text]
        #expect(counts.allSatisfy { $0 == 1 }, "\(counts)")
        #expect(left.pendingSum == Amount("-7"))
        #expect(left.refusedForFunds == 1)
        #expect(statement.refusals == [Day(year: 2025, month: 3, day: 3)])
        let report = StatementFile(format: .csv, statements: [statement]).report().statements[0]
        #expect(report.factors.total.nsfCount == 1)
        #expect(statement.entries.count == 2)
    }

    @Test("of days to come is pending, unless a balance includes it")
    func future() throws {
        let text = "Date,Description,Amount\n2025-03-01,A,-1.50\n2025-03-02,B,20.00\n2025-03-09,C,-7.00\n"
        var reader = StatementReader()
        reader.today = Day("2025-03-02")
        let statement = try reader.read([UInt8](text.utf8)).statements[0]
        #expect(amounts(statement) == ["-1.50", "20.00"])
        #expect(statement.leftOut.pending == 1)
        let balanced =
            "Date,Description,Amount,Balance\n2025-03-01,A,-1.50,98.50\n2025-03-02,B,20.00,118.50\n2025-03-09,C,-7.00,111.50\n"
        let kept = try reader.read([UInt8](balanced.utf8)).statements[0]
        #expect(kept.entries.count == 3)
        #expect(kept.flags.contains(.futureDated))
    }
}
