import Assay
import AssayPipelines
import AssayTesting
import Testing

@Suite("Inputs that kill programs", .timeLimit(.minutes(5))) struct ProgramCrashTests {
    private let programs: ProgramFolder

    init() throws { programs = try ProgramFolder() }

    /// Dies of every input that is "bomb".
    private func pipeline(_ parameters: String = "", node: String = "", top: String = "") throws -> Pipeline {
        try programs.python(
            """
            for request in requests():
                mark(request["input_id"])
                if request["data"] == "bomb":
                    os.kill(os.getpid(), signal.SIGKILL)
                say(request, output=request["data"])
            """, parameters: parameters, node: node, top: top)
    }

    private static let bombsFirst: [JSONValue] = ["bomb", "bomb", "bomb", 4, 5, 6, 7]

    static let runners = [
        "sequential", "{type: thread, max_workers: 1}", "{type: thread, max_workers: 4}",
        "{type: process, max_workers: 2}",
    ]

    @Test("at the head of the list fail alone, under every runner", arguments: runners)
    func head(runner: String) async throws {
        let report = try await pipeline(node: "max_crashes: 1", top: "runner: \(runner)").run(Self.bombsFirst)
        #expect(
            report.outcomes.map(\.status) == [
                .failed, .failed, .failed, .succeeded, .succeeded, .succeeded, .succeeded,
            ])
        #expect(report.outcomes.prefix(3).allSatisfy { $0.reason == .poison })
        #expect(report.status == .partial)
    }

    @Test("at the head of a batch fail alone")
    func batch() async throws {
        let report = try await pipeline(node: "max_crashes: 1", top: "batch: {size: 7, error_threshold: 1}").run(
            Self.bombsFirst)
        #expect(report.counts.succeeded == 4 && report.counts.failed == 3)
    }

    @Test("come after all others in a retry")
    func order() async throws {
        let engine = Engine()
        let pipeline = try pipeline(node: "max_crashes: 1")
        let report = try await pipeline.run(Self.bombsFirst, engine: engine)
        let before = programs.marks.count
        var options = pipeline.options
        options.recovery = .resume
        _ = try await engine.resume(report.runID, with: pipeline.single, options: options)
        #expect(programs.marks.dropFirst(before) == ["1", "2", "3"])
    }

    @Test("and nothing else: what was never given to the program is tried by a retry, before what killed it")
    func retry() async throws {
        let engine = Engine()
        let pipeline = try pipeline(node: "max_crashes: 1")
        let report = try await pipeline.run(Array(repeating: "bomb", count: 9), engine: engine)
        #expect(report.counts.failed == 5 && report.counts.cancelled == 4)
        #expect(programs.marks == ["1", "2", "3", "9", "6"])
        let again = try await engine.resume(
            report.runID, with: pipeline.single, options: pipeline.options, failedOnly: true)
        // The four that were spared come first: three die, and one more is tried.
        #expect(programs.marks.dropFirst(5).prefix(3) == ["4", "5", "7"])
        #expect(again.error?.code == .programBroken)
    }

    /// A graph whose node 'a' dies of every input that is "bomb", behind a node that changes nothing or none.
    private func graph(isSource: Bool, runner: String, hasOtherSource: Bool = false) throws -> Pipeline {
        try programs.folder.write(
            """
            import json, os, signal, sys
            for line in sys.stdin:
                request = json.loads(line)
                with open(os.environ["RECORD"], "a") as file:
                    file.write(request["input_id"] + "\\n")
                if request["data"] == "bomb":
                    os.kill(os.getpid(), signal.SIGKILL)
                print(json.dumps({"id": request["id"], "output": request["data"]}), flush=True)
            """, to: "program.py")
        return try programs.folder.load(
            """
            graph_id: g
            runner: \(runner)
            error_strategy: {type: skip, max_skips: 100}
            processors:
              - processor_id: a
                processor_type: command
                max_crashes: 1
                \(hasOtherSource ? "inputs: allow_missing" : "")
                parameters: {command: [/usr/bin/python3, ./program.py], environment: {RECORD: \(programs.record)}}
              - {processor_id: b, processor_type: simple, parameters: {function: passthrough}}
            \(hasOtherSource ? "  - {processor_id: c, processor_type: simple, parameters: {function: passthrough}}" : "")
            \(hasOtherSource ? "  - {processor_id: d, processor_type: simple, parameters: {function: passthrough}}" : "")
            connections:
            \(hasOtherSource ? "  - {from_processor: c, from_output: output, to_processor: d, to_input: input}" : "")
              - from_processor: \(isSource ? "a" : "b")
                from_output: output
                to_processor: \(isSource ? "b" : "a")
                to_input: input
            """, environment: ["PATH": "/usr/bin:/bin"])
    }

    private func run(_ pipeline: Pipeline, _ inputs: [JSONValue], _ engine: Engine = Engine()) async throws -> Report {
        guard case .graph(let graph, let options) = pipeline.content else { throw CancellationError() }
        return try await engine.run(
            graph, over: inputs.enumerated().map { Item("\($0 + 1)", payload: Payload(json: $1)) }, options: options)
    }

    @Test(
        "are not held against inputs either when the program is a node's", arguments: [true, false],
        ["sequential", "{type: thread, max_workers: 4}"])
    func node(isSource: Bool, runner: String) async throws {
        let report = try await run(
            graph(isSource: isSource, runner: runner), Array(repeating: "bomb", count: 12))
        #expect(report.status == .failed)
        #expect(report.error?.code == .programBroken)
        #expect(report.error?.message.hasPrefix("'a' died on each of the ") == true)
        #expect(report.counts.cancelled >= 4)
        #expect(
            report.outcomes.allSatisfy {
                $0.status == .failed && $0.reason == .poison || $0.status == .cancelled && $0.reason == .programBroken
            })
        #expect(programs.marks.count == report.counts.failed)
        if isSource, runner == "sequential" { #expect(programs.marks == ["1", "2", "3", "12", "8"]) }
    }

    @Test(
        "at the head of the list fail alone at a node as well", arguments: [true, false],
        ["sequential", "{type: thread, max_workers: 4}"])
    func headOfNode(isSource: Bool, runner: String) async throws {
        let report = try await run(graph(isSource: isSource, runner: runner), Self.bombsFirst)
        #expect(
            report.outcomes.map(\.status) == [
                .failed, .failed, .failed, .succeeded, .succeeded, .succeeded, .succeeded,
            ])
        #expect(report.status == .partial)
    }

    @Test("come before those that the node is not given, with which it cannot be tried either")
    func probeWithoutInput() async throws {
        let pipeline = try graph(isSource: true, runner: "sequential", hasOtherSource: true)
        let bomb: JSONValue = ["a": "bomb", "c": 1]
        let report = try await run(pipeline, Array(repeating: bomb, count: 5) + [["c": 1]])
        #expect(programs.marks == ["1", "2", "3", "4", "5"])
        #expect(report.counts.total == 6 && report.counts.cancelled == 0)
        #expect(report.error?.code != .programBroken)
    }

    @Test("at a node: what was never given to it is tried by a resume, before what killed it")
    func resumedNode() async throws {
        let engine = Engine()
        let pipeline = try graph(isSource: true, runner: "sequential")
        guard case .graph(let graph, let options) = pipeline.content else { throw CancellationError() }
        let report = try await run(pipeline, Array(repeating: "bomb", count: 12), engine)
        _ = try await engine.resume(report.runID, with: graph, options: options)
        #expect(programs.marks.dropFirst(5).prefix(3) == ["4", "5", "6"])
    }

    @Test("are asked about as other failures are, once they have cost their programs", arguments: ["fail", "bomb"])
    func policy(kind: String) async throws {
        let pipeline = try programs.python(
            """
            for request in requests():
                mark(request["input_id"])
                if request["data"] == "bomb":
                    os._exit(5)
                if request["data"] == "fail":
                    say(request, error={"message": "no", "code": "processing"})
                else:
                    say(request, output=1)
            """, node: "max_crashes: 2", top: "error_strategy: {type: retry, max_retries: 1, initial_delay: 0}")
        let report = try await pipeline.run(["ok", .string(kind), "ok"])
        #expect(report.outcomes.map(\.status) == [.succeeded, .failed, .succeeded])
        // One attempt is made again because of the policy; a crash is repeated before it is a failure.
        #expect(report.outcomes[1].attempts == (kind == "bomb" ? 3 : 2))
    }

    @Test("a program that answers nothing it was asked is hinted at, and its time-out says why")
    func strays() async throws {
        let pipeline = try programs.python(
            """
            for request in requests():
                print("hello", flush=True)
                time.sleep(600)
            """, node: "timeout: 20s")
        let time = ManualTime()
        let engine = Engine(world: .testing(time: time))
        let hints = Collected()
        let hint = "'a' wrote 1 line that answers nothing; each answer needs the request's id and a flush"
        let subscription = engine.events.subscribe([.hint]) { event in
            let message = event.data["message"]?.string ?? ""
            hints.add(message)
            // Another hint, of the missing price, comes before the program has said anything.
            if message == hint { time.advance(by: .seconds(20)) }
        }
        let report = try await pipeline.run([1], engine: engine)
        await subscription.finish()
        #expect(hints.all.contains(hint))
        #expect(report.told == ["timeout: timed out after 20 s; \(hint)"])
    }
}
