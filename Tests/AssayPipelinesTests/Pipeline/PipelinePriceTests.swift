import Assay
import AssayPipelines
import Synchronization
import Testing

@Suite("Prices of a pipeline") struct PipelinePriceTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// The price list of the documentation.
    static let documented = """
        currency: USD
        processors:
          bank_statement: {base_cost: 0.10, charge: per_execution}
          ocr_check:
            - {base_cost: 0.10}
            - {base_cost: 0.12, effective_from: 2025-01-01}
        services:
          clear: {business_search: 5.00, person_search: 5.00}
          ocr: {page: {price: 0.50}}
        """

    static let documentedPrices = [
        "bank_statement: 0.10 per_execution", "clear/business_search: 5.00 per_run",
        "clear/person_search: 5.00 per_run",
        "ocr/page: 0.50 per_run", "ocr_check: 0.10 per_run", "ocr_check: 0.12 per_run from 2025-01-01T00:00:00Z",
    ]

    private func list(_ text: String) throws -> PriceList {
        try PriceFile(path: folder.write(text, to: "prices.yaml")).current()
    }

    @Test(
        "stand in the pipeline or in a file beside it",
        arguments: [("prices.yaml", "prices.yaml"), ("lists/2025.yml", "./lists/2025.yml")])
    func places(file: String, named: String) throws {
        try folder.write(Self.documented, to: file)
        let beside = try folder.load(PipelineText.top("prices: \(named)"))
        let indented = Self.documented.split(separator: "\n").map { "  " + $0 }.joined(separator: "\n")
        let inside = try folder.load(PipelineText.top("prices:\n\(indented)"))
        #expect(beside.prices?.current().told == Self.documentedPrices)
        #expect(inside.prices?.current() == beside.prices?.current())
    }

    @Test("may stand in a file named by its whole path, in JSON too")
    func wholePath() throws {
        let path = try folder.write(#"{"currency": "EUR", "processors": {"a": 1.50}}"#, to: "elsewhere/prices.json")
        let list = try #require(try folder.load(PipelineText.top("prices: \(path)")).prices?.current())
        #expect(list.currency == "EUR")
        #expect(list.told == ["a: 1.50 per_run"])
    }

    @Test(
        "may be written short",
        arguments: [
            ("processors: {a: 0.5}", ["a: 0.50 per_run"]),
            ("processors: {a: {base_cost: 0}}", ["a: 0.00 per_run"]),
            (
                "processors: {a: [1, {base_cost: 2, charge: per_input, effective_from: '2025-06-01T09:00:00+02:00'}]}",
                ["a: 1.00 per_run", "a: 2.00 per_input from 2025-06-01T07:00:00Z"]
            ),
            ("services: {s: {o: [{price: 0.000000001}]}}", ["s/o: 0.000000001 per_run"]),
            ("services: {s: {}}", []), ("processors: {a: []}", []), ("{}", []),
        ])
    func forms(text: String, expected: [String]) throws {
        let list = try list(text)
        #expect(list.told == expected)
        #expect(list.currency == "USD")
    }

    @Test(
        "hold from their date on",
        arguments: [("2024-12-31T23:59:59Z", "0.10"), ("2025-01-01T00:00:00Z", "0.12"), ("2030-01-01", "0.12")])
    func effective(moment: String, expected: String) throws {
        let list = try list(Self.documented)
        let price = list.price(for: .processor("ocr_check"), at: try #require(Timestamp(moment)))
        #expect(price.map { "\($0.amount)" } == expected)
    }

    @Test("that hold from a later date only are not in force before")
    func notYet() throws {
        let list = try list("processors: {a: [{base_cost: 1, effective_from: 2025-01-01}]}")
        #expect(list.price(for: .processor("a"), at: try #require(Timestamp("2024-12-31"))) == nil)
    }

    static let mistakeRows: [(text: String, findings: [String])] = [
        ("[1]", ["1:1: the file must be a map, found a list"]),
        ("currency: Euro", ["1:11: currency must be three capital letters such as USD, found Euro"]),
        ("currency: 12", ["1:11: currency must be text, found number 12"]),
        ("procesors: {a: 1}", ["1:1: unknown key 'procesors'; did you mean 'processors'?"]),
        ("processors: [1]", ["1:13: processors must be a map, found a list"]),
        ("processors: {a: cheap}", ["1:17: a must be a number of at most 9 decimals, found text 'cheap'"]),
        (
            "processors: {a: {base_cost: 0.1234567891}}",
            ["1:29: base_cost must be a number of at most 9 decimals, found 0.1234567891"]
        ),
        ("processors: {a: {base_cost: -0.01}}", ["1:29: base_cost must be between 0 and 1,000,000, found -0.01"]),
        ("processors: {a: {charge: per_run}}", ["1:17: processors.a needs 'base_cost'"]),
        (
            "processors: {a: {price: 1}}",
            [
                "1:17: processors.a needs 'base_cost'",
                "1:18: unknown key 'price' in processors.a; known: base_cost, charge, effective_from",
            ]
        ),
        (
            "processors: {a: {base_cost: 1, charge: per_rnu}}",
            ["1:40: unknown charge policy 'per_rnu'; did you mean 'per_run'?"]
        ),
        (
            "processors: {a: {base_cost: 1, effective_from: soon}}",
            [
                "1:48: effective_from must be a date or time such as 2025-01-01 or 2025-01-01T09:00:00Z, found soon"
            ]
        ),
        (
            "processors: {a: {base_cost: 1, effective_from: 2025-02-30}}",
            [
                "1:48: effective_from must be a date or time such as 2025-01-01 or 2025-01-01T09:00:00Z, "
                    + "found 2025-02-30"
            ]
        ),
        (
            "processors: {a: {base_cost: 1, effective_from: 2025}}",
            ["1:48: effective_from must be text, found number 2025"]
        ),
        ("processors: {a: [1, 2]}", ["1:21: two prices of 'a' have the same effective_from"]),
        (
            "services: {s: {o: [{price: 1, effective_from: 2025-01-01}, "
                + "{price: 2, effective_from: '2025-01-01T00:00:00Z'}]}}",
            ["1:60: two prices of 's/o' have the same effective_from"]
        ),
        ("services: {s: 5}", ["1:15: s must be a map, found number 5"]),
        (
            "services: {s: {o: {base_cost: 1}}}",
            [
                "1:19: services.s.o needs 'price'",
                "1:20: unknown key 'base_cost' in services.s.o; known: price, effective_from",
            ]
        ),
        (
            "services: {s: {o: {price: 1, charge: per_run}}}",
            ["1:30: unknown key 'charge' in services.s.o; known: price, effective_from"]
        ),
    ]

    @Test("with mistakes are refused with file, line and column", arguments: mistakeRows)
    func mistakes(text: String, findings: [String]) throws {
        try folder.write(text, to: "prices.yaml")
        let found = try folder.findings(of: PipelineText.top("prices: prices.yaml"))
        #expect(found == findings.map { "prices.yaml:" + $0 })
    }

    @Test("with mistakes in the pipeline itself are refused there")
    func mistakesInside() throws {
        let found = try folder.findings(
            of: PipelineText.top("prices: {currency: usd, processors: {a: {base_cots: 1}}}"))
        #expect(
            found == [
                "3:20: currency must be three capital letters such as USD, found usd",
                "3:41: prices.processors.a needs 'base_cost'",
                "3:42: unknown key 'base_cots' in prices.processors.a; did you mean 'base_cost'?",
            ])
        #expect(
            try folder.findings(of: PipelineText.top("prices: 5")) == ["3:9: prices must be a map, found number 5"])
    }

    @Test("in a file that cannot be read are refused after the findings of the pipeline")
    func noFile() throws {
        let found = try folder.findings(of: PipelineText.top("prices: none.yaml\ntimeout: 5"))
        #expect(found == ["4:10: timeout needs a unit, for example 30s", "none.yaml: no such file"])
    }

    // MARK: A file that changes

    /// Keeps warnings.
    private final class Warnings: Sendable {
        private let texts = Mutex<[String]>([])
        var all: [String] { texts.withLock { $0 } }
        func add(_ text: String) { texts.withLock { $0.append(text) } }
    }

    @Test("are read again when their file has changed")
    func changed() throws {
        let path = try folder.write("processors: {a: 1}", to: "prices.yaml")
        let file = try PriceFile(path: path)
        #expect(file.current().told == ["a: 1.00 per_run"])
        try folder.write("processors: {a: 1.25}", to: "prices.yaml")
        #expect(file.current().told == ["a: 1.25 per_run"])
    }

    @Test(
        "stay in force when a change of their file has mistakes, until it has none",
        arguments: [
            (
                "processors:\n  a: {base_cost: free}",
                ":2:18: base_cost must be a number of at most 9 decimals, found text 'free'"
            ),
            ("processors: {a: [1, 2]}", ":1:21: two prices of 'a' have the same effective_from"),
            ("processors: {", ":2:1: not valid YAML: "),
            ("currency: EUR\nprocessors: {a: 2}", ":1:11: the prices are in EUR, those in use are in USD"),
        ])
    func lastGood(text: String, finding: String) throws {
        let path = try folder.write("processors: {a: 1}", to: "prices.yaml")
        let warnings = Warnings()
        let file = try PriceFile(path: path, warn: warnings.add)
        try folder.write(text, to: "prices.yaml")
        #expect(file.current().told == ["a: 1.00 per_run"])
        #expect(file.current().told == ["a: 1.00 per_run"])
        #expect(warnings.all.count == 1)
        #expect(warnings.all.first?.hasPrefix("the changed price file is not used: \(path)\(finding)") == true)

        try folder.write("processors: {a: 3.125}", to: "prices.yaml")
        #expect(file.current().told == ["a: 3.125 per_run"])
        #expect(warnings.all.count == 1)
    }

    @Test(
        "stay in their currency as long as their file is in use",
        arguments: [
            // The file no longer says it, which means another one.
            ("{processors: {a: 2}}", ["a: 1.00 per_run"], 1),
            // What has no prices has none in another currency; the next list with prices is compared all the same.
            ("{}", [], 0), ("{currency: CHF}", [], 0),
            ("{currency: EUR, processors: {a: 2}}", ["a: 2.00 per_run"], 0),
        ])
    func currency(text: String, expected: [String], warned: Int) throws {
        let path = try folder.write("{currency: EUR, processors: {a: 1}}", to: "prices.yaml")
        let warnings = Warnings()
        let file = try PriceFile(path: path, warn: warnings.add)
        try folder.write(text, to: "prices.yaml")
        #expect(file.current().told == expected)
        #expect(warnings.all.count == warned)
        try folder.write("{currency: GBP, processors: {a: 3.50}}", to: "prices.yaml")
        #expect(file.current().told == expected)
        #expect(warnings.all.count == warned + 1)
        #expect(warnings.all.last?.contains("the prices are in GBP, those in use are in EUR") == true)
    }

    @Test("stay in force when their file is gone")
    func gone() throws {
        let path = try folder.write("processors: {a: 1}", to: "prices.yaml")
        let warnings = Warnings()
        let pipeline = try Pipeline.load(
            folder.write(PipelineText.top("prices: prices.yaml"), to: "p.yaml"), registry: .standard, environment: [:],
            warn: warnings.add)
        try folder.remove("prices.yaml")
        #expect(pipeline.prices?.current().told == ["a: 1.00 per_run"])
        #expect(warnings.all == ["the changed price file is not used: \(path): no such file"])
    }

    // MARK: In a run

    @Test(
        "are charged as their policy says",
        arguments: [
            ("per_run", ["0.10", "0.10"]), ("per_execution", ["0.10", "0.00"]), ("per_input", ["0.20", "0.10"]),
        ])
    func policies(policy: String, expected: [String]) async throws {
        for place in ["price: {base_cost: 0.10, charge: \(policy)}", "version: 1"] {
            let listed =
                place == "version: 1" ? "\nprices: {processors: {a: {base_cost: 0.10, charge: \(policy)}}}" : ""
            let pipeline = try folder.load(PipelineText.node(place) + listed)
            let engine = Engine(prices: pipeline.prices ?? PriceList())
            var options = pipeline.options
            options.executionID = Identifier("exec_1")
            let first = try await engine.run(
                pipeline.single, over: [Item("1", "A"), Item("2", "A"), Item("3", "B")], options: options)
            let second = try await engine.run(
                pipeline.single, over: [Item("1", "A"), Item("4", "C")], options: options)
            #expect([first, second].map { "\($0.bill.baseCost)" } == expected, "\(place)")
        }
    }

    @Test("of the processor come before those of the list, and charges say so")
    func origin() async throws {
        for (line, cost, source) in [("price: 2", "2.00", "pipeline"), ("price:", "1.00", nil)] {
            let pipeline = try folder.load(PipelineText.node(line) + "\nprices: {processors: {a: 1}}")
            let engine = Engine(prices: try #require(pipeline.prices))
            let report = try await engine.run(pipeline.single, over: [Item("1", "A")], options: pipeline.options)
            #expect("\(report.bill.baseCost)" == cost)
            let charges = try await engine.store.charges(matching: ChargeFilter(runID: report.runID))
            #expect(charges.map { $0.annotations["price_source"]?.string } == [source])
        }
    }

    @Test("of the file that match nothing in it are warnings") func unused() throws {
        let programs = try folder.load(
            """
            run_as: processor
            processors: [{processor_id: a, processor_type: command, parameters: {command: [cat]}}]
            prices: {processors: {a: 1, aa: 2}, services: {ocr: {page: 1}}}
            """)
        // What a program uses is not known before it runs.
        #expect(
            programs.warnings.map(\.message) == [
                "no processor is called 'aa', so its price is never used; did you mean 'a'?"
            ])
        let web = try folder.load(
            """
            run_as: processor
            processors:
              - {processor_id: a, processor_type: http, parameters: {url: "https://example.com/look", service: ex, operation: look}}
            prices: {services: {ex: {look: 1, lok: 2}}}
            """)
        #expect(
            web.warnings.map(\.message) == [
                "nothing uses 'ex/lok', so its price is never used; did you mean 'ex/look'?"
            ])
    }

    @Test("of budgets may be as large as sums, by day in a time zone, with names of their own") func budgets() throws {
        let large = try folder.load(
            "budget: {limit: 9000000000, window: month, time_zone: Europe/Zurich, unpriced: allow}\n"
                + PipelineText.node("timeout: 1s"))
        let budget = try #require(large.options.budgets.first)
        #expect(budget.limit.description == "9000000000.00")
        #expect((budget.timeZone, budget.unpriced) == ("Europe/Zurich", .allow))
        #expect(Budget(jsonValue: budget.jsonValue) == budget)
        for (line, message) in [
            ("{limit: 9000000001}", "limit must be between 0 and 9,000,000,000, found 9000000001"),
            ("{limit: 1, time_zone: Mars}", "time_zone must be a name of the IANA list"),
            ("[{limit: 1}, {limit: 2}]", "is already used at line"),
        ] {
            let error = #expect(throws: ProcessingError.self) {
                try folder.load("budget: \(line)\n" + PipelineText.node("timeout: 1s"))
            }
            #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
        }
    }
}
