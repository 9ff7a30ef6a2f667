import Assay
import AssayCommands
import Foundation
import Synchronization
import Testing

/// What was told.
private final class Told: Sendable {
    private let lines = Mutex<[String]>([])
    func add(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 } }
}

@Suite("Inputs") struct InputListTests {
    private func ids(_ arguments: [String], lists: [String] = [], in shell: TestShell) async throws -> [String] {
        try await InputList(arguments, lists: lists, in: shell.value).reduce(into: []) { $0.append($1.id) }
    }

    @Test("of a folder come by the bytes of their paths, without hidden files and loops")
    func folder() async throws {
        let shell = try TestShell()
        for path in [
            "in/b.txt", "in/a/z", "in/a.txt", "in/a/.hidden", "in/.git/config", "in/Z", "in/a/deep/er", "in/é",
        ] {
            try shell.write("x", to: path)
        }
        try FileManager.default.createSymbolicLink(atPath: shell.folder + "/in/a/loop", withDestinationPath: "..")
        try FileManager.default.createSymbolicLink(atPath: shell.folder + "/in/link", withDestinationPath: "Z")
        try FileManager.default.createSymbolicLink(atPath: shell.folder + "/in/gone", withDestinationPath: "nowhere")
        let expected = ["in/Z", "in/a.txt", "in/a/deep/er", "in/a/z", "in/b.txt", "in/gone", "in/link", "in/é"]
        #expect(try await ids(["in"], in: shell) == expected)
        #expect(try await ids(["in/"], in: shell) == expected)
    }

    @Test("are files that can be opened from everywhere, with their media types")
    func file() async throws {
        let shell = try TestShell()
        try shell.write("12345", to: "a.OFX")
        let items = try await InputList(["a.OFX"], in: shell.value).reduce(into: []) { $0.append($1) }
        let path = shell.value.folder + "/a.OFX"
        #expect(items[0].file?.path == path)
        #expect(
            try items[0].data.json() == [
                "path": .string(path), "name": "a.OFX", "media_type": "application/x-ofx",
            ])
    }

    @Test(
        "that are files are named from the root on, however they are written",
        arguments: ["in", "./in", "in/../in", "in//", "{}/in", "in/a.txt", "sub/../in/*.txt", "link/../in"])
    func names(written: String) async throws {
        let shell = try TestShell()
        for path in ["in/a.txt", "sub/b.txt", "other/c"] { try shell.write("x", to: path) }
        try FileManager.default.createSymbolicLink(atPath: shell.folder + "/link", withDestinationPath: "sub")
        let argument = written.replacingOccurrences(of: "{}", with: shell.folder)
        #expect(try await ids([argument], in: shell) == ["in/a.txt"])
        var elsewhere = shell.value
        elsewhere.workingFolder = shell.folder + "/other"
        let relative = written.hasPrefix("{}") ? argument : "../" + written
        let items = try await InputList([relative], root: shell.folder, in: elsewhere).reduce(into: []) {
            $0.append($1)
        }
        #expect(items.map(\.id) == ["in/a.txt"])
    }

    @Test("outside of the root are named by their whole paths, and links are not followed for their names")
    func outside() async throws {
        let (shell, other) = (try TestShell(), try TestShell())
        try other.write("x", to: "a.txt")
        #expect(try await ids([other.folder + "/a.txt"], in: shell) == [other.value.folder + "/a.txt"])
        try FileManager.default.createSymbolicLink(
            atPath: shell.folder + "/b.txt", withDestinationPath: other.folder + "/a.txt")
        #expect(try await ids(["b.txt"], in: shell) == ["b.txt"])
    }

    @Test("that are one file are one input, which is said with both spellings")
    func twice() async throws {
        let shell = try TestShell(input: #"{"file": "in/a.txt"}"# + "\n" + #"{"file": "in/b.txt"}"#)
        for path in ["in/a.txt", "in/b.txt"] { try shell.write("x", to: path) }
        let told = Told()
        let list = try InputList(["in", "./in/a.txt", "-"], tell: { told.add($0) }, in: shell.value)
        let ids: [String] = try await list.reduce(into: []) { $0.append($1.id) }
        #expect(ids == ["in/a.txt", "in/b.txt"])
        #expect(
            told.all == [
                "'./in/a.txt' and 'in/a.txt' are the same file; it is one input",
                "'in/a.txt' is named twice; it is one input", "'in/b.txt' is named twice; it is one input",
            ])
    }

    @Test("of JSON lines may be files, with data of their own or without")
    func filesOfLines() async throws {
        let shell = try TestShell(
            input: #"{"file": "a.txt"}"# + "\n" + #"{"file": "a.txt", "data": 1, "input_id": "x"}"# + "\n")
        let items = try await InputList(["-"], in: shell.value).reduce(into: []) { $0.append($1) }
        #expect(items.map(\.id) == ["a.txt", "x"])
        #expect(items.map { $0.file?.path } == Array(repeating: shell.value.folder + "/a.txt", count: 2))
        #expect(items.map(\.hasOwnData) == [false, true])
    }

    @Test("that fit a pattern are left out: by any part of the name, or by the whole with a slash")
    func excluded() async throws {
        let shell = try TestShell()
        for path in ["in/a.txt", "in/b.md", "in/old/c.txt", "in/x/d.txt"] { try shell.write("x", to: path) }
        func ids(_ patterns: String...) async throws -> [String] {
            try await InputList(["in"], excluded: patterns, in: shell.value).reduce(into: []) { $0.append($1.id) }
        }
        #expect(try await ids("*.md", "old") == ["in/a.txt", "in/x/d.txt"])
        #expect(try await ids("in/x/*") == ["in/a.txt", "in/b.md", "in/old/c.txt"])
    }

    @Test("whose names are not UTF-8 are inputs that fail with a way out")
    func misnamed() async throws {
        let shell = try TestShell()
        try shell.write("x", to: "in/a.txt")
        let name = Array((shell.folder + "/in/b").utf8CString.dropLast()) + [CChar(bitPattern: 0xFF), 0]
        let descriptor = open(name, O_CREAT | O_WRONLY, 0o600)
        try #require(descriptor >= 0)
        close(descriptor)
        #expect(try await ids(["in"], in: shell) == ["in/a.txt", #"in/b\xFF"#])
    }

    @Test("of which none is there begin nothing, unless that was said")
    func nothing() async throws {
        let shell = try TestShell()
        try FileManager.default.createDirectory(atPath: shell.folder + "/in", withIntermediateDirectories: true)
        let list = try InputList(["in"], in: shell.value)
        let failure = #expect(throws: CommandFailure.self) { try list.begun() }
        #expect(failure?.status == .notFound)
        #expect(failure?.message.hasPrefix("nothing to do: 'in' has no files") == true)
        let none: [String] = try await list.begun(allowsEmpty: true).reduce(into: []) { $0.append($1.id) }
        #expect(none == [])
    }

    @Test("that are missing are told of all together, and fail as inputs where others are there")
    func allMissing() async throws {
        let shell = try TestShell()
        let failure = #expect(throws: CommandFailure.self) { try InputList(["gone", "lost"], in: shell.value) }
        #expect(failure?.message == "gone: no such file or folder\nlost: no such file or folder")
        try shell.write("x", to: "a")
        #expect(try await ids(["gone", "a", "*.none"], in: shell) == ["gone", "a", "*.none"])
    }

    @Test("of a pattern come by the bytes of their paths; a file of that name comes first")
    func pattern() async throws {
        let shell = try TestShell()
        for path in ["b.csv", "a.csv", "c.txt", "[x].csv"] { try shell.write("", to: path) }
        #expect(try await ids(["*.csv"], in: shell) == ["[x].csv", "a.csv", "b.csv"])
        #expect(try await ids(["[x].csv"], in: shell) == ["[x].csv"])
    }

    @Test(
        "of JSON lines are named by themselves or by their place, whatever pieces they are read in",
        arguments: [1, 3, 1_000])
    func lines(piece: Int) async throws {
        let shell = try TestShell()
        var value = shell.value
        value.input = TextSource(
            "{\"data\":1}\r\n\n  \n{\"input_id\":\"b\",\"data\":null}\n{\"data\":[]}", piece: piece)
        let items = try await InputList(["-"], in: value).reduce(into: []) { $0.append($1) }
        #expect(items.map(\.id) == ["item_1", "b", "item_3"])
    }

    @Test("get the scope they do not name themselves")
    func scope() async throws {
        let shell = try TestShell(input: #"{"data":1,"account_id":"own"}"# + "\n" + #"{"data":2}"#)
        let scope = Scope(accountID: ExternalID("acc"), executionID: Identifier("exec"))
        let items = try await InputList(["-"], scope: scope, in: shell.value).reduce(into: []) { $0.append($1) }
        #expect(items.map(\.accountID) == ["own", "acc"])
        #expect(items.map(\.executionID) == ["exec", "exec"])
    }

    @Test(
        "that are wrong are refused with file and line",
        arguments: [
            ("{\"data\":1}\n{bad\n", "in.jsonl:2: not valid JSON"), ("\n\n[]\n", "in.jsonl:3: item 1 must be a map"),
            ("{\"data\":1,\"x\":2}", "in.jsonl:1: item 1 has the unknown key 'x'"),
        ])
    func wrong(text: String, message: String) async throws {
        let shell = try TestShell()
        try shell.write(text, to: "in.jsonl")
        let failure = await #expect(throws: CommandFailure.self) {
            _ = try await ids([], lists: ["in.jsonl"], in: shell)
        }
        #expect(failure?.status == .invalidData)
        #expect(failure?.message.hasPrefix(message) == true)
    }

    @Test(
        "that are not there are found out before anything begins",
        arguments: [
            (["gone"], [], AssayCommands.ExitStatus.notFound), (["*.none"], [], .notFound), ([], ["gone"], .notFound),
            ([], [], .usage),
        ])
    func missing(arguments: [String], lists: [String], status: AssayCommands.ExitStatus) throws {
        let shell = try TestShell()
        let failure = #expect(throws: CommandFailure.self) { try InputList(arguments, lists: lists, in: shell.value) }
        #expect(failure?.status == status)
    }

    @Test("end with the program, even in the middle of a line")
    func stopped() async throws {
        let stop = StopFlag()
        let shell = try TestShell(input: "{\"data\":1}\n{\"da")
        var iterator = try InputList(["-"], stop: stop, in: shell.value).makeAsyncIterator()
        #expect(try await iterator.next()?.id == "item_1")
        stop.raise(.interrupt)
        let failure = await #expect(throws: CommandFailure.self) { try await iterator.next() }
        #expect(failure?.status == .interrupted)
    }
}
