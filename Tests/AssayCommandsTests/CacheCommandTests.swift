import Assay
import AssayCommands
import Testing

@Suite("Cached values") struct CacheCommandTests {
    private static let pipeline = """
        run_as: processor
        processors:
          - processor_id: capitals
            processor_type: text_transformer
            parameters: {transformation: uppercase}
            cache: true

        """

    /// A folder in which two texts were turned into capitals and are cached.
    private static func shell() async throws -> TestShell {
        let shell = try TestShell()
        try shell.write(pipeline, to: "p.yaml")
        try shell.write("{\"data\":\"one\"}\n{\"data\":\"two\"}\n", to: "in.jsonl")
        #expect(await shell.run() == [false, false])
        return shell
    }

    @Test("are used by default, left alone by --no-cache and made again by --refresh")
    func flags() async throws {
        let shell = try await Self.shell()
        #expect(await shell.run() == [true, true])
        #expect(await shell.run("--no-cache") == [false, false])
        #expect(await shell.run("--refresh") == [false, false])
        let (text, _) = await shell.output(of: "cache", "stats", "-o", "json")
        let total = try JSONValue(json: text)["total"]
        #expect(total?["entries"] == 2 && total?["fresh"] == 2)
        // What was made again begins anew.
        #expect(total?["hits"] == 0)
    }

    @Test("are added up by service or operation", arguments: ["service", "operation"])
    func stats(by subject: String) async throws {
        let shell = try await Self.shell()
        #expect(await shell.run() == [true, true])
        let (text, code) = await shell.output(of: "cache", "stats", "--by", subject, "-o", "json")
        let json = try JSONValue(json: text)
        #expect(code == 0 && json["schema"] == "assay/cache_stats/1" && json["damaged"] == 0)
        #expect(json["lines"]?.array?.map { $0["service"] } == ["capitals"])
        #expect(json["lines"]?.array?.map { $0["operation"] } == [subject == "operation" ? "extract" : nil])
        #expect(json["lines"]?.array?.map { $0["hits"] } == [2])
        let (table, _) = await shell.output(of: "cache", "stats", "--by", subject)
        #expect(table.hasPrefix("SERVICE") && table.contains("capitals"))
    }

    @Test("are listed, and shown by a key or its beginning")
    func show() async throws {
        let shell = try await Self.shell()
        let (text, _) = await shell.output(of: "cache", "show", "--processor", "capitals", "-o", "json")
        let keys = try JSONValue(json: text)["entries"]?.array?.compactMap { $0["key"]?.string } ?? []
        #expect(keys.count == 2 && keys == keys.sorted())
        #expect(
            await shell.output(of: "cache", "show", "--limit", "1", "-o", "jsonl").text.split(separator: "\n").count
                == 1)
        #expect(await shell.output(of: "cache", "show", "--service", "other", "-o", "jsonl").text.isEmpty)
        #expect(await shell.output(of: "cache", "show", "--expired", "-o", "jsonl").text.isEmpty)
        let (entry, code) = await shell.output(of: "cache", "show", String(keys[0].prefix(12)), "-o", "json")
        #expect(code == 0)
        #expect(try JSONValue(json: entry)["key"] == .string(keys[0]))
        #expect(try [JSONValue("ONE"), "TWO"].contains(JSONValue(json: entry)["value"]))
        #expect(await shell.assay("cache", "show", "000") == 66)
        #expect(await shell.assay("cache", "show", keys[0], "--expired") == 64)
    }

    @Test(
        "are removed by what is said of them, and then paid for again",
        arguments: [
            (["--service", "capitals"], 2), (["--service", "capitals", "--operation", "extract"], 2),
            (["--service", "capitals", "--operation", "other"], 0), (["--processor", "capitals"], 2),
            (["--expired"], 0), (["--all"], 2),
        ] as [([String], Int)])
    func invalidate(flags: [String], removed: Int) async throws {
        let shell = try await Self.shell()
        let sink = CollectingSink()
        var value = shell.value
        value.output = sink
        #expect(await CommandLineTool.run(["cache", "invalidate"] + flags + ["-o", "json"], in: value) == 0)
        #expect(try JSONValue(json: sink.text)["removed"] == .number(Number(removed)))
        #expect(await shell.run() == (removed == 0 ? [true, true] : [false, false]))
    }

    @Test("are removed one by one by key")
    func invalidateKey() async throws {
        let shell = try await Self.shell()
        let (text, _) = await shell.output(of: "cache", "show", "-o", "json")
        let key = try #require(try JSONValue(json: text)["entries"]?.array?.first?["key"]?.string)
        #expect(await shell.output(of: "cache", "invalidate", "--key", key) == ("1 cached value removed\n", 0))
        #expect(await shell.assay("cache", "invalidate", "--key", key) == 66)
    }

    @Test(
        "are not removed unless it is clear which",
        arguments: [[], ["--all", "--expired"], ["--operation", "extract"], ["--key", "x", "--service", "y"]])
    func unclear(flags: [String]) async throws {
        let shell = try await Self.shell()
        #expect(await CommandLineTool.run(["cache", "invalidate"] + flags, in: shell.value) == 64)
        #expect(await shell.run() == [true, true])
    }
}

extension TestShell {
    /// Runs the pipeline and tells of each item whether it came from the cache.
    fileprivate func run(_ flags: String...) async -> [Bool] {
        let sink = CollectingSink()
        var shell = value
        shell.output = sink
        let words = ["run", "p.yaml", "--inputs", "in.jsonl", "-o", "json"] + flags
        guard await CommandLineTool.run(words, in: shell) == 0, let report = try? JSONValue(json: sink.text) else {
            return []
        }
        return report["outcomes"]?.array?.compactMap { $0["cached"]?.bool } ?? []
    }
}
