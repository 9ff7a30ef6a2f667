import Assay
import AssayCommands
import Foundation
import Synchronization
import Testing

@Suite("Lines from a socket") struct LineBufferTests {
    @Test("are put together from pieces of any length", arguments: 1...9)
    func pieces(length: Int) throws {
        let text = Array("one\n\ntwo and more\nrest".utf8)
        var (buffer, lines) = (LineBuffer(), [String]())
        for start in stride(from: 0, to: text.count, by: length) {
            buffer.add(text[start..<min(start + length, text.count)])
            while let line = try buffer.next() { lines.append(String(decoding: line, as: UTF8.self)) }
        }
        #expect(lines == ["one", "", "two and more"])
    }

    @Test("are refused when they are too long, with or without an end", arguments: [true, false])
    func long(hasEnd: Bool) throws {
        var buffer = LineBuffer()
        buffer.add(repeatElement(UInt8(ascii: "x"), count: LineBuffer.longest))
        #expect(try buffer.next() == nil)
        buffer.add(Array((hasEnd ? "x\n" : "xx").utf8))
        #expect(throws: LineBuffer.TooLong.self) { try buffer.next() }
    }
}

@Suite("A request to the owner of a store") struct OwnerRequestTests {
    @Test("is read as it was written")
    func roundTrip() throws {
        let run = try #require(Identifier("run_1"))
        for request in [
            OwnerRequest.cancel(run, drain: true), .cancel(run, drain: false), .state(run), .watch(run),
            .clearAlert("no decision"),
        ] {
            #expect(try OwnerRequest(line: request.jsonValue.jsonBytes) == request)
        }
    }

    @Test(
        "is refused when it is anything else",
        arguments: [
            "", "x", "[]", "{}", #"{"request":"watch"}"#, #"{"request":"watch","run":"../x"}"#,
            #"{"request":"cancel","run":"a"}"#, #"{"request":"cancel","run":"a","drain":1}"#,
            #"{"request":"stop","run":"a"}"#, #"{"run":"a"}"#, #"{"request":"clear_alert"}"#, "\u{FF}\u{0}",
        ])
    func garbage(text: String) { #expect(throws: CommandFailure.self) { try OwnerRequest(line: Array(text.utf8)) } }
}

@Suite("The socket of an owner") struct OwnerSocketTests {
    private static let block = ProgressBlock(
        counts: Counts(total: 3), cost: .init(billionths: 9_000_000_000_000_000_000), elapsed: .milliseconds(1_500),
        failures: [.init(inputID: "a", text: "\u{1B}[2J")])

    private final class Cancels: Sendable {
        let stream: AsyncStream<Bool>
        let note: AsyncStream<Bool>.Continuation

        init() { (stream, note) = AsyncStream.makeStream(of: Bool.self) }
    }

    /// A folder whose name is longer than the address of a socket may be.
    private static func folder() throws -> String {
        let folder = NSTemporaryDirectory() + "/assay-" + UUID().uuidString + "/" + String(repeating: "long", count: 40)
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        return folder
    }

    /// The texts of the answers until `last` of them or the end.
    private static func answers(_ client: OwnerClient, _ last: Int = .max) async throws -> [JSONValue] {
        var found: [JSONValue] = []
        for try await answer in client.answers {
            found.append(answer.jsonValue)
            if found.count == last { break }
        }
        return found
    }

    @Test("is the user's alone, replaces what a dead owner left, and goes with its owner")
    func file() async throws {
        let folder = try Self.folder()
        let left = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(left) }
        let first = try OwnerSocket("s", in: folder, desk: OwnerDesk())
        let second = try OwnerSocket("s", in: folder, desk: OwnerDesk())
        var found = stat()
        #expect(lstat(folder + "/s", &found) == 0 && found.st_mode & 0o777 == 0o600)
        #expect(try OwnerClient("s", in: folder) != nil)
        await second.close()
        await first.close()
        #expect(lstat(folder + "/s", &found) != 0)
        #expect(try OwnerClient("s", in: folder) == nil)
    }

    @Test("never replaces anything that is no socket")
    func other() throws {
        let folder = try Self.folder()
        try Data("mine".utf8).write(to: URL(fileURLWithPath: folder + "/s"))
        #expect(throws: CommandFailure.self) { try OwnerSocket("s", in: folder, desk: OwnerDesk()) }
        #expect(FileManager.default.contents(atPath: folder + "/s") == Data("mine".utf8))
    }

    @Test("tells how the run stands at every change, and its end")
    func watch() async throws {
        let folder = try Self.folder()
        let desk = OwnerDesk()
        let socket = try OwnerSocket("s", in: folder, desk: desk)
        let run = try #require(Identifier("run_1"))
        let client = try #require(try OwnerClient("s", in: folder))
        // Asked before the run has begun, which is waited for.
        try client.ask(.watch(run))
        desk.begin(.init(run, block: { Self.block }, cancel: { _ in }, move: { _, _ in }))
        var answers = client.answers.makeAsyncIterator()
        let told = try #require(try await answers.next()?.jsonValue)
        #expect(told["answer"] == "progress" && told["counts"]?["total"] == 3)
        #expect(told["cost"] == MoneySum(Money(billionths: 9_000_000_000_000_000_000)).jsonValue)
        desk.end(.partial)
        var last = try await answers.next()?.jsonValue
        while last?["answer"] == "progress" { last = try await answers.next()?.jsonValue }
        #expect(last == ["answer": "ended", "exit": 2])
        try client.ask(.state(run))
        #expect(try await answers.next()?.jsonValue == ["answer": "ended", "exit": 2])
        await socket.close()
        #expect(try await answers.next()?.jsonValue == nil)
    }

    @Test("stops the run it is asked to and no other", arguments: [true, false])
    func cancel(drain: Bool) async throws {
        let folder = try Self.folder()
        let (desk, cancels) = (OwnerDesk(), Cancels())
        let socket = try OwnerSocket("s", in: folder, desk: desk)
        let (run, other) = (try #require(Identifier("run_1")), try #require(Identifier("run_2")))
        desk.begin(.init(run, block: { Self.block }, cancel: { cancels.note.yield($0) }, move: { _, _ in }))
        let client = try #require(try OwnerClient("s", in: folder))
        for request in [OwnerRequest.cancel(other, drain: drain), .watch(other), .cancel(run, drain: drain)] {
            try client.ask(request)
        }
        let stopping: JSONValue = ["answer": "stopping"]
        let unknown: JSONValue = ["answer": "not_in_progress"]
        #expect(try await Self.answers(client, 3) == [unknown, unknown, stopping])
        var iterator = cancels.stream.makeAsyncIterator()
        #expect(await iterator.next() == drain)
        await socket.close()
    }

    @Test("remembers a stop of the run that is about to begin", arguments: [[true], [false], [true, false, true]])
    func early(wishes: [Bool]) async throws {
        let folder = try Self.folder()
        let (desk, cancels) = (OwnerDesk(), Cancels())
        let socket = try OwnerSocket("s", in: folder, desk: desk)
        let (run, other) = (try #require(Identifier("run_1")), try #require(Identifier("run_2")))
        let client = try #require(try OwnerClient("s", in: folder))
        for drain in wishes { try client.ask(.cancel(run, drain: drain)) }
        try client.ask(.cancel(other, drain: false))
        let stopping: JSONValue = ["answer": "stopping"]
        #expect(try await Self.answers(client, wishes.count + 1).allSatisfy { $0 == stopping })
        desk.begin(.init(run, block: { Self.block }, cancel: { cancels.note.yield($0) }, move: { _, _ in }))
        cancels.note.finish()
        var drains: [Bool] = []
        for await drain in cancels.stream { drains.append(drain) }
        #expect(drains == [wishes.allSatisfy(\.self)])
        await socket.close()
    }

    @Test("tries again when there are no descriptors left, and lets the peer in later")
    func exhausted() async throws {
        let folder = try Self.folder()
        let left = Mutex(3)
        let socket = try OwnerSocket("s", in: folder, desk: OwnerDesk()) { listener in
            let isFull = left.withLock { left in
                left -= 1
                return left >= 0
            }
            guard isFull else { return accept(listener, nil, nil) }
            errno = EMFILE
            return -1
        }
        let client = try #require(try OwnerClient("s", in: folder))
        try client.ask(.state(try #require(Identifier("run_1"))))
        #expect(try await Self.answers(client, 1) == [["answer": "not_in_progress"]])
        #expect(left.withLock { $0 } == -1, "it is tried again until there is one, and then no more")
        await socket.close()
    }

    @Test("says what is wrong and hangs up", arguments: ["{}\n", "\u{0}\n", String(repeating: "x", count: 70_000)])
    func garbage(text: String) async throws {
        let folder = try Self.folder()
        let socket = try OwnerSocket("s", in: folder, desk: OwnerDesk())
        let client = try #require(try OwnerClient("s", in: folder))
        client.send(Array(text.utf8))
        #expect(try await Self.answers(client).map { $0["answer"] } == ["refused"])
        await socket.close()
    }

    @Test("takes no more peers than it has threads for")
    func crowd() async throws {
        let folder = try Self.folder()
        let desk = OwnerDesk()
        let socket = try OwnerSocket("s", in: folder, desk: desk)
        let run = try #require(Identifier("run_1"))
        desk.begin(.init(run, block: { Self.block }, cancel: { _ in }, move: { _, _ in }))
        var clients: [OwnerClient] = []
        for _ in 0..<16 {
            let client = try #require(try OwnerClient("s", in: folder))
            try client.ask(.watch(run))
            #expect(try await Self.answers(client, 1).count == 1)
            clients.append(client)
        }
        let late = try #require(try OwnerClient("s", in: folder))
        // The connection is closed without a word.
        #expect(try await Self.answers(late).isEmpty)
        clients = []
        await socket.close()
    }
}
