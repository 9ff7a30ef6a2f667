import Assay
import AssayCommands
import Testing

@Suite("Statements on the command line") struct StatementCommandTests {
    /// A bank account with a running balance that goes below zero.
    private static let bank = """
        Account Number,Date,Description,Amount,Balance
        DE02120300000000202051,2025-03-03,Square,500.00,1500.00
        DE02120300000000202051,2025-03-04,"=HYPERLINK(""http://x"") <b>rent</b>",-1700.00,-200.00
        DE02120300000000202051,2025-03-07,Online transfer from SAV,2000.00,1800.00

        """
    private static let card = """
        Trans. Date,Post Date,Description,Amount,Category
        03/05/2025,03/06/2025,OFFICE MART,25.00,Supplies
        03/08/2025,03/09/2025,INTERNET PAYMENT - THANK YOU,-20.00,Payments

        """

    private static func shell() async throws -> TestShell {
        let shell = try TestShell(registry: .complete)
        try shell.write(bank, to: "in/bank.csv")
        try shell.write(card, to: "in/card.csv")
        try shell.write(
            """
            run_as: processor
            processors:
              - processor_id: s
                processor_type: bank_statement
                parameters: {include_transactions: true}

            """, to: "run.yaml")
        #expect(await shell.assay("run", "run.yaml", "in", "-o", "none") == 0)
        return shell
    }

    /// What a command writes to a terminal of so many columns.
    private static func lines(_ shell: TestShell, columns: Int, _ arguments: String...) async -> [String] {
        var value = shell.value
        let sink = CollectingSink(columns: columns)
        value.output = sink
        #expect(await CommandLineTool.run(arguments, in: value) == 0)
        return sink.lines
    }

    @Test("show accounts with their type, check and flags, cards apart")
    func accounts() async throws {
        let shell = try await Self.shell()
        let (text, code) = await shell.output(of: "statements", "accounts")
        #expect(code == 0)
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines[0].hasPrefix("ACCOUNT") && lines[0].contains("CHECK"))
        #expect(lines[1].contains("DE02120300000000202051") && lines[1].contains("1"))
        #expect(lines[2] == "cards" && lines[3].contains("card.csv") && lines[3].contains("card"))
        #expect(text.contains("card account: no revenue, NSF and advance figures"))
    }

    @Test("take no more columns than the terminal has", arguments: [80, 120])
    func width(columns: Int) async throws {
        let shell = try await Self.shell()
        for command in [["accounts"], ["months"], ["transactions"]] {
            var value = shell.value
            let sink = CollectingSink(columns: columns)
            value.output = sink
            #expect(await CommandLineTool.run(["statements"] + command, in: value) == 0)
            #expect(sink.lines.allSatisfy { $0.unpainted.columns <= columns }, "\(sink.text)")
        }
        let shown = await Self.lines(shell, columns: columns, "statements", "show", "202051")
        #expect(shown.allSatisfy { $0.unpainted.columns <= columns })
        #expect(shown.contains { $0.contains("average daily balance") })
    }

    @Test("lose the beginning of their paths, not their days, where a terminal is narrow")
    func paths() async throws {
        let shell = try TestShell(registry: .complete)
        let name = "a/folder/with/a/long/name/of/its/own/bank-2025-03.csv"
        try shell.write(Self.bank, to: name)
        let lines = await Self.lines(shell, columns: 80, "statements", "read", name)
        let row = try #require(lines.last { $0.hasPrefix("…") && $0.contains("ok") })
        #expect(row.contains("bank-2025-03.csv  ") && row.contains("2025-03-03–2025-03-07"))
        #expect(row.columns <= 80)
    }

    @Test("are written as CSV in which no cell is a formula and every row is whole")
    func csv() async throws {
        let shell = try await Self.shell()
        let (text, code) = await shell.output(of: "statements", "transactions", "-o", "csv")
        #expect(code == 0)
        let rows = text.split(separator: "\r\n").map(String.init)
        #expect(
            rows[0]
                == "account,currency,date,value_date,amount,balance,description,class,why,counted_in_revenue,source,row,flags"
        )
        #expect(rows.count == 6)
        #expect(rows[1].hasPrefix("DE02120300000000202051,,2025-03-03,,500.00,1500.00,Square,revenue,,true,"))
        #expect(rows[2].contains(#"-1700.00,-200.00,"'=HYPERLINK(""http://x"") <b>rent</b>",rent,RENT,false,"#))
        let (months, _) = await shell.output(of: "statements", "months", "-o", "csv")
        #expect(months.hasPrefix("account,account_type,currency,month,days_covered,days_in_month,"))
        let (figures, _) = await shell.output(of: "statements", "accounts", "-o", "csv")
        let parts = figures.split(separator: "\r\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false).count
        }
        #expect(Set(parts).count == 1)
    }

    @Test("are one object or a line each as JSON, with the same keys as CSV")
    func json() async throws {
        let shell = try await Self.shell()
        let (text, _) = await shell.output(of: "statements", "accounts", "-o", "json")
        let json = try JSONValue(json: text)
        #expect(json["schema"] == "assay/statement_accounts/1")
        #expect(json["accounts"]?.array?.map { $0["true_revenue"] } == [.number(Number("500.00")!), .null])
        #expect(json["accounts"]?.array?.map { $0["account_type"] }.last == "card")
        let (rows, _) = await shell.output(of: "statements", "transactions", "-o", "jsonl", "--account", "card.csv")
        #expect(rows.split(separator: "\n").count == 2)
    }

    @Test("show one account whole, and name those that fit when several do")
    func show() async throws {
        let shell = try await Self.shell()
        let (text, _) = await shell.output(of: "statements", "show", "DE0212", "-o", "json")
        let json = try JSONValue(json: text)
        #expect(json["entries"]?.array?.map { $0["class"] } == ["revenue", "rent", "transfer"])
        #expect(json["entries"]?.array?[2]["why"] == "ONLINE TRANSFER")
        #expect(json["daily"]?.array?.count == 5)
        #expect(await shell.assay("statements", "show", "nobody") == 66)
        #expect(shell.messages.text.contains("no account is called 'nobody'"))
        #expect(await shell.assay("statements", "accounts", "--account", "nobody") == 66)
    }

    @Test("say of each file its digest, its profile, its rows and what decided how it was read")
    func sources() async throws {
        let shell = try await Self.shell()
        let (text, _) = await shell.output(of: "statements", "show", "card.csv", "-o", "json")
        let json = try JSONValue(json: text)
        let source = try #require(json["sources"]?.array?.first)
        #expect(source["sha256"]?.string == Digest.hex(of: Self.card.utf8))
        #expect(source["profile"] == "discover-card" && source["format"] == "csv")
        #expect(source["rows"] == 2 && source["entries"] == 2 && source["left_out"]?["pending"] == 0)
        let decisions = json["evidence"]?.array ?? []
        #expect(decisions.contains { $0["decision"] == "direction" && $0["value"] == "plus is a charge" })
        #expect(decisions.contains { $0["decision"] == "date_order" && $0["by"] == "built-in 'discover-card'" })
        #expect(decisions.allSatisfy { $0["source"] == source["path"] })
        let page = await shell.output(of: "statements", "report").text
        #expect(page.contains(String(Digest.hex(of: Self.card.utf8).prefix(12))))
        #expect(
            page.contains("discover-card") && page.contains("date_order: month, by built-in &#39;discover-card&#39;"))
    }

    @Test("count the rows that are no entries by kind, on the page too")
    func leftOut() async throws {
        let shell = try TestShell(registry: .complete)
        try shell.write(Self.pending, to: "in/b.csv")
        #expect(await shell.assay("run", "--processor", "bank_statement", "in", "-o", "none") == 0)
        let json = try JSONValue(json: await shell.output(of: "statements", "show", "b.csv", "-o", "json").text)
        let source = try #require(json["sources"]?.array?.first)
        #expect(source["rows"] == 6 && source["entries"] == 5 && source["left_out"]?["pending"] == 1)
        #expect(source["left_out"]?["pending_sum"] == .number(Number("-10.00")!))
        #expect(json["flag_reasons"]?.array?.first?["row"] == 4)
        let page = await shell.output(of: "statements", "report").text
        #expect(page.contains("1 <small>1 pending</small>"))
        #expect(page.contains("1 pending entry of -10.00 counts in no figure"))
    }

    /// A running balance that breaks in row 4, and a row that is not booked yet.
    private static let pending = """
        Date,Description,Amount,Balance,Status
        2025-03-03,A,500.00,1500.00,
        2025-03-04,B,-100.00,1400.00,
        2025-03-05,C,-100.00,1310.00,
        2025-03-06,D,-10.00,1300.00,
        2025-03-07,E,-10.00,1290.00,
        2025-03-08,F,-10.00,,Pending

        """

    @Test("are found in the node of a graph that read them")
    func graph() async throws {
        let shell = try await Self.graph()
        let (text, code) = await shell.output(of: "statements", "accounts", "-o", "json")
        #expect(code == 0)
        let accounts = try JSONValue(json: text)["accounts"]?.array ?? []
        #expect(accounts.map { $0["true_revenue"] } == [.number(Number("500.00")!), .null])
        #expect(await shell.output(of: "statements", "report").text.contains("2051"))
        // A run that only carries shows what it carried.
        #expect(await shell.assay("resume", try #require(await shell.runs().first), "-o", "none") == 0)
        #expect(await shell.output(of: "statements", "accounts", "-o", "json").text == text)
    }

    @Test("that a later run has read again are asked for at that run")
    func replaced() async throws {
        // The node behind fails, so that a resume has something to do.
        let shell = try await Self.graph(behind: "text_transformer, parameters: {transformation: uppercase}")
        let first = try #require(await shell.runs().first)
        #expect(await shell.assay("statements", "accounts", first) == 0)
        await shell.assay(
            "resume", first, "--set", "processors.parse.parameters.include_transactions=true", "--on-change", "restart",
            "-o", "none")
        #expect(await shell.output(of: "statements", "transactions").text.contains("Square"))
        #expect(await shell.assay("statements", "accounts", first) == 66)
        let second = try #require(await shell.runs().first)
        #expect(shell.messages.text.contains("was replaced by run '\(second)'; name that run"))
    }

    /// The files, read by the first node of a graph.
    private static func graph(behind: String = "simple, parameters: {function: passthrough}") async throws -> TestShell
    {
        let shell = try TestShell(registry: .complete)
        try shell.write(bank, to: "in/bank.csv")
        try shell.write(card, to: "in/card.csv")
        try shell.write(
            """
            graph_id: g
            processors:
              - {processor_id: parse, processor_type: bank_statement}
              - {processor_id: keep, processor_type: \(behind)}
            connections:
              - {from_processor: parse, from_output: output, to_processor: keep, to_input: input}

            """, to: "g.yaml")
        await shell.assay("run", "g.yaml", "in", "-o", "none")
        return shell
    }

    @Test("name the account with the most serious flag first, and what is pending")
    func remarks() async throws {
        let shell = try TestShell(registry: .complete)
        try shell.write("Date,Description,Amount\n2025-03-03,A,5.00\n2025-03-04,B,-6.00\n", to: "a.csv")
        try shell.write(Self.pending, to: "b.csv")
        let (text, code) = await shell.output(of: "statements", "read", "a.csv", "b.csv")
        #expect(code == 0)
        let remarks = text.split(separator: "\n").drop { !$0.contains("running balance") }
        #expect(remarks.first?.hasPrefix("(b.csv)  the running balance does not lead to row 4") == true)
        #expect(remarks.contains { $0.hasSuffix("1 pending entry of -10.00 counts in no figure") })
        #expect(remarks.contains { $0.hasPrefix("(a.csv)  no amount shows beyond doubt") })
    }

    @Test("become a page that loads nothing, runs nothing and shows texts as text")
    func page() async throws {
        let shell = try await Self.shell()
        let (page, code) = await shell.output(of: "statements", "report")
        #expect(code == 0)
        #expect(page.hasPrefix("<!DOCTYPE html>"))
        #expect(page.contains("default-src 'none'"))
        for forbidden in ["<script", "<link", "<img", "https://", "<b>RENT", "<b>rent", "onload", "@import"] {
            #expect(!page.contains(forbidden), "\(forbidden)")
        }
        for title in [
            "Key figures", "Flags", "Months", "Daily balance", "Deposits", "Positions and debt", "Payroll", "Returns",
            "Sources", "Cost of making this",
        ] {
            #expect(page.contains(title), "\(title)")
        }
        #expect(page.contains("2025-03-04") && page.contains("card account"))
        #expect(await shell.assay("statements", "report", "--out", "r.html", "--account", "202051", "--mask") == 0)
        #expect(shell.messages.text.contains("the page is r.html"))
    }

    @Test("hide long numbers where that is asked for")
    func mask() async throws {
        let shell = try await Self.shell()
        let (page, _) = await shell.output(of: "statements", "report", "--account", "202051", "--mask")
        #expect(!page.contains("DE02120300000000202051"))
        #expect(page.contains("…2051"))
    }

    @Test("of several applicants are a page each, with a list of them")
    func applicants() async throws {
        let shell = try TestShell(registry: .complete)
        try shell.write(Self.bank, to: "bank.csv")
        try shell.write(Self.card, to: "card.csv")
        let lines = ["bank", "card"].map {
            #"{"input_id": "\#($0)", "underwriting_id": "uw-\#($0)", "data": {"path": "\#(shell.folder)/\#($0).csv"}}"#
        }
        try shell.write(lines.joined(separator: "\n") + "\n", to: "in.jsonl")
        #expect(await shell.assay("run", "--processor", "bank_statement", "--inputs", "in.jsonl", "-o", "none") == 0)
        #expect(await shell.assay("statements", "report") == 64)
        #expect(await shell.assay("statements", "report", "--applicant", "uw-bank", "--out", "one.html") == 0)
        #expect(await shell.assay("statements", "report", "--applicant", "uw-nobody") == 66)
        #expect(await shell.assay("statements", "report", "--out", "all.html") == 0)
        #expect(shell.messages.text.contains("2 pages, listed in all.html"))
    }

    @Test("that a run does not hold are asked for at another run")
    func none() async throws {
        let shell = try TestShell(registry: .complete)
        try shell.write(TestShell.capitals, to: "p.yaml")
        try shell.write(RunCommandTests.lines, to: "in.jsonl")
        await shell.assay("run", "p.yaml", "--inputs", "in.jsonl", "-o", "none")
        #expect(await shell.assay("statements", "accounts") == 66)
        #expect(shell.messages.text.contains("holds no statements"))
    }

    @Test("are read without a store, by a profile that was proposed for them")
    func read() async throws {
        let shell = try TestShell(registry: .complete)
        try shell.write(Self.bank, to: "bank.csv")
        try shell.write("Date,Description,Amount\n02/09/2024,A,-1.00\n03/09/2024,B,2.00\n", to: "open.csv")
        #expect(await shell.assay("statements", "profile", "bank.csv", "--out", "p.yaml") == 0)
        let (text, code) = await shell.output(of: "statements", "read", "bank.csv", "--profile", "p.yaml", "-o", "csv")
        #expect(code == 0 && text.contains("DE02120300000000202051"))
        #expect(await shell.assay("statements", "read", "open.csv") == 65)
        #expect(shell.messages.text.contains("csv.date_order: day or month"))
        let (both, doubt) = await shell.output(of: "statements", "profile", "open.csv")
        #expect(doubt == 65 && both.contains("date_order: day") && both.contains("date_order: month"))
        try shell.write("csv: {skip_row: 1}\n", to: "bad.yaml")
        #expect(await shell.assay("statements", "read", "bank.csv", "--profile", "bad.yaml") == 65)
        #expect(shell.messages.text.contains("unknown key 'skip_row'; did you mean 'skip_rows'?"))
    }

    @Test("have the exports of many banks by name")
    func profiles() async throws {
        let shell = try TestShell(registry: .complete)
        let (text, code) = await shell.output(of: "statements", "profiles", "-o", "json")
        #expect(code == 0)
        #expect((try JSONValue(json: text)["profiles"]?.array?.count ?? 0) > 100)
        #expect(await shell.output(of: "statements", "profiles", "chase-card").text.contains("money in"))
        #expect(await shell.assay("statements", "profiles", "chase") == 66)
        #expect(shell.messages.text.contains("did you mean 'chase-bank' or 'chase-card'?"))
    }

    @Test("find mistakes of a profile at their place in the pipeline file")
    func validate() async throws {
        let shell = try TestShell(registry: .complete)
        try shell.write(
            """
            run_as: processor
            processors:
              - processor_id: s
                processor_type: bank_statement
                parameters:
                  csv:
                    skip_rows: two
                    leave_out: [{column: State, is: X, as: gone}]

            """, to: "p.yaml")
        let (text, code) = await shell.output(of: "validate", "p.yaml")
        #expect(code == 65)
        #expect(text.contains("p.yaml:7:9: csv.skip_rows must be a whole number from 0 to 1000, found 'two'"))
        #expect(text.contains("p.yaml:8:44: csv.leave_out.0.as must be"))
    }
}

extension String {
    /// The text as it is seen, without what turns colours on and off.
    fileprivate var unpainted: String { replacing(/\u{1B}\[[0-9;]*m/, with: "") }
}
