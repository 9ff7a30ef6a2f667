import AssayStatements
import Testing

@Suite("The kind of account") struct AccountTypeTests {
    private func check(_ text: String, _ type: AccountType?, by: String) throws {
        let statement = try read(text).statements[0]
        #expect(statement.accountType == type)
        let evidence = statement.evidence.first { $0.decision == "account_type" }
        #expect(evidence == Evidence("account_type", type?.rawValue ?? "unknown", by: by))
    }

    private static let unknown = "no code of the account or of its entries says it"

    @Test(
        "of camt is told by the account's code, or by what only a current account does",
        arguments: [
            ("SVGS", "", AccountType.savings, "Acct/Tp SVGS"), ("LOAN", "ICDT/ESCT", .loan, "Acct/Tp LOAN"),
            ("", "ICDT/ESCT", .bank, "ICDT/ESCT of an entry"), ("OTHR", "RDDT/ESDD", .bank, "RDDT/ESDD of an entry"),
            ("", "ICDT/BOOK", nil, unknown), ("", "", nil, unknown),
        ])
    func camt(account: String, code: String, type: AccountType?, by: String) throws {
        let parts = code.split(separator: "/")
        let family =
            parts.isEmpty
            ? ""
            : "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>\(parts[0])</Cd><SubFmlyCd>\(parts[1])</SubFmlyCd></Fmly></Domn></BkTxCd>"
        let kind = account.isEmpty ? "" : "<Tp><Cd>\(account)</Cd></Tp>"
        try check(
            """
            <Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt><Stmt>
            <Acct><Id><IBAN>DE00123456780000000001</IBAN></Id>\(kind)<Ccy>EUR</Ccy></Acct>
            <Ntry><Amt Ccy="EUR">5.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts>
            <BookgDt><Dt>2025-03-05</Dt></BookgDt>\(family)</Ntry>
            </Stmt></BkToCstmrStmt></Document>
            """, type, by: by)
    }

    @Test(
        "of MT940 is told by codes of what only a current account pays",
        arguments: [
            ("D5,00NCHK", AccountType.bank, "type code CHK of an entry"),
            ("D5,00N105", .bank, "type code 105 of an entry"), ("C5,00NCHK", nil, unknown), ("D5,00NTRF", nil, unknown),
        ])
    func mt940(entry: String, type: AccountType?, by: String) throws {
        let sign = entry.hasPrefix("D") ? "-" : ""
        let closing = sign.isEmpty ? "C250331EUR15,00" : "C250331EUR5,00"
        try check(
            ":20:X\n:25:1\n:28C:1\n:60F:C250301EUR10,00\n:61:250305\(entry)NONREF\n:62F:\(closing)\n", type, by: by)
    }

    @Test(
        "of BAI2 is told by codes of loans, or of what only a current account pays",
        arguments: [
            ("010,1000,,", "475", AccountType.bank, "type code 475 of an entry"),
            ("701,1000,,", "475", .loan, "summary code 701"), ("010,1000,,", "699", nil, unknown),
        ])
    func bai2(summary: String, code: String, type: AccountType?, by: String) throws {
        try check(
            """
            01,A,B,250305,0800,1,,,2/
            02,B,A,1,250305,0800,USD,2/
            03,1,USD,\(summary)/
            16,\(code),500,Z,,,PAID/
            49,1500,3/
            98,1500,1,5/
            99,1500,1,7/
            """, type, by: by)
    }
}
