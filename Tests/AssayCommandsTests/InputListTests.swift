import Assay
import AssayCommands
import Foundation
import Testing

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
        let expected = ["in/Z", "in/a.txt", "in/a/deep/er", "in/a/z", "in/b.txt", "in/link", "in/é"]
        #expect(try await ids(["in"], in: shell) == expected)
        #expect(try await ids(["in/"], in: shell) == expected)
    }

    @Test("are files with path, media type and size")
    func file() async throws {
        let shell = try TestShell()
        try shell.write("12345", to: "a.OFX")
        let items = try await InputList(["a.OFX"], in: shell.value).reduce(into: []) { $0.append($1) }
        #expect(try items[0].data.json() == ["path": "a.OFX", "media_type": "application/x-ofx", "size": 5])
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
