import Assay
import AssayTesting
import Foundation
import Logging
import Synchronization
import Testing

@Suite("A tap") struct TapTests {
    static func value(_ number: Int) -> TappedValue {
        TappedValue(
            pipe: "a:output->b:input", inputID: "item_\(number)", value: .number(Number(number)),
            timestamp: ManualTime().now())
    }

    @Test("is called with every value in order, in order of attachment, from when it is attached")
    func order() async {
        let taps = PipeTaps(pipe: "a:output->b:input")
        let calls = Mutex<[String]>([])
        taps.put(Self.value(0))
        taps.attach { value in calls.withLock { $0.append("x\(value.value.json)") } }
        taps.put(Self.value(1))
        let second = taps.attach { value in calls.withLock { $0.append("y\(value.value.json)") } }
        taps.put(Self.value(2))
        await taps.finish()
        #expect(calls.withLock { $0 } == ["x1", "x2", "y2"])
        #expect(taps.status(of: second)?.seen == 1)
        taps.put(Self.value(3))
        #expect(taps.status(of: second)?.seen == 1)
    }

    @Test("that throws is counted and disturbs nobody")
    func errors() async {
        let taps = PipeTaps(pipe: "p")
        let seen = Counter()
        let failing = taps.attach { _ in throw ProcessingError(.processing, "no") }
        taps.attach { _ in seen.next() }
        for number in 1...3 { taps.put(Self.value(number)) }
        await taps.finish()
        #expect(taps.status(of: failing).map { [$0.seen, $0.errors, $0.dropped] } == [3, 3, 0])
        #expect(seen.count == 3)
    }

    @Test("that is slow does not delay the pipe: of more than 1000 waiting values the oldest are dropped and counted")
    func slow() async {
        let taps = PipeTaps(pipe: "p")
        let (gate, opener) = AsyncStream.makeStream(of: Void.self)
        let (begun, beginner) = AsyncStream.makeStream(of: Void.self)
        let seen = Mutex<[JSONValue]>([])
        let id = taps.attach { value in
            beginner.finish()
            for await _ in gate {}
            seen.withLock { $0.append(value.value) }
        }
        taps.put(Self.value(0))
        for await _ in begun {}
        for number in 1...1_234 { taps.put(Self.value(number)) }
        #expect(taps.status(of: id)?.dropped == 234)
        opener.finish()
        await taps.finish()
        #expect(taps.status(of: id)?.seen == 1_001)
        #expect(seen.withLock { $0.prefix(2) } == [0, 235])
    }

    @Test("that is detached is called no more")
    func detached() async {
        let taps = PipeTaps(pipe: "p")
        let seen = Counter()
        let id = taps.attach { _ in seen.next() }
        #expect(taps.detach(id))
        #expect(!taps.detach(id))
        #expect(taps.status(of: id) == nil)
        taps.put(Self.value(1))
        await taps.finish()
        #expect(seen.count == 0)
    }

    @Test("writes a line of JSON for every value to a file that its owner alone can read")
    func file() async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("tap-\(UUID()).jsonl").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let taps = PipeTaps(pipe: "a:output->b:input")
        taps.attach(PipeTaps.file(try LineFile(path: path)))
        taps.put(Self.value(1))
        taps.put(Self.value(2))
        await taps.finish()
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        #expect(
            try lines.map { try JSONValue(json: String($0)) } == [1, 2].map { Self.value($0).jsonValue })
        #expect(
            lines.first
                == #"{"input_id":"item_1","pipe":"a:output->b:input","timestamp":"2025-03-03T09:15:00Z","value":1}"#)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test("follows no symbolic link") func link() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("tap-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/dev/null")
        #expect(throws: ProcessingError.self) { try LineFile(path: path) }
    }
}
