import Assay
import AssayPipelines
import AssayTesting
import Foundation
import Logging
import Testing

@Suite("What programs say") struct ProgramLogTests {
    private let programs: ProgramFolder

    init() throws { programs = try ProgramFolder() }

    /// What was said in a run, as `item attempt source level: text`.
    private func said(_ report: Report, _ engine: Engine) async throws -> [String] {
        try await engine.store.logLines(matching: LogFilter(runID: report.runID), limit: .max).map { line in
            "\(line.inputID ?? "-") \(line.attempt) \(line.source.rawValue) \(line.level): \(line.text)"
        }
    }

    @Test("Both the error stream and log lines are kept by item and attempt, and what is no answer is too")
    func kept() async throws {
        let engine = Engine()
        let report = try await programs.python(
            """
            for r in requests():
                print("model loaded", file=sys.stderr, flush=True)
                say(r, log={"level": "warning", "message": "page 2 is blank\\n\\ton both sides"})
                say(r, log={"message": "\\u001b[2J"})
                print("no answer", flush=True)
                if r["data"] == 2 and r["context"]["attempt"] == 1:
                    say(r, error={"message": "again"})
                else:
                    say(r, output=1)
            """
        ).run([1, 2], engine: engine) { $0.retryPolicy = try! RetryPolicy(maxRetries: 1, initialDelay: 0) }
        #expect(report.status == .succeeded)
        #expect(
            try await said(report, engine)
                == [("1", 1), ("2", 1), ("2", 2)].flatMap { item, attempt in
                    [
                        "\(item) \(attempt) stderr info: model loaded",
                        "\(item) \(attempt) log warning: page 2 is blank\n\ton both sides",
                        "\(item) \(attempt) log info: \\u{1b}[2J", "\(item) \(attempt) output info: no answer",
                    ]
                })
    }

    @Test("What a program that is started for each item says is kept as well")
    func once() async throws {
        let engine = Engine()
        let report = try await programs.once("echo \"at $ASSAY_INPUT_ID\" >&2; printf 'no end' >&2; cat").run(
            [1, 2], engine: engine)
        #expect(report.status == .succeeded)
        #expect(
            try await said(report, engine).sorted() == [
                "1 1 stderr info: at 1", "1 1 stderr info: no end", "2 1 stderr info: at 2", "2 1 stderr info: no end",
            ])
    }

    @Test("Nothing that is said of one item is ever kept for another, however many programs work at once")
    func neverMixed() async throws {
        let engine = Engine()
        let report = try await programs.python(
            """
            for r in requests():
                for part in range(3):
                    print(f"{r['input_id']} part {part}", file=sys.stderr, flush=True)
                sys.stderr.write(f"{r['input_id']} without end")
                sys.stderr.flush()
                say(r, output=1)
            """
        ).run(Array(repeating: 1, count: 200), engine: engine) { $0.runner = try! ThreadRunner(maxWorkers: 4) }
        #expect(report.counts.succeeded == 200)
        let lines = try await engine.store.logLines(matching: LogFilter(runID: report.runID), limit: .max)
        for item in 1...200 {
            let own = lines.filter { $0.inputID == "\(item)" }.map(\.text)
            #expect(own == ["\(item) part 0", "\(item) part 1", "\(item) part 2", "\(item) without end"])
        }
    }

    @Test("The message of a failure has what was said of its own item only")
    func ownWords() async throws {
        let report = try await programs.python(
            """
            for r in requests():
                if r["data"] == 1:
                    print("of the first", file=sys.stderr, flush=True)
                    say(r, output=1)
                else:
                    print("of the second", file=sys.stderr, flush=True)
                    os._exit(3)
            """
        ).run([1, 2]) { $0.maxCrashes = 1 }
        #expect(report.told == ["1", "worker_crashed: worker exited with status 3 before answering: of the second"])
    }

    @Test("Secrets are hidden in all that is said, also where they are cut in two")
    func secrets() async throws {
        let engine = Engine()
        let secret = "SECRET0123456789abcdefghijklmnopqrstuvwxyz"
        let report = try await programs.python(
            """
            key = os.environ["KEY"]
            for r in requests():
                sys.stderr.write(key[:20]); sys.stderr.flush(); time.sleep(0.01)
                sys.stderr.write(key[20:] + "\\n"); sys.stderr.flush()
                say(r, log={"message": "x" * 65300 + key})
                print("own " + key, flush=True)
                say(r, error={"message": "y" * 8150 + key, "exception": "E" + key, "retryable": False})
            """, parameters: "environment: {KEY: '${KEY}'}", environment: ["KEY": secret]
        ).run(engine: engine)
        let lines = try await said(report, engine)
        #expect(lines.count == 3)
        let record = try #require(report.outcomes[0].error)
        for text in lines + [record.message, record.exception] {
            #expect(!text.contains("SECRET") && !text.contains("0123456789") && text.contains("***"))
        }
    }

    @Test("What is kept of one item does not grow beyond its share, and the newest lines stay")
    func bounded() async throws {
        let engine = Engine()
        let report = try await programs.python(
            """
            for r in requests():
                for number in range(5000):
                    print(f"line {number} " + "x" * 50, file=sys.stderr)
                sys.stderr.flush()
                say(r, output=1)
            """
        ).run([1, 2], engine: engine)
        #expect(report.status == .succeeded)
        let lines = try await engine.store.logLines(matching: LogFilter(runID: report.runID), limit: .max)
        for item in ["1", "2"] {
            let own = lines.filter { $0.inputID == item }
            #expect(own.last?.text.hasPrefix("line 4999 ") == true)
            #expect(own.reduce(0) { $0 + $1.text.utf8.count } <= 64 << 10)
            #expect(own.count > 500)
        }
    }
}
