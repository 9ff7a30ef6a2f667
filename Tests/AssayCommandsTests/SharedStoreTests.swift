import Assay
import AssayCommands
import AssaySQLite
import AssayTesting
import Foundation
import Synchronization
import Testing

@Suite("A store that several programs use", .serialized) struct SharedStoreTests {
    @Test(
        "loses nothing that was submitted and passes no input by, whoever works, looks, comes in between or is killed")
    func interleavings() async throws {
        let wanted = Rig.isLong ? 500 : 8
        let seed = Rig.seed()
        let start = ContinuousClock.now
        var (kills, lives) = (0, 0)
        for number in 0..<(Rig.isLong ? 60 : 2) where kills < wanted || !Rig.isLong {
            let rig = try SharedStoreRig(seed: seed &+ UInt64(number))
            try await rig.carryThrough()
            kills += rig.kills
            lives += rig.lives
        }
        print("\(lives) programs, \(kills) of them killed, in \(Rig.seconds(since: start))")
    }
}

/// Executions of two pipelines in one store, with workers of either or of both that are killed, readers that look all
/// the time, programs that want the store for themselves, and whoever removes lock files.
private final class SharedStoreRig {
    private static let inputs = 3

    private(set) var kills = 0
    private(set) var lives = 0
    private let seed: UInt64
    private let shell: TestShell
    private var chance: SeededNumbers
    private var story: [String] = []
    /// What was submitted, and acknowledged, under each name: the pipeline.
    private var submitted: [String: String] = [:]
    private var number = 0
    private let provider: CountingProvider

    init(seed: UInt64) throws {
        self.seed = seed
        chance = SeededNumbers(seed: seed)
        shell = try TestShell()
        provider = try CountingProvider { .reply(200, "[\($0.text)]") }
        for name in ["left", "right"] {
            try shell.write(
                """
                run_as: processor
                processors:
                  - processor_id: \(name)
                    processor_type: http
                    parameters: {url: '\(provider.url)/v1/\(name)', service: bureau, operation: \(name)}
                prices: {currency: USD, services: {bureau: {left: 1.00, right: 1.00}}}
                queue: {queue_capacity: 3, capacity_refresh_time: 0.01, concurrency_limit: 2}

                """, to: "\(name).yaml")
        }
    }

    deinit { provider.stop() }

    private var comment: Comment { "ASSAY_SEED=\(seed): \(story.joined(separator: ", "))" }

    func carryThrough() async throws {
        for _ in 0..<(Rig.isLong ? 12 : 5) {
            for _ in 0..<Int.random(in: 1...3, using: &chance) { try await submit() }
            try await live()
        }
        for pipelines in [["left"], ["left", "right"]] {
            let program = try Program(work(pipelines), in: shell.folder)
            _ = program.output()
            try #require(program.end() == 0, comment)
        }
        try await check()
    }

    private func work(_ pipelines: [String]) -> [String] {
        ["queue", "work", "--until-empty", "-o", "jsonl"] + pipelines.flatMap { ["--pipeline", "\($0).yaml"] }
    }

    private func submit() async throws {
        number += 1
        let (name, pipeline) = ("e\(number)", Bool.random(using: &chance) ? "left" : "right")
        let lines = (0..<Self.inputs).map { "{\"input_id\": \"doc_\($0)\", \"data\": \"\(name) \($0)\"}\n" }
        try shell.write(lines.joined(), to: "\(name).jsonl")
        let code = await shell.assay(
            "queue", "submit", "\(pipeline).yaml", "--inputs", "\(name).jsonl", "--execution", name, "-o", "none")
        // A worker that is just beginning has the store already and cannot be asked yet: then nothing is promised.
        try #require([0, 74].contains(code), comment)
        if code == 0 { submitted[name] = pipeline }
    }

    /// The life of one worker, with others beside it.
    private func live() async throws {
        let pipelines = [["left"], ["right"], ["left", "right"]].randomElement(using: &chance)!
        let program = try Program(work(pipelines), in: shell.folder)
        lives += 1
        let isKilled = Int.random(in: 0..<4, using: &chance) > 0
        let moments = Int.random(in: 1...4, using: &chance)
        story.append("worker of \(pipelines.joined(separator: "+"))")
        for _ in 0..<moments { try await beside(program) }
        if isKilled {
            program.send(SIGKILL)
            story.append("killed")
        }
        _ = program.output()
        let end = program.end()
        if end < 0 { kills += 1 } else { try #require(end == 0 || end == 74, "\(end) \(comment)") }
        try await look()
    }

    /// Something that happens beside a worker; whatever it is, it is told how it went and breaks nothing.
    private func beside(_ program: Program) async throws {
        switch Int.random(in: 0..<5, using: &chance) {
        case 0: try await look()
        case 1:
            // The name of what was submitted is not for others, whether the store is free or not.
            guard let name = submitted.keys.sorted().randomElement(using: &chance) else { return }
            try shell.write("{\"input_id\": \"doc_0\", \"data\": \"of somebody else\"}\n", to: "other.jsonl")
            let code = await shell.assay(
                "run", "left.yaml", "--inputs", "other.jsonl", "--execution", name, "-o", "none")
            story.append("run under \(name): \(code)")
            try #require([65, 74].contains(code), comment)
        case 2:
            unlink(shell.folder + "/.assay/owner.lock")
            story.append("lock file removed")
        case 3: try await submit()
        default:
            _ = program.lines(1)
            story.append("after a line")
        }
    }

    /// Readers, which never fail and see whole executions only.
    private func look() async throws {
        let (text, code) = await shell.output(of: "queue", "list", "-o", "json")
        try #require(code == 0, comment)
        let rows = try JSONValue(json: text)["executions"]?.array ?? []
        let names = Set(rows.compactMap { $0["execution_id"]?.string })
        try #require(names.isSuperset(of: submitted.keys), comment)
        try #require(names.count == rows.count, comment)
        for words in [["runs", "list"], ["costs", "report"], ["queue", "status"]] {
            try #require(await shell.output(of: words).code == 0, comment)
        }
    }

    private func check() async throws {
        let store = try SQLiteStore.open(shell.folder + "/.assay/assay.db")
        defer { store.close() }
        let comment = comment
        #expect(try await store.check() == [], comment)
        let executions = try await store.executions(matching: ExecutionFilter())
        #expect(executions.count == submitted.count, comment)
        for execution in executions {
            #expect(execution.status == .succeeded, "\(execution.id): \(comment)")
            #expect(execution.processorID?.text == submitted[execution.id.text], comment)
            let run = try #require(execution.lastRunID, comment)
            let outputs = try await store.outcomes(of: run, from: 0, limit: 9).map { try $0.output?.json().json ?? "-" }
            #expect(outputs.count == Self.inputs, comment)
            for (place, output) in outputs.enumerated() {
                #expect(output.contains("\(execution.id) \(place)"), "\(output) \(comment)")
            }
        }
        let calls = submitted.count * Self.inputs
        // A worker that was killed between its call and its outcome left a value that the next one finds in the cache.
        let charges = try await store.charges(matching: ChargeFilter())
        #expect(charges.count { $0.kind == .call && !$0.isCacheHit } == calls, comment)
        #expect(provider.charges == calls, comment)
    }
}
