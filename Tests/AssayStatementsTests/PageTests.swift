import AssayStatements
import Testing

@Suite("The report page") struct PageTests {
    private static func page(_ accounts: [AccountHistory]) -> String {
        ReportPage(applicant: "A", accounts: accounts, madeOn: "2025-04-01", runID: "run").html
    }

    @Test("shows a business account before a savings account, and cards last")
    func order() throws {
        let types: [AccountType] = [.card, .savings, .bank]
        let accounts = types.flatMap { type in
            histories(("\(type).ofx", march([(3, "5.00", "A")], account: "acct-\(type)", type: type)))
        }
        let page = Self.page(accounts)
        let places = try types.map { try #require(page.place(of: "\($0) · USD</h2>")) }
        #expect(places == places.sorted().reversed())
    }

    @Test("tells the change on the month before only of whole months", arguments: [(1, true), (2, false)])
    func change(first: Int, isTold: Bool) {
        let lines = [(5, "100.00", "SQUARE"), (36, "200.00", "SQUARE")]
        let page = Self.page(histories(("a.ofx", march(lines, days: first...61))))
        #expect(page.contains("+100.0 %") == isTold)
        #expect(page.contains("30 of 31 days") != isTold)
    }

    @Test("says of a deposit that it opened a position only where it names the payee")
    func openings() {
        let weeks = [6, 13, 20, 27].map { ($0, "-700.00", "SBA LOAN PAYMENT") }
        func page(_ text: String) -> String {
            Self.page(histories(("a.ofx", march([(4, "9000.00", text)] + weeks))))
        }
        #expect(page("TERM LOAN").contains("perhaps, by its day alone: 2025-03-04 9,000.00 TERM LOAN (a.ofx #1)"))
        #expect(page("SBA LOAN").contains("<td>2025-03-04 9,000.00 SBA LOAN (a.ofx #1)</td>"))
        #expect(Self.page(histories(("a.ofx", march(weeks)))).contains("not in these days"))
    }

    @Test("says why a figure is absent")
    func absent() {
        var statement = march([(5, "5.00", "A")])
        (statement.opening, statement.closing) = (nil, nil)
        let page = Self.page(histories(("a.ofx", statement)))
        #expect(page.contains("1 of 1 accounts have no opening balance"))
        #expect(page.contains("\u{2013} <small>no opening balance</small>"))
        #expect(page.contains("Daily balances are absent: no opening balance."))
        #expect(page.contains("\u{2013} <small>no file</small>"))
    }

    @Test("names what was refused for lack of funds, which is no entry")
    func refused() {
        var statement = march([(5, "5.00", "A")])
        (statement.leftOut.refused, statement.leftOut.refusedForFunds) = (2, 2)
        let page = Self.page(histories(("a.ofx", statement)))
        #expect(page.contains("2 rows were refused for lack of funds: they are no entries, and count as NSF"))
        #expect(page.contains("2 <small>2 refused</small>"))
    }

    @Test("shows names and texts of files as text")
    func hostile() {
        let text = "<script>alert(1)</script> \u{202E}OLLEH & \"quoted\""
        var statement = march([(5, "5.00", text)], account: "<b onload=x>Main</b>")
        statement.evidence = [Evidence("direction", "<i>plus</i>", by: "'x' \" onclick=\"y")]
        let page = Self.page(histories(("dir/<img src=x onerror=y>.ofx", statement), includeTransactions: true))
        for forbidden in ["<script", "<img", "<b onload", "<i>", "onclick=\"", "\u{202E}"] {
            #expect(!page.contains(forbidden), "\(forbidden)")
        }
        #expect(page.contains("&lt;script&gt;alert(1)&lt;/script&gt; \u{FFFD}OLLEH &amp; &quot;quoted&quot;"))
    }
}

extension String {
    /// How far from the beginning `text` stands.
    fileprivate func place(of text: String) -> Int? {
        firstRange(of: text).map { distance(from: startIndex, to: $0.lowerBound) }
    }
}
