import Assay
import AssayCommands
import Testing

@Suite("A changed definition") struct ResumeSetTests {
    private static let pipeline = """
        run_as: processor
        runner: thread
        timeout: 1h
        processors:
          - processor_id: doc.reader
            processor_type: text_transformer
            timeout: 20s
            parameters: {transformation: uppercase}

        """

    /// A folder with a run of which one item failed, started with these flags.
    private static func shell(_ flags: String...) async throws -> TestShell {
        let shell = try TestShell()
        try shell.write(pipeline, to: "p.yaml")
        try shell.write("{\"data\":\"one\"}\n{\"data\":2}\n", to: "in.jsonl")
        let words = ["run", "p.yaml", "--inputs", "in.jsonl", "-o", "none"] + flags
        #expect(await CommandLineTool.run(words, in: shell.value) == 2)
        return shell
    }

    private static func request(of run: String, in shell: TestShell) async throws -> JSONValue? {
        let (text, _) = await shell.output(of: "runs", "lineage", run, "-o", "json")
        return try JSONValue(json: text)["runs"]?.array?.last?["request"]
    }

    @Test("is what this run and all later ones go on with")
    func kept() async throws {
        let shell = try await Self.shell()
        #expect(await shell.assay("resume", "last", "--set", "timeout=2h", "--set", "runner.max_workers=3") == 2)
        #expect(await shell.assay("resume", "last", "-o", "none") == 2)
        let definition = try await Self.request(of: "last", in: shell)?["definition"]
        #expect(definition?["timeout"] == "2h")
        #expect(definition?["runner"] == ["type": "thread", "max_workers": 3])
    }

    @Test("counts more than the flags and parameters the run had been given")
    func flags() async throws {
        let shell = try await Self.shell(
            "--runner", "thread", "--workers", "2", "--timeout", "5s", "--param", "doc.reader.transformation=lowercase")
        #expect(
            await shell.assay(
                "resume", "last", "-o", "none", "--set", "runner.max_workers=3", "--set",
                "processors.doc.reader.timeout=7s", "--set", "processors.doc.reader.parameters.transformation=reverse",
                "--on-change", "restart") == 2)
        let request = try await Self.request(of: "last", in: shell)
        #expect(request?["flags"] == [:] && request?["parameters"] == [])
        #expect(request?["definition"]?["runner"] == ["type": "thread", "max_workers": 3])
        let (text, _) = await shell.output(of: "runs", "items", "last", "-o", "json")
        #expect(try JSONValue(json: text)["items"]?.array?.first?["output"] == "eno")
    }

    @Test("of the processor's parameters is refused unless the user says what becomes of finished work")
    func parameters() async throws {
        let shell = try await Self.shell()
        let change = "processors.doc.reader.parameters.transformation=lowercase"
        #expect(await shell.assay("resume", "last", "--set", change) == 65)
        #expect(shell.messages.text.contains("its parameter 'transformation' has changed"))
        #expect(try await shell.runs().count == 1)
        #expect(await shell.assay("resume", "last", "--set", change, "--on-change", "keep", "-o", "none") == 2)
    }

    @Test(
        "that makes no sense is refused by name, and nothing is run",
        arguments: [
            ("bugdet.limit=25", "unknown key 'bugdet'"), ("runner.max_workers=0", "between 1 and 1024"),
            ("timeout.x=1", "is a single value"), ("processors.doc.raeder.timeout=1s", "did you mean 'doc.reader'?"),
            ("timeout", "key.key=value"), ("=1", "key.key=value"), ("a..b=1", "key.key=value"), ("timeout=[", "JSON"),
        ])
    func refusals(change: String, message: String) async throws {
        let shell = try await Self.shell()
        #expect(await shell.assay("resume", "last", "--set", change) == 64)
        #expect(shell.messages.text.contains(message), "\(shell.messages.text)")
        #expect(try await shell.runs().count == 1)
    }

    @Test("of a run without pipeline is that of a parameter")
    func processor() async throws {
        let shell = try TestShell()
        try shell.write("{\"data\":\"abc\"}\n{\"data\":2}\n", to: "in.jsonl")
        await shell.assay(
            "run", "--processor", "text_transformer", "--param", "text_transformer.transformation=reverse", "--inputs",
            "in.jsonl", "-o", "none")
        #expect(await shell.assay("resume", "last", "--set", "timeout=1h") == 64)
        let change = "processors.text_transformer.parameters.transformation=uppercase"
        #expect(await shell.assay("resume", "last", "--set", change, "--on-change", "restart", "-o", "none") == 2)
        let (text, _) = await shell.output(of: "runs", "items", "last", "-o", "json")
        #expect(try JSONValue(json: text)["items"]?.array?.first?["output"] == "ABC")
    }
}
