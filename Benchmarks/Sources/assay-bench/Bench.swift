import Foundation

/// `assay-bench MODE --workload W --n N --dir DIR [--workers K] [--concurrency K]`, or `assay-bench all`.
@main struct Bench {
    static func main() async {
        Processes.serveIfAsked()
        do { try await run(Array(CommandLine.arguments.dropFirst())) } catch {
            FileHandle.standardError.write(Data("assay-bench: \(error)\n".utf8))
            exit(1)
        }
    }

    /// Off the main actor, where every hop would be a thread switch.
    @concurrent private static func run(_ arguments: [String]) async throws {
        guard let mode = arguments.first else { throw WrongAnswer(description: "name a mode, or 'all'") }
        guard mode != "all" else { return try all() }
        var request = Request(
            mode: mode, workload: "W1", count: 100_000, directory: NSTemporaryDirectory(), workers: 2, concurrency: 256)
        for (flag, value) in zip(arguments.dropFirst(), arguments.dropFirst(2)) where flag.hasPrefix("--") {
            switch flag {
            case "--workload": request.workload = value
            case "--n": request.count = Int(value) ?? request.count
            case "--dir": request.directory = value
            case "--workers": request.workers = Int(value) ?? request.workers
            case "--concurrency": request.concurrency = Int(value) ?? request.concurrency
            default: throw WrongAnswer(description: "unknown flag \(flag)")
            }
        }
        guard let workload = Workloads.all["\(mode)/\(request.workload)"] else {
            let known = Workloads.all.keys.sorted().joined(separator: ", ")
            throw WrongAnswer(description: "\(mode) has no workload \(request.workload); known: \(known)")
        }
        print(try await workload(request).line(request))
    }

    /// Every workload beside its yardstick, each in a process of its own.
    private static func all() throws {
        let folder = NSTemporaryDirectory() + "assay-bench-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let plan: [(workload: String, count: Int, modes: [String])] = [
            ("W1", 100_000, ["loop", "threads-raw", "taskgroup", "sequential", "thread"]),
            ("W1", 1_000_000, ["sequential", "thread"]),
            ("W1p", 100_000, ["pipe-raw", "process"]),
            ("W2", 10_000, ["thread"]),
            ("W4", 100_000, ["heap-raw", "queue-index", "queue"]),
            ("W4", 10_000, ["queue-durable"]),
            ("W8", 10_000, ["batch"]), ("W8", 100_000, ["taskgroup", "batch"]),
            ("W8", 1_000_000, ["taskgroup", "batch"]),
            ("W5", 10_000, ["kahn", "graph"]), ("W5c", 1_000, ["kahn", "graph"]), ("W5c", 10_000, ["kahn", "graph"]),
            ("W5i", 10_000, ["graph"]), ("W5i", 100_000, ["graph"]),
            ("W5i", 200, ["graph-durable"]), ("W5i", 1_000, ["graph-durable"]),
            ("W6", 10_000, ["sqlite-raw", "durable"]),
            ("W7", 10_000, ["durable"]),
        ]
        for (workload, count, modes) in plan {
            for mode in modes {
                let process = Process()
                process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
                process.arguments = [mode, "--workload", workload, "--n", "\(count)", "--dir", folder]
                try process.run()
                process.waitUntilExit()
                try check(process.terminationStatus == 0, "\(mode) \(workload) failed")
            }
        }
    }
}
