import Assay
import AssayTesting
import Foundation
import Synchronization
import Testing

/// A folder that is gone when the test is.
private final class Folder: Sendable {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("checkpoints-\(UUID())").path
    deinit { try? FileManager.default.removeItem(atPath: path) }

    var files: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }

    func change(_ change: (inout [UInt8]) -> Void) throws {
        let url = URL(fileURLWithPath: "\(path)/\(files[0])")
        var bytes = Array(try Data(contentsOf: url))
        change(&bytes)
        try Data(bytes).write(to: url)
    }
}

@Suite("A named checkpoint") struct CheckpointTests {
    static let node: Identifier = .numbered("node_", 1)

    @Test("is made, listed newest first, restored and deleted")
    func life() async throws {
        let time = ManualTime()
        let checkpoints = try Checkpoints(in: MemoryStore(), world: .testing(time: time))
        let data: JSONValue = ["text": .string(String(repeating: "é", count: 600))]
        let first = try await checkpoints.create("state", of: Self.node, data: data, metadata: ["by": "me"])
        time.advance(by: .seconds(1))
        let other: Identifier = .numbered("node_", 2)
        let second = try await checkpoints.create("state", of: other, encoding: [1, 2], persist: false)
        let list = try await checkpoints.list()
        #expect(list.map(\.id) == [second, first])
        #expect(try await checkpoints.list(of: Self.node).map(\.id) == [first])
        #expect(try await checkpoints.restore(second.text) == [1, 2])
        #expect(try await checkpoints.restore(first.text) == data)
        #expect(
            list.last?.jsonValue == [
                "checkpoint_id": .string(first.text), "name": "state", "processor_id": "node_1",
                "created_at": "2025-03-03T09:15:00Z", "size_bytes": 1_211, "data_type": "object",
                "metadata": ["by": "me"], "preview": .string(String(data.json.prefix(500))),
            ])
        for id in [first, second] {
            #expect(try await checkpoints.delete(id.text))
            #expect(try await !checkpoints.delete(id.text))
        }
        #expect(try await checkpoints.list().isEmpty)
    }

    @Test("that is unknown is not found", arguments: ["X", "a b", ""]) func unknown(id: String) async throws {
        let checkpoints = try Checkpoints(in: MemoryStore())
        let error = await #expect(throws: ProcessingError.self) { try await checkpoints.restore(id) }
        #expect(error?.code == .notFound)
        #expect(error?.message == "checkpoint '\(id)' not found")
        #expect(try await !checkpoints.delete(id))
    }

    @Test("outlives the program in a store or a folder, unless it is only kept in memory")
    func persists() async throws {
        let folder = Folder()
        let storages: [any CheckpointStorage] = [MemoryStore(), try CheckpointFolder(path: folder.path)]
        for storage in storages {
            let before = try Checkpoints(in: storage, world: .testing())
            let kept = try await before.create("a", of: Self.node, data: 1)
            let lost = try await before.create("b", of: Self.node, data: 2, persist: false)
            let after = try Checkpoints(in: storage, world: .testing())
            #expect(try await after.restore(kept.text) == 1)
            await #expect(throws: ProcessingError.self) { try await after.restore(lost.text) }
        }
    }

    @Test("in a folder is one file that its owner alone can read, and is told when it is damaged")
    func folder() async throws {
        let folder = Folder()
        let checkpoints = try Checkpoints(in: try CheckpointFolder(path: folder.path), world: .testing())
        let id = try await checkpoints.create("a", of: Self.node, data: ["amount": 150])
        #expect(folder.files == [Digest.hex(of: id.text.utf8) + ".json"])
        let mode = try FileManager.default.attributesOfItem(atPath: "\(folder.path)/\(folder.files[0])")
        #expect(mode[.posixPermissions] as? Int == 0o600)
        try folder.change { bytes in
            let place = bytes.firstRange(of: Array("150".utf8))?.lowerBound ?? 0
            bytes[place] = UInt8(ascii: "9")
        }
        let error = await #expect(throws: ProcessingError.self) { try await checkpoints.restore(id.text) }
        #expect(error?.code == .store)
        #expect(error?.message.contains("'\(id)'") == true)
        #expect(try await checkpoints.list().isEmpty)
        #expect(try await checkpoints.delete(id.text))
        #expect(folder.files.isEmpty)
    }

    @Test("in a folder gives way to new ones, the oldest tenth first") func limit() async throws {
        let folder = Folder()
        let checkpoints = try Checkpoints(in: try CheckpointFolder(path: folder.path), limit: 20, world: .testing())
        for number in 1...21 { try await checkpoints.create("\(number)", of: Self.node, data: 1) }
        #expect(try await checkpoints.list().map(\.name) == (3...21).reversed().map { "\($0)" })
        #expect(folder.files.count == 19)
    }

    @Test("in a folder is counted on from what others left there, and gives way before a sound one when damaged")
    func shared() async throws {
        let folder = Folder()
        func make(_ names: ClosedRange<Int>) async throws -> Checkpoints {
            let checkpoints = try Checkpoints(
                in: try CheckpointFolder(path: folder.path), limit: 5, world: .system)
            for name in names { try await checkpoints.create("\(name)", of: Self.node, data: 1) }
            return checkpoints
        }
        let first = try await make(1...3)
        let second = try await make(4...5)
        try await first.create("6", of: Self.node, data: 1)
        #expect(try await second.list().map(\.name) == ["6", "5", "4", "3", "2"])
        try folder.change { $0.removeLast() }
        let left = try await make(7...7).list().map(\.name)
        #expect(left.count == 5 && left.first == "7")
    }

    @Test("is made from JSON within limits, and that is told")
    func limits() async throws {
        let events = EventStream()
        let checkpoints = try Checkpoints(in: MemoryStore(), events: events, world: .testing())
        let many = (0..<65).reduce(into: JSONObject()) { $0["key_\($1)"] = 1 }
        let long: JSONObject = ["key": .string(String(repeating: "x", count: 1_023))]
        for metadata in [many, long] {
            await #expect(throws: ProcessingError.self) {
                try await checkpoints.create("a", of: Self.node, data: 1, metadata: metadata)
            }
        }
        await #expect(throws: ProcessingError.self) { try await checkpoints.create("", of: Self.node, data: 1) }
        let error = await #expect(throws: ProcessingError.self) {
            try await checkpoints.create("a", of: Self.node, encoding: Double.nan)
        }
        #expect(error?.code == .processing)
        #expect(throws: ProcessingError.self) { try Checkpoints(in: MemoryStore(), limit: 0) }
        let id = try await checkpoints.create("a", of: Self.node, data: 1)
        _ = try await checkpoints.restore(id.text)
        #expect(events.latest().map(\.kind) == [.checkpointCreate, .checkpointRestore])
    }
}
