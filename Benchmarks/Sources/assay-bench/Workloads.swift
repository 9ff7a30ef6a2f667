import Assay
import AssaySQLite
import AssayStatements
import Foundation
import Synchronization

/// The work that is measured, by mode and workload.
enum Workloads {
    typealias Workload = @Sendable (Request) async throws -> Measurement

    static let all: [String: Workload] = [
        "loop/W1": loop, "taskgroup/W1": taskGroup, "threads-raw/W1": dispatch, "sqlite-raw/W6": rawSQLite,
        "sequential/W1": { try await noOps($0, .sequential) },
        "thread/W1": { try await noOps($0, ThreadRunner(maxWorkers: $0.workers)) },
        "thread/W2": sleepers, "durable/W6": durable, "durable/W7": carried,
        "taskgroup/W8": Batches.taskGroup, "batch/W8": Batches.fold,
        "graph/W5": Graphs.layered, "graph/W5c": Graphs.chain, "graph/W5i": Graphs.items,
        "graph-durable/W5i": Graphs.durableItems,
        "kahn/W5": Graphs.kahnLayered, "kahn/W5c": Graphs.kahnChain,
        "pipe-raw/W1p": Processes.pipes, "process/W1p": Processes.engine,
        "heap-raw/W4": Queues.heap, "queue-index/W4": Queues.index,
        "queue/W4": { try await Queues.queue($0, in: MemoryStore()) },
        "queue-durable/W4": Queues.durable,
        "hash/W11": hashes, "durable/W11": statements,
    ]

    // MARK: Yardsticks

    private static func loop(_ request: Request) async throws -> Measurement {
        let work: @Sendable (Int) async -> Int = { $0 &+ 1 }
        var results: [Int] = []
        let measured = await Measurement.of {
            results.reserveCapacity(request.count)
            for index in 0..<request.count { results.append(await work(index)) }
        }
        try check(results.last == request.count, "loop")
        return measured
    }

    private static func taskGroup(_ request: Request) async throws -> Measurement {
        var results = [Int](repeating: 0, count: request.count)
        let measured = await Measurement.of {
            await withTaskGroup(of: (Int, Int).self) { group in
                for index in 0..<request.count { group.addTask { (index, index &+ 1) } }
                for await (index, result) in group { results[index] = result }
            }
        }
        try check(results.last == request.count, "taskgroup")
        return measured
    }

    private static func dispatch(_ request: Request) async throws -> Measurement {
        let queue = DispatchQueue(label: "yardstick", attributes: .concurrent)
        let results = Mutex([Int](repeating: 0, count: request.count))
        let measured = await Measurement.of {
            await withCheckedContinuation { continuation in
                let group = DispatchGroup()
                for index in 0..<request.count {
                    queue.async(group: group) { results.withLock { $0[index] = index &+ 1 } }
                }
                group.notify(queue: queue) { continuation.resume() }
            }
        }
        try check(results.withLock { $0.last } == request.count, "dispatch")
        return measured
    }

    /// Reading and hashing the files of a folder.
    private static func hashes(_ request: Request) async throws -> Measurement {
        let files = try statementFiles(request)
        var digests = 0
        let measured = try await Measurement.of {
            for file in files {
                let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
                digests += Digest.hex(of: bytes).utf8.count
            }
        }
        try check(digests == 64 * files.count, "digests")
        return measured
    }

    private static func statementFiles(_ request: Request) throws -> [String] {
        let suffixes = [".ofx", ".csv", ".sta"]
        let found = FileManager.default.enumerator(atPath: request.directory)?.compactMap { $0 as? String } ?? []
        let files = found.filter { name in suffixes.contains { name.hasSuffix($0) } }.sorted()
        try check(files.count >= request.count, "\(request.directory) has \(files.count) statements only")
        return files.prefix(request.count).map { request.directory + "/" + $0 }
    }

    // MARK: The engine

    private static func noOps(_ request: Request, _ runner: any Runner) async throws -> Measurement {
        var options = RunOptions()
        options.runner = runner
        let engine = Engine()
        let processor = ClosureProcessor<Int, Int>("increment") { value, _ in value &+ 1 }
        var outputs: [Int] = []
        let measured = try await Measurement.of {
            outputs = try await engine.run(processor, over: 0..<request.count, options: options).outputs()
        }
        try check(outputs == Array(1...request.count), "outputs")
        return measured
    }

    private static func sleepers(_ request: Request) async throws -> Measurement {
        var options = RunOptions()
        options.runner = try ThreadRunner(maxWorkers: request.concurrency)
        let processor = ClosureProcessor<Int, Int>("sleep") { value, _ in
            try await Task.sleep(for: .milliseconds(10))
            return value
        }
        let engine = Engine()
        var done = 0
        var measured = try await Measurement.of {
            done = try await engine.run(processor, over: 0..<request.count, options: options).counts.succeeded
        }
        try check(done == request.count, "succeeded")
        let waves = (request.count + request.concurrency - 1) / request.concurrency
        measured.notes = String(format: "%.3f of ideal", Double(waves) * 0.01 / measured.wall)
        return measured
    }

    private static func durable(_ request: Request) async throws -> Measurement {
        try await inStore(request) { engine, processor, items, options in
            try await Measurement.of {
                let counts = try await engine.run(processor, over: items, options: options).counts
                try check(counts.succeeded == request.count, "succeeded")
            }
        }
    }

    private static func carried(_ request: Request) async throws -> Measurement {
        try await inStore(request) { engine, processor, items, options in
            var options = options
            options.executionID = Identifier("bench")
            _ = try await engine.run(processor, over: items, options: options)
            var again = options
            again.returnsOutcomes = false
            return try await Measurement.of {
                let report = try await engine.run(processor, over: items, options: again)
                try check(report.counts.succeeded == request.count, "succeeded")
            }
        }
    }

    private static func statements(_ request: Request) async throws -> Measurement {
        let files = try statementFiles(request)
        let processor = try RegisteredProcessor(BankStatements())
        return try await inStore(request) { engine, _, _, options in
            var measured = Measurement(wall: 0, cpu: 0)
            var counts = Counts()
            measured = try await Measurement.of {
                let items = files.lazy.map { Item($0, BankStatements.Source(path: $0)) }
                counts = try await engine.run(processor, over: items, options: options).counts
            }
            measured.notes = "\(counts.failed) refused"
            return measured
        }
    }

    private static func inStore(
        _ request: Request,
        _ body: (Engine, RegisteredProcessor, [Item], RunOptions) async throws -> Measurement
    ) async throws -> Measurement {
        let folder = NSTemporaryDirectory() + "assay-bench-store-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = try SQLiteStore.open(folder + "/assay.db")
        let processor = try RegisteredProcessor(ClosureProcessor<Int, Int>("increment") { value, _ in value &+ 1 })
        let items = (0..<request.count).map { Item("item_\($0 + 1)", $0) }
        var options = RunOptions()
        options.runner = try ThreadRunner(maxWorkers: request.workers)
        options.returnsOutcomes = false
        return try await body(Engine(store: store), processor, items, options)
    }
}
