import AssayStatements
import Foundation
import Testing

@Suite("Readers") struct ReaderTests {
    private static func ofx(
        _ entries: String,
        head: String =
            "<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>USD<BANKACCTFROM><ACCTID>1</BANKACCTFROM><BANKTRANLIST>"
    ) -> String {
        head + entries + "</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>"
    }

    private static func entry(_ amount: String, _ day: String = "20250301120000[-5:EST]") -> String {
        "<STMTTRN><TRNTYPE>\(amount.hasPrefix("-") ? "DEBIT" : "CREDIT")<DTPOSTED>\(day)<TRNAMT>\(amount)<NAME>A &amp; B</STMTTRN>"
    }

    @Test(
        "of OFX take amounts with a point or a comma",
        arguments: [("-1.5", "-1.5"), ("+1,50", "1.5"), ("1,234.56", "1234.56"), ("-00015.0000", "-15")])
    func ofxAmounts(text: String, amount: String) throws {
        let entry = try read(Self.ofx(Self.entry(text))).statements[0].entries[0]
        #expect(entry.amount == Amount(amount))
        #expect(entry.day?.description == "2025-03-01")
        #expect(entry.text == "A & B")
    }

    @Test(
        "of OFX refuse what is damaged",
        arguments: [
            ofx(entry("$120")), ofx(entry("1,234")), ofx(entry("NaN")), ofx(entry("1", "20251345")),
            ofx(entry("1", "20250231")),
            ofx(entry("1") + "<STMTTRN><TRNAMT>1</STMTTRN>"),
            ofx(entry("1")).replacingOccurrences(of: "</OFX>", with: ""),
            ofx("<STMTTRN>" + entry("1") + "</STMTTRN>"), "<!DOCTYPE x [<!ENTITY a \"b\">]>" + ofx(entry("1")),
        ])
    func ofxDamage(text: String) { #expect(refusal(text, format: .ofx)?.code == .malformed) }

    private static func mt940(_ lines: String) -> String {
        ":20:X\r\n:25:123\r\n:28C:1\r\n:60F:C250301EUR100,00\r\n\(lines)\r\n:62F:C250331EUR100,00\r\n-\r\n"
    }

    @Test(
        "of MT940 take marks, funds codes and reversals",
        arguments: [
            (":61:2503010301C1,50NTRFX", "1.5"), (":61:250301D2,NTRFX", "-2"), (":61:2503010301RC3,00NTRFX", "-3"),
            (":61:2503010301RDR4,00NTRFX", "4"), (":61:250301    CD0,05NTRFX", "0.05"),
        ])
    func marks(line: String, amount: String) throws {
        #expect(try read(Self.mt940(line)).statements[0].entries.map(\.amount) == [Amount(amount)])
    }

    @Test("of MT940 take the booking date in the year nearest the value date")
    func newYear() throws {
        let entry = try read(Self.mt940(":61:2501011231C1,00NTRFX")).statements[0].entries[0]
        #expect(entry.day?.description == "2024-12-31")
        #expect(entry.valueDay?.description == "2025-01-01")
    }

    @Test(
        "of MT940 refuse what is damaged",
        arguments: [":61:251345", ":61:250301C1,,50NTRF", ":61:250301X1,50NTRF", ":61:25010"])
    func mt940Damage(line: String) { #expect(refusal(Self.mt940(line))?.code == .malformed) }

    private static let bai = [
        "01,A,B,250301,0000,1,,,2/", "02,A,B,1,250301,,USD,/", "03,1,USD,010,10000,,,015,11500,,/",
        "16,142,2000,,,,DEPOSIT, ONE",
        "88,MORE TEXT", "16,475,500,V,250301,,,,CHECK/", "49,24000,5/", "98,24000,1,7/", "99,24000,1,9/",
    ]

    @Test("of BAI2 take types, funds and texts")
    func bai2() throws {
        let file = try read(Self.bai.joined(separator: "\n"))
        #expect(file.format == .bai2)
        #expect(file.statements[0].entries.map(\.amount) == [Amount("20"), Amount("-5")])
        #expect(file.statements[0].balanceCheck == .ok)
    }

    @Test("of BAI2 refuse totals and counts that do not add up", arguments: 0..<8)
    func bai2Totals(line: Int) {
        var lines = Self.bai
        lines[line] = lines[line].replacingOccurrences(of: "24000,", with: "24001,").replacingOccurrences(
            of: ",2000,", with: ",2001,")
        if lines == Self.bai { lines.remove(at: line) }
        #expect(refusal(lines.joined(separator: "\n"), format: .bai2)?.code == .malformed)
    }

    private static func camt(_ entries: String) -> String {
        "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.02'><BkToCstmrStmt><Stmt>\(entries)</Stmt></BkToCstmrStmt></Document>"
    }

    @Test("of camt leave pending entries out")
    func pending() throws {
        let entry =
            "<Ntry><Amt Ccy='EUR'>5</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2025-03-01</Dt></BookgDt></Ntry>"
        let file = try read(Self.camt(entry + entry.replacingOccurrences(of: "BOOK<", with: "PDNG<")))
        #expect(file.statements[0].entries.map(\.amount) == [Amount("-5")])
    }

    @Test("of camt give entries in another currency a statement of their own")
    func currencies() throws {
        let entry = "<Ntry><Amt Ccy='EUR'>5</Amt><CdtDbtInd>DBIT</CdtDbtInd></Ntry>"
        let file = try read(Self.camt(entry + entry.replacingOccurrences(of: "EUR", with: "USD")))
        #expect(file.statements.map(\.currency) == ["EUR", "USD"])
        #expect(file.statements.map(\.entries.count) == [1, 1])
    }

    @Test("find the format by content", arguments: ["<!DOCTYPE html><html></html>", "PK\u{3}\u{4}x", "<other/>"])
    func unsupported(text: String) { #expect(refusal(text)?.code == .unsupported) }

    @Test("call a file without content empty", arguments: ["", " \r\n\t\n"])
    func empty(text: String) { #expect(refusal(text)?.code == .empty) }
}
