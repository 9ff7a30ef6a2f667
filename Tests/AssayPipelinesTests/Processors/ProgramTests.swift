import Assay
import AssayPipelines
import AssayTesting
import Foundation
import Logging
import Synchronization
import Testing

@Suite("Programs as processors") struct ProgramTests {
    private let programs: ProgramFolder

    init() throws { programs = try ProgramFolder() }

    private static let echo = """
        mark("started")
        for request in requests():
            say(request, output={"step": request["step"], "data": request["data"]})
        mark("ended")
        """

    @Test("are asked one item after another, started once and ended with the run")
    func worker() async throws {
        let report = try await programs.python(Self.echo).run([1, "zwei", ["n": 1]])
        #expect(
            report.told == [
                #"{"data":1,"step":"extraction"}"#, #"{"data":"zwei","step":"extraction"}"#,
                #"{"data":{"n":1},"step":"extraction"}"#,
            ])
        #expect(programs.marks == ["started", "ended"])
    }

    @Test("are started for as many items as may be worked on at once, and no more")
    func workers() async throws {
        let pipeline = try programs.python(Self.echo, top: "runner: {type: thread, max_workers: 3}")
        let report = try await pipeline.run((0..<30).map { .number(Number($0)) })
        #expect(report.success)
        #expect((1...3).contains(programs.marks.count { $0 == "started" }))
        #expect(programs.marks.count { $0 == "started" } == programs.marks.count { $0 == "ended" })
    }

    @Test("hear of run, item, attempt, limits and settings, and get the environment that was given to them and no more")
    func context() async throws {
        let program = """
            for request in requests():
                say(request, output={"request": {k: v for k, v in request.items() if k != "id"},
                    "environment": sorted(os.environ), "given": os.environ.get("GIVEN"),
                    "folder": os.listdir("."), "mode": oct(os.stat(".").st_mode & 0o777),
                    "long": len(request["id"]) > 20})
            """
        let report = try await programs.python(
            program,
            parameters: """
                environment: {GIVEN: 'x${SECRET}'}
                inherit_environment: [INHERITED, NOT_SET]
                settings: {deep: [1.50, 'y${SECRET}']}
                """,
            node: "timeout: 90s", top: "account_id: acc_1",
            environment: ["SECRET": "hush", "INHERITED": "1", "OTHER": "1", "LANG": "C.UTF-8"]
        ).run([["pages": 5]])
        let output = try #require(try report.outcomes.first?.output?.json(), "\(report.told)")
        let request = try #require(output["request"])
        let run = report.run
        #expect(request["step"] == "extraction")
        #expect(request["input_id"] == "1")
        #expect(request["data"] == ["pages": 5])
        #expect(
            request["context"] == [
                "run_id": .string(run.id.text), "execution_id": .string(run.executionID.text), "processor_id": "a",
                "account_id": "acc_1", "underwriting_id": .null, "attempt": 1, "phase": "extraction",
                "recovery": "resume", "timeout_ms": 90_000, "settings": ["deep": [.number(Number("1.50")!), "yhush"]],
            ])
        #expect(
            output["environment"]?.array?.compactMap(\.string).filter { $0 != "LC_CTYPE" } == [
                "ASSAY_EXECUTION_ID", "ASSAY_LEASH", "ASSAY_PROCESSOR_ID", "ASSAY_RUN_ID", "GIVEN", "INHERITED", "LANG",
                "PATH",
            ])
        #expect(output["given"] == "xhush")
        #expect(output["folder"] == [])
        #expect(output["mode"] == "0o700")
        #expect(output["long"] == true)
    }

    @Test("work where they are told to, with arguments meant from the file's folder")
    func folder() async throws {
        try programs.folder.write("hello", to: "data/input.txt")
        let program = """
            for request in requests():
                say(request, output=[open("input.txt").read(), sys.argv[0].startswith("/")])
            """
        let report = try await programs.python(program, parameters: "working_directory: data").run()
        #expect(report.told == [#"["hello",true]"#])
    }

    // MARK: The worked example

    @Test("buy once what two items need: 5.00 and 0.00, avoided 5.00")
    func example() async throws {
        let program = """
            for request in requests():
                say(request, ref="1", call={"service": "clear", "operation": "business_search",
                    "key": {"name": request["data"]["name"]}, "maximum_cost": 5.00})
                decision = answer()
                if decision["decision"] == "proceed":
                    mark(decision["idempotency_key"])
                    say(request, ref="1", settle={"cost": 5.00, "value": {"found": True}})
                    say(request, output={"found": True})
                else:
                    say(request, output=decision["value"])
            """
        let report = try await programs.python(program).run([["name": "ACME"], ["name": "ACME"]])
        #expect(report.told == [#"{"found":true}"#, #"{"found":true}"#])
        #expect(report.outcomes.map(\.cost) == [try Money(5), .zero])
        #expect(report.outcomes.map(\.avoidedCost) == [.zero, try Money(5)])
        #expect(programs.marks.map(\.count) == [64])
    }

    @Test("do their steps once, also when the run is resumed after a crash")
    func steps() async throws {
        let program = """
            for request in requests():
                def step(name, body):
                    say(request, ref=name, step=name)
                    decision = answer()
                    if decision["decision"] == "saved":
                        return decision["value"]
                    value = body()
                    mark(name)
                    say(request, ref=name, checkpoint={"step": name, "value": value})
                    assert answer()["decision"] == "recorded"
                    return value
                first = step("first", lambda: request["data"] * 2)
                second = step("second", lambda: first + 1)
                if not os.path.exists(os.environ["RECORD"] + ".mended"):
                    os.kill(os.getpid(), signal.SIGKILL)
                say(request, output=second)
            """
        let engine = Engine()
        let pipeline = try programs.python(program)
        let failed = try await pipeline.run([20], engine: engine)
        #expect(failed.outcomes.map(\.status) == [.failed])
        try programs.folder.write("", to: "record.mended")
        let marks = programs.marks
        #expect(Set(marks) == ["first", "second"])
        let resumed = try await engine.resume(failed.runID, with: pipeline.single, options: pipeline.options)
        #expect(resumed.told == ["41"])
        #expect(programs.marks == marks)
        #expect(resumed.outcomes[0].steps.map(\.name) == ["first", "second"])
        #expect(resumed.outcomes[0].steps.map(\.restored) == [true, true])
    }

    @Test("are asked for each step of the file, and not again for those that are saved")
    func fileSteps() async throws {
        let program = """
            for request in requests():
                mark(request["step"])
                if request["step"] == "price" and not os.path.exists(os.environ["RECORD"] + ".mended"):
                    say(request, error={"message": "not yet"})
                else:
                    say(request, output=request["data"] + [request["step"]])
            """
        let engine = Engine()
        let pipeline = try programs.python(program, parameters: "steps: [read, price, write]")
        let failed = try await pipeline.run([[]], engine: engine)
        #expect(failed.told == ["extraction: not yet"])
        #expect(failed.outcomes[0].error?.step == "price")
        try programs.folder.write("", to: "record.mended")
        let resumed = try await engine.resume(failed.runID, with: pipeline.single, options: pipeline.options)
        #expect(resumed.told == [#"["read","price","write"]"#])
        #expect(programs.marks == ["read", "price", "price", "write"])
    }

    @Test("gate every item before the first is worked on, and make one summary of all")
    func gates() async throws {
        let program = """
            for request in requests():
                mark(f'{request["step"]} {request["input_id"]} {request["context"]["phase"]}')
                data = request["data"]
                if request["step"] == "transformation":
                    data = data + 1
                if request["step"] == "validation" and data > 10:
                    say(request, error={"message": f"{data} is too much"})
                else:
                    say(request, output=sum(data) if request["step"] == "aggregation" else data)
            """
        let parameters = "gates: [transformation, validation]\naggregate: true"
        let report = try await programs.python(program, parameters: parameters).run([1, 2])
        #expect(report.told == ["2", "3"])
        #expect(try report.summary(as: Int.self) == 5)
        #expect(
            programs.marks == [
                "transformation 1 preprocessing", "validation 1 preprocessing", "transformation 2 preprocessing",
                "validation 2 preprocessing", "extraction 1 extraction", "extraction 2 extraction",
                "aggregation None postprocessing",
            ])
        let refused = try await programs.python(program, parameters: parameters).run([1, 10])
        #expect(refused.status == .failed)
        #expect(refused.error?.code == .validation)
        #expect(refused.error?.message == "11 is too much")
        #expect(refused.outcomes.map(\.status) == [.skipped, .failed])
    }

    @Test("tell failures in their own words, with codes that are theirs to give")
    func failures() async throws {
        let program = """
            for request in requests():
                say(request, error=request["data"])
            """
        let errors: [JSONValue] = [
            [:], ["code": "validation", "message": "no pages", "exception": "NoPages"],
            ["code": "api", "message": "busy", "retryable": false], ["code": "worker_crashed"], ["code": "nonsense"],
        ]
        let report = try await programs.python(program).run(errors)
        let silent = "the program failed and did not say why"
        #expect(
            report.told == [
                "extraction: \(silent)", "validation: no pages", "api: busy", "extraction: \(silent)",
                "extraction: \(silent)",
            ])
        #expect(report.outcomes.map { $0.error?.retryable } == [true, false, false, true, true])
        #expect(report.outcomes[1].error?.exception == "NoPages")
    }

    @Test("charge, emit, beat and log while they work")
    func signs() async throws {
        let program = """
            for request in requests():
                say(request, ref="c", charge={"service": "ocr", "operation": "page", "quantity": 5, "cost": 2.50})
                mark(answer()["decision"])
                say(request, charge={"service": "ocr", "operation": "page", "cost": 0.5, "key": "once"})
                say(request, charge={"service": "ocr", "operation": "page", "cost": 0.5, "key": "once"})
                say(request, emit={"page": 1})
                say(request, heartbeat=True)
                say(request, log={"level": "warning", "message": "thin paper"})
                print("a line of its own")
                print("what goes wrong", file=sys.stderr)
                say(request, output=None)
            """
        let chunks = Mutex<[String]>([])
        let report = try await programs.python(program).run { options in
            options.onChunk = { id, chunk in
                let json = try? chunk.json().json
                chunks.withLock { $0.append("\(id) \(json ?? "")") }
            }
        }
        #expect(report.told == ["null"])
        #expect(report.bill.totalCost == (try Money("3.00")))
        #expect(programs.marks == ["accepted"])
        #expect(chunks.withLock { $0 } == [#"1 {"page":1}"#])
    }

    @Test("may ask for several calls at once, even for the same one")
    func concurrentCalls() async throws {
        let program = """
            for request in requests():
                for ref in "ab":
                    say(request, ref=ref, call={"service": "s", "operation": "o", "key": 1, "maximum_cost": 1})
                first = answer()
                say(request, ref=first["ref"], settle={"cost": 1, "value": "paid"})
                second = answer()
                say(request, output=[first["decision"], second["decision"], second["value"]])
            """
        let report = try await programs.python(program).run()
        #expect(report.told == [#"["proceed","hit","paid"]"#])
        #expect(report.bill.totalCost == (try Money(1)))
    }

    @Test("may answer while a call still waits for its twin, and go on with the next request")
    func abandonedTwin() async throws {
        let program = """
            mark("started")
            for request in requests():
                for ref in "ab":
                    say(request, ref=ref, call={"service": "s", "operation": "o", "key": request["data"],
                        "maximum_cost": 1})
                decision = answer()["decision"]
                say(request, output=decision)
            """
        let report = try await programs.python(program).run([1, 2, 3])
        #expect(report.told == Array(repeating: #""proceed""#, count: 3))
        #expect(report.outcomes.map(\.attempts) == [1, 1, 1])
        #expect(report.bill.totalCost == (try Money(3)) && report.bill.inDoubtCost == .zero)
        #expect(programs.marks == ["started"])
    }

    /// How a request with an open call ends, and what the call cost then: total and in doubt.
    static let openCalls: [(end: String, total: Int, inDoubt: Int)] = [
        ("say(request, output=1)", 3, 0),
        ("say(request, error={})", 0, 0),
        ("os.kill(os.getpid(), signal.SIGKILL)", 0, 3),
        ("say(request, output=1, error={})", 0, 3),
        ("say(request, ref='1', settle={'cost': 2}); say(request, error={})", 2, 0),
        ("say(request, ref='1', settle={'outcome': 'failed'}); say(request, output=1)", 0, 0),
        ("say(request, ref='1', settle={'outcome': 'unknown'}); say(request, output=1)", 0, 3),
        ("say(request, ref='1', settle={'cost': 'x'}); say(request, output=1)", 3, 0),
        ("say(request, ref='1', settle={'cost': -1}); say(request, output=1)", 3, 0),
    ]

    @Test("leave nothing open when a request ends", arguments: openCalls)
    func openCall(row: (end: String, total: Int, inDoubt: Int)) async throws {
        let program = """
            for request in requests():
                say(request, ref="1", call={"service": "s", "operation": "o", "key": 1, "maximum_cost": 3})
                answer()
                \(row.end)
            """
        let report = try await programs.python(program).run()
        #expect(report.bill.totalCost == (try Money(Number(row.total))))
        #expect(report.bill.inDoubtCost == (try Money(Number(row.inDoubt))))
    }

    @Test(
        "are not made to pay twice for an amount that nobody can read: it counts with what was reserved, and is said",
        arguments: ["-1", "'much'", "0.1234567891", "1e30"])
    func unreadableCost(amount: String) async throws {
        let engine = Engine()
        let pipeline = try programs.python(
            """
            for request in requests():
                say(request, ref="1", call={"service": "s", "operation": "o", "key": 1, "maximum_cost": 3})
                if answer()["decision"] == "proceed":
                    mark("made")
                    say(request, ref="1", settle={"cost": \(amount), "value": "paid"})
                say(request, output=1)
            """)
        let first = try await pipeline.run(engine: engine)
        #expect(first.bill.totalCost == (try Money(3)))
        #expect(first.bill.incompleteReason?.contains("a cost of 's/o' cannot be read") == true)
        let second = try await pipeline.run(engine: engine)
        #expect(programs.marks == ["made"])
        #expect(second.outcomes[0].avoidedCost == (try Money(3)))
        let events = try await engine.store.events(of: first.runID, after: 0, limit: 100)
        #expect(events.contains { $0.kind == .costUnreadable && $0.level == .warning })
    }

    @Test("make their charges again when they die, and pay for them once", arguments: ["", "step"])
    func deathAfterCharge(place: String) async throws {
        // A charge outside of steps, one in a step that is saved, then the program dies once.
        let program = """
            def charge(request, cost):
                say(request, ref="c", charge={"service": "s", "operation": "o", "cost": cost})
                assert answer()["decision"] == "accepted"
            def die(place):
                if place == "\(place)" and not os.path.exists(os.environ["RECORD"] + ".died"):
                    open(os.environ["RECORD"] + ".died", "w").close()
                    os.kill(os.getpid(), signal.SIGKILL)
            for request in requests():
                charge(request, 1)
                say(request, ref="s", step="look")
                if answer()["decision"] == "run":
                    charge(request, 2)
                    die("step")
                    say(request, ref="s", checkpoint={"step": "look", "value": 1})
                    assert answer()["decision"] == "recorded"
                die("")
                say(request, output=1)
            """
        let report = try await programs.python(program).run()
        #expect(report.told == ["1"])
        #expect(report.bill.totalCost == (try Money(3)))
    }

    @Test("are told of an amount that is none, and fail for it whatever they make of it")
    func badAmount() async throws {
        let program = """
            for request in requests():
                say(request, ref="1", charge={"service": "s", "operation": "o", "cost": -1})
                mark(answer())
                say(request, output=1)
            """
        let report = try await programs.python(program).run()
        #expect(report.told == ["cost: an amount must not be negative, found -1"])
        #expect(programs.marks.first?.contains("'reason': 'cost'") == true)
        let silent = """
            for request in requests():
                say(request, charge={"service": "s", "operation": "o", "cost": 0.0000000001})
                time.sleep(600)
            """
        let other = try await programs.python(silent).run()
        #expect(other.outcomes[0].error?.code == .cost)
    }

    @Test("never have their secrets told")
    func secrets() async throws {
        let program = """
            for request in requests():
                print("log " + os.environ["TOKEN"], file=sys.stderr)
                if request["data"] == 1:
                    say(request, error={"message": "refused " + sys.argv[1] + json.dumps(request["context"]["settings"])})
                elif request["data"] == 2:
                    say(request, output=1, error={"message": os.environ["TOKEN"]})
                else:
                    os.kill(os.getpid(), signal.SIGKILL)
            """
        try programs.folder.write("", to: "unused")
        let engine = Engine()
        let events = Mutex<[String]>([])
        let subscription = engine.events.subscribe { event in events.withLock { $0.append(event.jsonValue.json) } }
        let pipeline = try programs.python(
            program,
            parameters: """
                environment: {TOKEN: '${TOKEN}'}
                settings: {token: '${TOKEN}'}
                """, environment: ["TOKEN": "s3cr3t\"0815"])
        let report = try await pipeline.run([1, 2, 3], engine: engine)
        await subscription.finish()
        #expect(report.outcomes.map(\.status) == [.failed, .failed, .failed])
        #expect(report.outcomes[2].error?.message.contains("log ***") == true)
        let written = events.withLock { $0 } + [try report.jsonValue().json, "\(pipeline)", report.run.request.json]
        #expect(written.filter { $0.contains("s3cr3t") }.isEmpty)
    }
}
