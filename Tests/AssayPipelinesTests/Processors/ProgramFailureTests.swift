import Assay
import AssayPipelines
import AssayTesting
import Foundation
import Synchronization
import Testing

@Suite("A program that misbehaves", .timeLimit(.minutes(5))) struct ProgramFailureTests {
    private let programs: ProgramFolder

    init() throws { programs = try ProgramFolder() }

    /// A program that does `lie` for the input 2 and answers every other.
    private func liar(
        _ lie: String, parameters: String = "", node: String = "", top: String = ""
    ) throws -> Pipeline {
        let body = lie.split(separator: "\n").map { "        \($0)" }.joined(separator: "\n")
        return try programs.python(
            """
            mark(f"started {os.getpid()}")
            for request in requests():
                if request["data"] == 2:
            \(body)
                say(request, output=request["data"])
            """, parameters: parameters, node: node, top: top)
    }

    /// The processes that programs named.
    private var processes: [String] { programs.marks.map { $0.split(separator: " ").last.map(String.init) ?? "" } }

    /// What a program does for the second of three items, and what becomes of that item.
    static let lies: [(lie: String, told: String)] = [
        ("print('hello'); print('{'); print('\\0\\x1b[31m')", "2"),
        ("print(json.dumps({'id': 'other', 'output': 5}))", "2"),
        ("say(request, output='first')", #""first""#),
        ("say(request, error={'message': 'first'})", "extraction: first"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "worker_crashed: worker crashed with signal 9 (SIGKILL)"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "worker_crashed: worker crashed with signal 11 (SIGSEGV)"),
        ("sys.exit(0)", "worker_crashed: worker exited with status 0 before answering"),
        (
            "print('it is\\nover', file=sys.stderr); os._exit(3)",
            "worker_crashed: worker exited with status 3 before answering: it is\nover"
        ),
        ("os.close(1); time.sleep(600)", "worker_crashed: worker closed its output before answering"),
        (
            "subprocess.Popen(['sleep', '600']); os._exit(0)",
            "worker_crashed: worker exited with status 0 before answering"
        ),
        (
            "sys.stdout.write('{\"id\": \"' + request['id']); sys.stdout.flush(); os._exit(0)",
            "worker_crashed: worker exited with status 0 before answering"
        ),
    ]

    @Test("loses the item it misbehaves for, and no other", arguments: lies)
    func lie(row: (lie: String, told: String)) async throws {
        let report = try await liar(row.lie).run([1, 2, 3])
        #expect(report.told == ["1", row.told, "3"])
        #expect(processes.filter(isAlive) == [])
        // A worker that is of no use any more is replaced, and an item that kills is tried three times.
        let crashed = row.told.hasPrefix("worker_crashed")
        #expect(programs.marks.count == (crashed ? 4 : 1))
        #expect(report.outcomes[1].attempts == (crashed ? 3 : 1))
        #expect(report.outcomes[1].reason == (crashed ? .poison : nil))
    }

    static let breaches: [(lie: String, message: String)] = [
        ("say(request)", "a line of the program has none of the keys"),
        ("say(request, output=1, error={})", "a line of the program has several keys: error, output"),
        ("say(request, ref='1', settle={})", "a line of the program settles a call that is not open: unknown ref '1'"),
        (
            "print('{\"id\": \"' + request['id'] + '\", \"output\": ' + '['*70 + ']'*70 + '}')",
            "a line of the program is not valid JSON"
        ),
        ("print('x' * (16 * 2**20 + 1))", "a line of the program is longer than 16 MiB: xxxx"),
        (
            "sys.stdout.write('x' * (17 * 2**20)); sys.stdout.flush(); time.sleep(600)",
            "a line of the program is longer than 16 MiB"
        ),
    ]

    @Test("is killed and replaced when it breaks the protocol", arguments: breaches)
    func breach(row: (lie: String, message: String)) async throws {
        let report = try await liar(row.lie).run([1, 2, 3])
        #expect(report.told[0] == "1")
        #expect(report.told[2] == "3")
        let error = try #require(report.outcomes[1].error)
        #expect(error.code == .protocol)
        #expect(!error.retryable)
        #expect(error.message.hasPrefix(row.message))
        #expect(error.message.utf8.count < 600)
        #expect(processes.count == 2)
        #expect(processes.filter(isAlive) == [])
    }

    @Test("is replaced when it ends between two requests, with a warning unless that was in order", arguments: [0, 3])
    func endBetween(status: Int) async throws {
        let program = """
            mark(os.getpid())
            request = json.loads(sys.stdin.readline())
            say(request, output=request["data"])
            os._exit(\(status))
            """
        let (engine, warnings) = Engine.listening()
        let report = try await programs.python(program).run([1, 2, 3], engine: engine)
        #expect(report.told == ["1", "2", "3"])
        #expect(programs.marks.count == 3)
        let told = "a worker of 'a' exited with status 3 between two requests"
        let count = await warnings().count { $0.hasPrefix(told) }
        // The last one may or may not be gone when the run ends.
        #expect(status == 0 ? count == 0 : [2, 3].contains(count))
    }

    @Test("loses its whole group when its time is out, whatever it says to SIGTERM")
    func timeout() async throws {
        let lie = """
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            child = subprocess.Popen(["/bin/sh", "-c", "trap '' TERM; sleep 600; sleep 600"])
            mark(f"child {child.pid}")
            say(request, emit="hanging")
            time.sleep(600)
            """
        let time = ManualTime()
        let pipeline = try liar(lie, node: "timeout: 90s")
        let report = try await pipeline.run([1, 2, 3], engine: Engine(world: .testing(time: time))) { options in
            options.onChunk = { _, _ in
                await time.waitForSleepers()
                time.advance(by: .seconds(90))
            }
        }
        #expect(report.told == ["1", "timeout: timed out after 90 s", "3"])
        #expect(processes.count == 3)
        #expect(processes.filter(isAlive) == [])
    }

    @Test("is out of time when it is silent for longer than it may be")
    func silence() async throws {
        let lie = """
            say(request, heartbeat=True)
            say(request, emit="hanging")
            time.sleep(600)
            """
        let time = ManualTime()
        let pipeline = try liar(lie, node: "heartbeat_timeout: 5s")
        let report = try await pipeline.run([1, 2, 3], engine: Engine(world: .testing(time: time))) { options in
            options.onChunk = { _, _ in
                await time.waitForSleepers()
                time.advance(by: .seconds(5))
            }
        }
        #expect(report.told == ["1", "timeout: no heartbeat for 5 s", "3"])
        #expect(processes.filter(isAlive) == [])
    }

    @Test("holds up nobody when it does not read what it is given", arguments: ["worker", "once"])
    func neverReads(mode: String) async throws {
        let size = mode == "once" ? 100_000_000 : 15_000_000
        let time = ManualTime()
        let program = "mark(os.getpid())\nprint('ready', file=sys.stderr)\ntime.sleep(600)\n"
        // The limit of its start runs in real time, which is not what this is about.
        let pipeline = try programs.python(
            program, parameters: "mode: \(mode)\nstartup_timeout: 1h", node: "timeout: 20s")
        let data = JSONValue.string(String(repeating: "x", count: size))
        let engine = Engine(world: .testing(time: time))
        let (ready, said) = AsyncStream.makeStream(of: Void.self)
        async let running = pipeline.run([data], engine: engine) { $0.onLogged = { said.yield() } }
        // It says so on its error stream.
        for await _ in ready { break }
        time.advance(by: .seconds(20))
        let report = try await running
        #expect(report.told == ["timeout: timed out after 20 s"])
        #expect(processes.filter(isAlive) == [])
    }

    @Test("has begun to read within its start-up time, or is replaced")
    func startup() async throws {
        // A shell, since the second one must have begun within the limit on a busy machine, too.
        let program = #"""
            echo $$ >> "$RECORD"
            [ "$(wc -l < "$RECORD")" -gt 1 ] || sleep 600
            while read -r line; do
                id=${line#*\"id\":\"}
                printf '{"id":"%s","output":2}\n' "${id%%\"*}"
            done
            """#
        let pipeline = try programs.shell(program, parameters: "startup_timeout: 5s")
        let report = try await pipeline.run([1, 2])
        #expect(report.told == ["timeout: worker did not read its first request within 5.0 s", "2"])
        #expect(processes.filter(isAlive) == [])
    }

    @Test("may flood its error stream, whose end is kept")
    func flood() async throws {
        let lie = """
            for _ in range(16): sys.stderr.write(("x" * 1023 + "\\n") * 1024)
            sys.stderr.write("the end")
            if request["context"]["settings"].get("dies"): os._exit(1)
            """
        let report = try await liar(lie).run([1, 2, 3])
        #expect(report.told == ["1", "2", "3"])
        let dead = try await liar(lie, parameters: "settings: {dies: true}").run([2])
        let message = try #require(dead.outcomes[0].error?.message)
        #expect(message.hasPrefix("worker exited with status 1 before answering: xxx"))
        #expect(message.hasSuffix("x\nthe end"))
        #expect((4_000...4_200).contains(message.utf8.count))
    }

    @Test("takes what it left behind with it", arguments: ["worker", "once"])
    func grandchildren(mode: String) async throws {
        let report: Report
        if mode == "once" {
            // Holds all three pipes for ten minutes.
            report = try await programs.once("sleep 600 & echo $! >> $RECORD; echo 1").run([1])
        } else {
            report = try await liar("mark(subprocess.Popen(['sleep', '600']).pid)").run([2])
        }
        #expect(report.success)
        #expect(!processes.isEmpty)
        #expect(processes.filter(isAlive) == [])
    }

    @Test("that cannot be started fails every item, and for good")
    func unstartable() async throws {
        let file = try programs.folder.write("#!/nowhere/at/all\n", to: "broken")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file)
        let pipeline = try programs.folder.load(
            PipelineText.type(
                "command", parameters: "{command: [./broken]}", more: "error_strategy: {type: retry, initial_delay: 0}")
        )
        let report = try await pipeline.run([1, 2])
        for outcome in report.outcomes {
            #expect(outcome.status == .cancelled && outcome.reason == .programBroken)
        }
        #expect(report.status == .failed)
        #expect(report.error?.code == .programBroken)
        #expect(report.error?.message.hasPrefix("'./broken' cannot be started: ") == true)
    }

    @Test("that dies on three items before a first answer, and on two more, is not given the others")
    func threeDeaths() async throws {
        let program = """
            mark(os.getpid())
            request = json.loads(sys.stdin.readline())
            if request["data"] == 0:
                say(request, output="alive")
            os._exit(1)
            """
        let died = "worker_crashed: worker exited with status 1 before answering"
        let hopeless = try await programs.python(program).run([1, 2, 3, 4, 5, 6, 7, 8])
        #expect(hopeless.told == [died, died, died, "cancelled", "cancelled", "cancelled", "cancelled", died])
        let left = hopeless.outcomes.filter { $0.status == .cancelled }
        #expect(left.allSatisfy { $0.reason == .programBroken })
        #expect(hopeless.status == .failed)
        #expect(hopeless.error?.code == .programBroken)
        #expect(hopeless.error?.message.hasPrefix("'a' died on each of the 5 inputs it was given") == true)
        // Three inputs with three programs each, the last one, and one from the middle that is spared the others.
        #expect(programs.marks.count == 13)
        let hopeful = try await programs.python(program).run([0, 1, 2, 3, 4])
        #expect(programs.marks.count == 13 + 13)
        #expect(hopeful.told == [#""alive""#, died, died, died, died])
    }

    @Test("is gone when the run that was cancelled has ended")
    func cancel() async throws {
        let handle = Mutex<RunHandle?>(nil)
        let pipeline = try liar("say(request, emit=1)\ntime.sleep(600)")
        let report = try await pipeline.run([1, 2, 3]) { options in
            options.onChunk = { _, _ in handle.withLock { $0?.cancel() } }
        } watching: { begun in
            handle.withLock { $0 = begun }
        }
        #expect(report.outcomes.map(\.status) == [.succeeded, .cancelled, .cancelled])
        #expect(processes.count == 1)
        #expect(processes.filter(isAlive) == [])
    }

    // MARK: Once

    static let onces: [(program: String, told: String)] = [
        ("cat", #"{"n":1.50}"#),
        (
            "echo '{\"step\": \"'$ASSAY_STEP'\", \"item\": \"'$ASSAY_INPUT_ID'\", \"attempt\": '$ASSAY_ATTEMPT'}'",
            #"{"attempt":1,"item":"1","step":"extraction"}"#
        ),
        ("true", "null"),
        ("echo", "null"),
        (
            "echo 1; echo 2",
            "protocol: the program's output is not one JSON value: unexpected text after the value at byte 2: 1\\u{a}2\\u{a}"
        ),
        ("echo what happened >&2; exit 3", "extraction: exited with status 3: what happened"),
        ("exit 4", "extraction: exited with status 4"),
        ("kill -9 $$", "worker_crashed: worker crashed with signal 9 (SIGKILL)"),
        ("exec 0<&-; echo 1", "1"),
    ]

    @Test("is told by its end and its output when it is started for each item", arguments: onces)
    func once(row: (program: String, told: String)) async throws {
        let report = try await programs.once(row.program).run([["n": .number(Number("1.50")!)]])
        if row.told.hasPrefix("protocol") {
            #expect(report.outcomes[0].error?.code == .protocol)
            #expect(report.told[0].hasPrefix("protocol: the program's output is not one JSON value: "))
            #expect(report.told[0].hasSuffix(#": 1\u{a}2\u{a}"#))
        } else {
            #expect(report.told == [row.told])
        }
    }

    @Test("may write 16 MiB in answer to as much, and no more")
    func large() async throws {
        let text = JSONValue.string(String(repeating: "x", count: (16 << 20) - 2))
        let report = try await programs.once("cat").run([text, .string(String(repeating: "x", count: 16 << 20))])
        #expect(try report.outcomes[0].output?.json() == text)
        #expect(report.told[1].hasPrefix("protocol: the program wrote more than 16 MiB: \"xxx"))
        let worker = try await liar("pass").run([.string(String(repeating: "x", count: 16 << 20))])
        #expect(
            worker.told == ["processing: the request is larger than 16 MiB; hand a path over instead of the data"])
    }
}

@Suite("The parameters of command") struct ProgramParameterTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    static let mistakes: [(parameters: String, finding: String)] = [
        ("{}", "3:15: processor 'a' of type command needs parameter 'command'"),
        ("{command: python3}", "3:25: command must be a list, found text 'python3'"),
        ("{command: []}", "3:25: command needs a program"),
        ("{command: [pyton3]}", "3:26: command 'pyton3' was not found"),
        ("{command: [./missing]}", "3:26: command './missing' was not found"),
        ("{command: [/nowhere/at/all]}", "3:26: command '/nowhere/at/all' was not found"),
        ("{command: [./plain]}", "3:26: command './plain' is not a program that can be started"),
        (
            "{command: [./shared]}",
            "3:26: command './shared' may be changed by other users; take that right away: chmod go-w ./shared"
        ),
        (
            "{command: [sh, ./shared.sh]}",
            "3:30: command: the script './shared.sh' may be changed by other users; take that right away: chmod go-w ./shared.sh"
        ),
        ("{command: [sh, -x, ./missing.sh, ./o.py]}", "3:34: command: the script './missing.sh' was not found"),
        ("{command: [sh, ./folder.sh]}", "3:30: command: './folder.sh' is not a file that can be run"),
        ("{command: ['${TOOL}']}", "3:26: command '${TOOL}' was not found"),
        ("{command: ['${NONE}']}", "3:26: environment variable 'NONE' is not set"),
        ("{command: [sh], mode: wroker}", "3:37: unknown mode 'wroker'; did you mean 'worker'?"),
        ("{command: [sh], steps: []}", "3:38: steps needs at least one step"),
        ("{command: [sh], steps: [a, a]}", "3:42: steps[1] 'a' is already used at line 3"),
        ("{command: [sh], gates: [extraction]}", "3:39: unknown gate 'extraction'; known: transformation, validation"),
        ("{command: [sh], environment: {A B: 1}}", "3:45: 'A B' is not the name of a variable that can be given"),
        (
            "{command: [sh], environment: {ASSAY_X: y}}",
            "3:45: 'ASSAY_X' is not the name of a variable that can be given"
        ),
        ("{command: [sh], inherit_environment: [A=]}", "3:53: 'A=' is not the name of a variable that can be given"),
        ("{command: [sh], working_directory: nowhere}", "3:50: working_directory 'nowhere' is not a folder"),
        ("{command: [sh], startup_timeout: 5}", "3:48: startup_timeout needs a unit, for example 30s"),
        ("{command: [sh], settings: [1]}", "3:41: settings must be a map, found a list"),
        (
            "{command: [sh], setings: {}}",
            "3:31: unknown parameter 'setings' of processor 'a' of type command; did you mean 'settings'?"
        ),
    ]

    @Test("are checked when the file is loaded", arguments: mistakes)
    func mistake(row: (parameters: String, finding: String)) throws {
        func file(_ name: String, _ mode: Int) throws {
            let path = try folder.write("#!/bin/sh\n", to: name)
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        }
        try file("plain", 0o644)
        try file("shared", 0o777)
        try file("shared.sh", 0o666)
        try file("folder.sh/plain", 0o644)
        let found = try folder.findings(
            of: PipelineText.type("command", parameters: row.parameters),
            environment: ["PATH": "/usr/bin:/bin", "TOOL": "s3cr3t"])
        #expect(found == [row.finding])
    }

    @Test(
        "name data that need not exist, and code that names no file",
        arguments: ["[sh, ./data.json]", "[sh, -c, 'echo 1/2.sh']", "[sh, -x]", "[./own, later.py]"])
    func noScript(command: String) throws {
        let path = try folder.write("#!/bin/sh\n", to: "own")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        let found = try folder.findings(
            of: PipelineText.type("command", parameters: "{command: \(command)}"),
            environment: ["PATH": "/usr/bin:/bin"])
        #expect(found == [])
    }

    @Test("may name a program whose folder is anybody's to write to only where that keeps files to their owners")
    func openFolder() throws {
        let path = try folder.write("#!/bin/sh\n", to: "open/tool")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        let text = PipelineText.type("command", parameters: "{command: [./open/tool]}")
        for (mode, isRefused) in [(0o777, true), (0o1777, false)] {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: "\(folder.path)/open")
            let found = try folder.findings(of: text, environment: ["PATH": "/usr/bin:/bin"])
            #expect(found.contains { $0.contains("may be replaced by other users") } == isRefused)
        }
    }

    @Test("identify the processor as they are written, secrets by their names")
    func definition() throws {
        let text = PipelineText.type("command", parameters: "{command: [sh, -c, '${WORK}'], settings: {a: 1.50}}")
        let environment = ["PATH": "/usr/bin:/bin", "WORK": "echo 1"]
        let pipeline = try folder.load(text, environment: environment)
        #expect(
            pipeline.processor?.parameters == [
                "command": ["sh", "-c", "${WORK}"], "settings": ["a": .number(Number("1.50")!)],
            ])
        #expect(pipeline.processor?.workload == .io)
    }
}
