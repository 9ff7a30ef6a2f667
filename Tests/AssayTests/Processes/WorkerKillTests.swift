import AssayTesting
import Foundation
import Synchronization
import Testing

@testable import Assay

@Suite("Killed processes", .timeLimit(.minutes(30))) struct WorkerKillTests {
    /// How many workers are killed: some here, many where there is time for it.
    private static let kills = Rig.isLong ? 5_000 : 200
    private static let items = (1...60).map { Item("doc_\($0)", $0) }
    private static let prices = PriceList.of(
        base: ["billed": Price("1.00", policy: "per_run")],
        units: ["desk/open": "0.25", "ocr/page": "0.10", "vision/read": "0.50", "clear/search": "2.00"])

    @Test("workers killed at random lose nothing, change nothing and cost nothing") func workers() async throws {
        let expected = try await run(Executioner(chance: 0))
        #expect(expected.report.success)
        var killed = 0
        while killed < Self.kills {
            let executioner = Executioner(chance: 0.25)
            let found = try await run(executioner)
            killed += executioner.killed
            #expect(found.report.counts == expected.report.counts)
            #expect(try found.report.outputs(as: [Int].self) == expected.report.outputs(as: [Int].self))
            #expect(found.report.bill.totalCost == expected.report.bill.totalCost)
            #expect(found.paid == expected.paid)
            #expect(found.calls.allSatisfy { $0.state == .settled })
            #expect(Set(found.calls.map(\.idempotencyKey)) == Set(expected.calls.map(\.idempotencyKey)))
            #expect(found.calls.count == expected.calls.count)
        }
    }

    @Test("what a killed program had started is gone, though it escaped from its session") func parent() async throws {
        let (read, write) = try Descriptor.pipe()
        let program = try ChildProcess(
            unleashed: .init(
                Helper.path, environment: ["PATH": "/usr/bin:/bin"], descriptors: [nil, write, nil]))
        write.close()
        var lines: [String] = []
        while lines.count < 2 { lines.append(try #require(line(from: read))) }
        let descendants = lines.compactMap { pid_t($0.dropFirst("worker ".count)) }
        #expect(descendants.count == 2 && descendants.allSatisfy { kill($0, 0) == 0 }, "\(lines)")
        kill(program.id, SIGKILL)
        await program.waitForExit()
        await Helper.wait { descendants.allSatisfy { !lives($0) } }
        #expect(descendants.filter { lives($0) } == [])
    }

    @Test("a program whose descriptors run out fails the attempt at an item, not the run") func starved() async throws {
        let (read, write) = try Descriptor.pipe()
        let program = try ChildProcess(
            unleashed: .init(
                Helper.path, ["starved"], environment: ["PATH": "/usr/bin:/bin"], descriptors: [nil, write, nil]))
        write.close()
        #expect(line(from: read) == "runner_unavailable true")
        #expect(line(from: read) == "succeeded")
        await program.waitForExit()
    }

    @Test("workers that crash leave no descriptor, process, folder or memory behind") func leftovers() async throws {
        let crashes = Rig.isLong ? 1_000 : 40
        let folder = NSTemporaryDirectory() + "/assay-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (read, write) = try Descriptor.pipe()
        let program = try ChildProcess(
            unleashed: .init(
                Helper.path, ["crashing", "\(crashes)"],
                environment: ["PATH": "/usr/bin:/bin", "TMPDIR": folder, "RIG": folder], descriptors: [nil, write, nil])
        )
        write.close()
        let left = try JSONValue(json: try #require(line(from: read)))
        await program.waitForExit()
        func pair(_ name: String) throws -> (before: Int, after: Int) {
            let numbers = try #require(left[name]?.array?.compactMap { $0.number?.integer })
            return (numbers[0], numbers[1])
        }
        // Every item costs a worker at first and is finished then: twenty before it is looked, the others after that.
        #expect(try #require(left["finished"]?.array?.first?.number?.integer) >= crashes + 20)
        let descriptors = try pair("descriptors")
        #expect(descriptors.after <= descriptors.before)
        #expect(left["processes"] == [0])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
        // Pools of the system grow and shrink; a thread or 32 KiB for each worker would show.
        let (threads, memory) = (try pair("threads"), try pair("kilobytes"))
        #expect(threads.after < threads.before + 20)
        #expect(memory.after < memory.before + 32 << 10)
    }

    private func run(
        _ executioner: Executioner
    ) async throws -> (report: Report, paid: [String: Int], calls: [CallRecord]) {
        let store = MemoryStore()
        let events = EventStream()
        let watch = events.subscribe([.itemStart, .stepSaved, .charge]) { executioner.look(at: $0) }
        // Always the same names, so that calls have the same keys.
        let engine = Engine(
            store: store, prices: Self.prices, events: events, world: .testing(time: executioner.time))
        var options = RunOptions()
        options.maxCrashes = .max
        (options.itemTimeout, options.timeout) = (.seconds(1_000_000_000), .seconds(1_000_000_000))
        options.executionID = .numbered("execution-", 1)
        options.runner = try ProcessRunner(
            maxWorkers: 2, executable: Helper.path, arguments: [WorkerProcess.argument, executioner.mark],
            time: executioner.time)
        let report = try await engine.run(
            RegisteredProcessor(ClosureProcessor<Int, [Int]>("billed") { _, _ in [] }), over: Self.items,
            options: options)
        await watch.finish()
        var paid: [String: Int] = [:]
        for charge in try await store.charges(matching: ChargeFilter()) where charge.cost != .zero {
            paid["\(charge.inputID ?? "")|\(charge.service)|\(charge.operation)|\(charge.cost)", default: 0] += 1
        }
        return (report, paid, try await store.calls(matching: CallFilter()))
    }

    private func lives(_ process: pid_t) -> Bool {
        guard let stat = ProcessTable.file("stat", of: process) else { return false }
        return !String(decoding: stat, as: UTF8.self).contains(") Z ")
    }

    private func line(from descriptor: Descriptor) -> String? {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while Foundation.read(descriptor.number, &byte, 1) == 1 {
            if byte == UInt8(ascii: "\n") { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(byte)
        }
        return nil
    }
}

/// Kills one of a run's workers now and then.
private final class Executioner: Sendable {
    /// What its victims carry as an argument.
    let mark = "mark-\(UInt64.random(in: 0 ... .max))"
    /// So fast that no breaker opens.
    let time = ManualTime(runsFree: true)
    private let chance: Double
    private let kills = Mutex<(count: Int, last: Timestamp?)>((0, nil))

    init(chance: Double) { self.chance = chance }

    var killed: Int { kills.withLock { $0.count } }

    /// Kills perhaps one, if the work has gone on since the last time.
    func look(at event: Event) {
        guard kills.withLock({ $0.last.map { event.timestamp >= $0 } ?? true }), Double.random(in: 0..<1) < chance
        else { return }
        let victims = (ProcessTable.numbers ?? []).filter { process in
            ProcessTable.file("cmdline", of: process)?.split(separator: 0).contains { $0.elementsEqual(mark.utf8) }
                == true
        }
        // Seldom one that has just been started: who never gets to work ends the run.
        let victim = Int.random(in: 0..<4) == 0 ? victims.max() : victims.min()
        time.advance(by: .seconds(61))
        guard let victim, kill(victim, SIGKILL) == 0 else { return }
        kills.withLock { $0 = ($0.count + 1, time.now()) }
    }
}
