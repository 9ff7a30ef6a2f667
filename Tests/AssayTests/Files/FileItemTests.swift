import Assay
import AssayTesting
import Foundation
import Synchronization
import Testing

/// A folder with files that is gone when the test is.
private final class Folder: Sendable {
    let path = FileManager.default.temporaryDirectory.path + "/files-\(UUID())"

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file in place, so that nothing of it changes but its content and its times.
    func write(_ text: String, to name: String) throws {
        if FileManager.default.fileExists(atPath: path + "/" + name) {
            let file = try #require(FileHandle(forWritingAtPath: path + "/" + name))
            try file.truncate(atOffset: 0)
            try file.write(contentsOf: Data(text.utf8))
            try file.close()
        } else {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/" + name))
        }
    }

    func item(_ name: String, id: String? = nil) -> Item {
        Item(id ?? name, file: InputFile(path: path + "/" + name))
    }
}

/// Reads the file of an item, and counts how often.
private struct Reader: Processor {
    let name = "reader"
    let reads = Notes<String>()
    var before: (@Sendable () throws -> Void)?

    func extract(_ data: JSONValue, in context: Context) async throws -> String {
        let file = try #require(context.file)
        reads.add(file.name)
        try await context.charge("reading", "file")
        try before?()
        return try String(contentsOfFile: file.path, encoding: .utf8)
    }
}

@Suite("An item that is a file") struct FileItemTests {
    private func outputs(_ report: Report) throws -> [String?] {
        try report.outcomes.map { $0.status == .succeeded ? try $0.get(as: String.self) : nil }
    }

    @Test(
        "is known by its content: carried while that is the same, worked on again when it differs",
        arguments: Runners.all)
    func content(runner: any Runner) async throws {
        let folder = try Folder()
        let (engine, reader) = (Engine.testing(), Reader())
        try folder.write("1000", to: "a")
        try folder.write("5000", to: "b")
        let items = [folder.item("a"), folder.item("b")]
        let first = try await engine.run(reader, items: items, options: .on(runner))
        try folder.write("3000", to: "a")
        let second = try await engine.again(reader, after: first, items: items, options: .on(runner))
        #expect(try outputs(second) == ["3000", "5000"])
        #expect(second.outcomes.map(\.inputChanged) == [true, false])
        #expect(second.outcomes.map(\.carried) == [false, true])
    }

    @Test("is found in the cache by its content alone, under any name")
    func cache() async throws {
        let folder = try Folder()
        let (engine, reader) = (Engine.testing(), Reader())
        try folder.write("1000", to: "a")
        try folder.write("1000", to: "renamed")
        let options = RunOptions.with { $0.itemCache = CachePolicy() }
        _ = try await engine.run(reader, items: [folder.item("a")], options: options)
        let second = try await engine.run(reader, items: [folder.item("renamed")], options: options)
        #expect(second.outcomes.map(\.cached) == [true])
        try folder.write("9000", to: "a")
        #expect(try outputs(try await engine.run(reader, items: [folder.item("a")], options: options)) == ["9000"])
        #expect(reader.reads.all == ["a", "a"])
    }

    @Test("that is missing fails and is tried again, and the others go on")
    func missing() async throws {
        let folder = try Folder()
        let (engine, reader) = (Engine.testing(), Reader())
        try folder.write("x", to: "a")
        try FileManager.default.createDirectory(atPath: folder.path + "/dir", withIntermediateDirectories: false)
        let items = ["gone", "a", "dir"].map { folder.item($0) }
        let first = try await engine.run(reader, items: items)
        #expect(first.outcomes.map { $0.error?.code } == [.notFound, nil, .configuration])
        #expect(first.status == .partial)
        #expect(first.outcomes[0].error?.message.contains(folder.path + "/gone") == true)
        try folder.write("y", to: "gone")
        let second = try await engine.resume(reader, after: first)
        #expect(try outputs(second) == ["y", "x", nil])
        #expect(second.outcomes.map(\.carried) == [false, true, false])
    }

    @Test("fails with input_changed when it is not what was listed, before it is worked on, and is not charged")
    func changedBefore() async throws {
        let folder = try Folder()
        let reader = Reader(before: { try folder.write("other", to: "b") })
        try folder.write("first", to: "a")
        try folder.write("second", to: "b")
        let report = try await Engine.testing().run(reader, items: [folder.item("a"), folder.item("b")])
        #expect(report.outcomes.map { $0.error?.code } == [nil, .inputChanged])
        #expect(reader.reads.all == ["a"])
        #expect(report.bill.trackedCosts.filter { $0.inputID == "b" }.isEmpty)
    }

    @Test(
        "fails with input_changed when it changes while it is worked on, whatever was made of it",
        arguments: Runners.all)
    func changedMeanwhile(runner: any Runner) async throws {
        let folder = try Folder()
        let reader = Reader(before: { try folder.write("other", to: "a") })
        try folder.write("first", to: "a")
        let options = RunOptions.with {
            ($0.runner, $0.itemCache) = (runner, CachePolicy())
        }
        let engine = Engine.testing()
        let report = try await engine.run(reader, items: [folder.item("a")], options: options)
        #expect(report.outcomes.map { $0.error?.code } == [.inputChanged])
        #expect(
            try await engine.store.cacheEntries(matching: CacheFilter(), after: nil, limit: 9).entries.isEmpty)
        // What the run listed is no longer there, however often it is resumed; a new list takes it as it is.
        let resumed = try await engine.resume(Reader(), after: report)
        #expect(resumed.outcomes.map { $0.error?.code } == [.inputChanged])
        let again = try await engine.again(Reader(), after: report, items: [folder.item("a")])
        #expect(try outputs(again) == ["other"])
    }

    @Test("is read once as long as its stamp is old enough to be trusted", arguments: [true, false])
    func spared(isOld: Bool) async throws {
        let folder = try Folder()
        // Before it is written, so that its times are never old by this clock.
        let now = Int64(Date().timeIntervalSince1970 * 1_000)
        try folder.write("first", to: "a")
        let time = ManualTime(start: Timestamp(milliseconds: now + (isOld ? 3_600_000 : 0)), runsFree: true)
        let store = MemoryStore()
        let engine = Engine.testing(store, time: time)
        let plan = try await engine.fullPlan(RegisteredProcessor(Reader()), over: [folder.item("a")])
        #expect(try await store.fileDigests(of: [folder.path + "/a"]).isEmpty)
        _ = try await engine.run(Reader(), items: [folder.item("a")])
        let known = try await store.fileDigests(of: [folder.path + "/a"]).values.map(\.digest)
        #expect(known == (isOld ? plan.entries.map(\.digest) : []))
    }

    @Test("is read anew when that is asked for, whatever is on record")
    func rehash() async throws {
        let folder = try Folder()
        try folder.write("first", to: "a")
        let store = MemoryStore()
        let later = Int64(Date().timeIntervalSince1970 * 1_000) + 3_600_000
        let engine = Engine.testing(store, time: ManualTime(start: Timestamp(milliseconds: later), runsFree: true))
        func digest(rehash: Bool) async throws -> Digest? {
            let options = RunOptions.with { $0.rehash = rehash }
            return try await engine.fullPlan(RegisteredProcessor(Reader()), over: [folder.item("a")], options: options)
                .entries.first?.digest
        }
        let right = try await digest(rehash: false)
        _ = try await engine.run(Reader(), items: [folder.item("a")])
        let known = try #require(try await store.fileDigests(of: [folder.path + "/a"]).values.first)
        let wrong = Digest(of: "wrong")
        try await store.save([FileDigest(path: known.path, stamp: known.stamp, digest: wrong)])
        #expect(try await digest(rehash: false) == wrong)
        #expect(try await digest(rehash: true) == right)
    }

    @Test("of a processor is read once by all programs that find its stamp, and anew when that is asked for")
    func definition() async throws {
        let folder = try Folder()
        try folder.write("first", to: "model")
        let store = MemoryStore()
        let later = Int64(Date().timeIntervalSince1970 * 1_000) + 3_600_000
        let engine = Engine.testing(store, time: ManualTime(start: Timestamp(milliseconds: later), runsFree: true))
        func definition(rehash: Bool) async throws -> Digest {
            // As another program has it, which has read nothing.
            var processor = try RegisteredProcessor(ClosureProcessor<Int, Int>("test") { n, _ in n })
            processor.files = DefinitionFiles([
                .init(name: "./model", path: folder.path + "/model", isRead: true)
            ])
            return try await engine.run(
                processor, over: [Item("a", 1)], options: .with { $0.rehash = rehash }
            ).run.definition
        }
        let right = try await definition(rehash: false)
        let known = try #require(try await store.fileDigests(of: [folder.path + "/model"]).values.first)
        try await store.save([FileDigest(path: known.path, stamp: known.stamp, digest: Digest(of: "other"))])
        #expect(try await definition(rehash: false) != right)
        #expect(try await definition(rehash: true) == right)
    }

    @Test("with data of its own is the same only when both are")
    func both() async throws {
        let folder = try Folder()
        try folder.write("1000", to: "a")
        let (engine, reader) = (Engine.testing(), Reader())
        func item(_ data: Int) -> Item {
            Item("a", payload: Payload(data), file: InputFile(path: folder.path + "/a"))
        }
        let first = try await engine.run(reader, items: [item(1)])
        let same = try await engine.again(reader, after: first, items: [item(1)])
        #expect(same.outcomes.map(\.carried) == [true])
        let other = try await engine.again(reader, after: same, items: [item(2)])
        #expect(other.outcomes.map(\.inputChanged) == [true])
        try folder.write("2000", to: "a")
        let edited = try await engine.again(reader, after: other, items: [item(2)])
        #expect(edited.outcomes.map(\.inputChanged) == [true])
    }

    @Test("counts in the key of every node whose value leads to it")
    func graph() async throws {
        let folder = try Folder()
        try folder.write("1000", to: "a")
        let graph = try Graph("g")
        let cached = CachePolicy()
        try graph.add(try Node("path") { (data: JSONValue) in data["path"] ?? .null })
        var read = try Node("read") { (path: String) in try String(contentsOfFile: path, encoding: .utf8) }
        read.cache = cached
        try graph.add(read)
        try graph.connect("path", to: "read")
        let engine = Engine.testing()
        for text in ["1000", "9000", "9000"] {
            try folder.write(text, to: "a")
            let report = try await engine.run(graph, over: [folder.item("a")])
            #expect(try report.outcomes[0].output?.json() == ["read:output": .string(text)])
        }
        let last = try await engine.run(graph, over: [folder.item("a")])
        #expect(last.run.metrics?.cacheHits == 1)
    }
}
