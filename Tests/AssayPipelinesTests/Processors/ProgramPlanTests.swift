import Assay
import AssayPipelines
import Testing

@Suite("A plan of a program") struct ProgramPlanTests {
    private let programs: ProgramFolder

    init() throws { programs = try ProgramFolder() }

    private static let prices = "prices: {services: {ocr: {page: 0.50}, clear: {search: 5}}}"

    /// What a plan of `inputs` tells of each.
    private func plan(
        _ pipeline: Pipeline, _ inputs: [JSONValue] = [3], engine: Engine? = nil
    ) async throws -> (plan: Plan, entries: [Plan.Entry]) {
        let engine = engine ?? Engine(prices: pipeline.prices ?? PriceList())
        let items = inputs.enumerated().map { Item("\($0 + 1)", payload: Payload(json: $1)) }
        var entries: [Plan.Entry] = []
        let plan = try await engine.plan(pipeline.single, over: items, options: pipeline.options) { entries.append($0) }
        return (plan, entries)
    }

    /// Answers step `plan` with pages and a search, and notes what it is asked.
    private static let telling = """
        for request in requests():
            mark(request["step"])
            pages = request["data"]
            key = {"n": pages % 2}
            if request["step"] == "plan":
                say(request, log={"message": "planning"})
                say(request, expects=[
                    {"service": "ocr", "operation": "page", "quantity": pages},
                    {"service": "clear", "operation": "search", "key": key}])
                continue
            say(request, charge={"service": "ocr", "operation": "page", "quantity": pages})
            say(request, ref="1", call={"service": "clear", "operation": "search", "key": key})
            if answer()["decision"] == "proceed":
                say(request, ref="1", settle={"value": 1})
            say(request, output=pages)
        """

    @Test("asks it with step 'plan' alone, and equals what it then costs") func asked() async throws {
        let pipeline = try programs.python(Self.telling, parameters: "plan: true", top: Self.prices)
        let engine = Engine(prices: try #require(pipeline.prices))
        let (plan, entries) = try await plan(pipeline, [3, 4, 5], engine: engine)
        #expect(programs.marks == ["plan", "plan", "plan"])
        #expect(entries.map(\.low.description) == ["6.50", "7.00", "2.50"])
        #expect(entries.map(\.calls) == [1, 1, 0] && entries.map(\.hits) == [0, 0, 1])
        #expect(plan.low == plan.high)
        #expect(plan.prices.map { "\($0.key) \($0.value)" }.sorted() == ["clear/search 5.00", "ocr/page 0.50"])
        let report = try await pipeline.run([3, 4, 5], engine: engine)
        #expect(MoneySum(report.bill.totalCost) == plan.low)
        // What the cache has by now is avoided.
        let again = try await self.plan(pipeline, [3, 4, 5], engine: engine)
        #expect(again.plan.groups.map(\.hits) == [3])
        #expect(again.plan.groups.map(\.avoided.description) == ["15.00"])
        #expect(again.plan.low.description == "6.00")
    }

    @Test("never starts one that does not say that it knows the step") func unasked() async throws {
        let pipeline = try programs.python(Self.telling, top: Self.prices)
        let (_, entries) = try await plan(pipeline)
        #expect(programs.marks == [])
        #expect(entries.map(\.high) == [nil])
    }

    @Test("takes what it used in its last run at the prices of now where it does not tell") func history() async throws
    {
        let pipeline = try programs.python(Self.telling, top: Self.prices)
        let store = MemoryStore()
        _ = try await pipeline.run([2, 4], engine: Engine(store: store, prices: try #require(pipeline.prices)))
        var dearer = PriceList()
        dearer.add(Price(try Money("1.00")), for: .service("ocr", operation: "page"))
        dearer.add(Price(try Money("7.00")), for: .service("clear", operation: "search"))
        let (plan, entries) = try await plan(pipeline, engine: Engine(store: store, prices: dearer))
        // 4 pages of 1.00 and a hit whose worth is what was paid for it.
        #expect(plan.high?.description == "9.00")
        #expect(plan.expected?.description == "9.00")
        #expect(entries[0].reason.contains("its cost as in run"))
        #expect(programs.marks == ["extraction", "extraction"])
    }

    static let otherwise: [(answer: String, reason: String)] = [
        (
            "output=1",
            "a line of the program about step 'plan' has none of the keys error, expects, heartbeat, log: "
        ),
        (
            #"charge={"service": "ocr", "operation": "page"}"#,
            "a line of the program about step 'plan' has none of the keys error, expects, heartbeat, log: "
        ),
        ("expects={}", "the program's answer to step 'plan' has no list under 'expects'"),
        ("expects=[1]", "the program's answer to step 'plan' has a 'expects' that is not a map"),
        (
            #"expects=[{"service": "ocr", "operation": "page", "amount": 2}]"#,
            "the program's answer to step 'plan' has the unknown key 'amount' in 'expects'"
        ),
        (
            #"expects=[{"service": "ocr", "operation": "page", "quantity": -1}]"#,
            "the program's answer to step 'plan' has a 'quantity' that is negative"
        ),
        (#"error={"message": "no tariff"}"#, "no tariff"),
    ]

    @Test("does not know the cost of what it answers otherwise, and says why", arguments: otherwise)
    func broken(row: (answer: String, reason: String)) async throws {
        let pipeline = try programs.python(
            "for request in requests():\n    say(request, \(row.answer))", parameters: "plan: true", top: Self.prices)
        let (plan, entries) = try await plan(pipeline)
        #expect(plan.gate == nil && plan.high == nil)
        #expect(entries[0].reason.contains("; what it costs cannot be told: \(row.reason)"), "\(entries[0].reason)")
    }

    @Test("asks one that is started for each request, too") func once() async throws {
        let pipeline = try programs.once(
            """
            echo "$ASSAY_STEP" >> "$RECORD"
            if [ "$ASSAY_STEP" = plan ]; then
              echo '{"expects": [{"service": "ocr", "operation": "page", "quantity": 2}]}'
            else cat; fi
            """, parameters: "plan: true", top: Self.prices)
        let (plan, _) = try await plan(pipeline, [1, 2])
        #expect(plan.low.description == "2.00" && plan.high?.description == "2.00")
        #expect(programs.marks == ["plan", "plan"])
    }

    @Test("needs a step of the pipeline not to be called so") func step() throws {
        #expect(throws: (any Error).self) {
            try programs.python("pass", parameters: "plan: true\nsteps: [read, plan]")
        }
        _ = try programs.python("pass", parameters: "steps: [read, plan]")
    }
}
