import Assay
import AssaySQLite
import Foundation
import Synchronization

/// Graphs of nodes that do nothing: what a node costs.
enum Graphs {
    /// 100 layers of `count / 100` nodes, each with three pipes from the layer before.
    static func layered(_ request: Request) async throws -> Measurement {
        let width = max(3, request.count / 100)
        let graph = try Graph("layered")
        for layer in 0..<100 {
            for place in 0..<width {
                let ports = layer == 0 ? ["input"] : ["a", "b", "c"]
                try graph.add(try Node("n\(layer)_\(place)", inputs: ports) { (_: JSONValue) in place })
                for (offset, port) in ports.enumerated() where layer > 0 {
                    try graph.connect("n\(layer - 1)_\((place + offset) % width)", to: "n\(layer)_\(place)", port)
                }
            }
        }
        var data = JSONObject()
        for place in 0..<width { data["n0_\(place)"] = 0 }
        return try await once(graph, JSONValue.object(data), results: width)
    }

    /// `count` nodes in a row.
    static func chain(_ request: Request) async throws -> Measurement {
        let nodes = try (0..<request.count).map { place in try Node("n\(place)") { (value: Int) in value &+ 1 } }
        return try await once(try Graph.linear("chain", nodes), 0, results: 1)
    }

    private static func once(
        _ graph: Graph, _ data: some Codable & Sendable, results: Int
    ) async throws -> Measurement {
        try check(graph.validate().isEmpty, "validation")
        let engine = Engine()
        var found = 0
        let measured = try await Measurement.of {
            let report = try await engine.run(graph, over: [data])
            found = try report.outcomes[0].output?.json().object?.members.count ?? 0
        }
        try check(found == results, "results")
        return measured
    }

    /// `count` items through 20 nodes, with what they leave kept in memory.
    static func items(_ request: Request) async throws -> Measurement { try await items(request, in: MemoryStore()) }

    /// The same on disk, where memory does not depend on how many there are.
    static func durableItems(_ request: Request) async throws -> Measurement {
        let folder = request.directory + "/assay-bench-graph-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try await items(request, in: SQLiteStore.open(folder + "/assay.db"))
    }

    /// Five rows of three nodes between a splitter, a join and two more.
    private static func items(_ request: Request, in store: some Store) async throws -> Measurement {
        let graph = try Graph("many")
        func add(_ name: String) throws { try graph.add(try Node(name) { (value: Int) in value &+ 1 }) }
        for name in ["first", "second", "third"] { try add(name) }
        try graph.connect("first", to: "second")
        try graph.connect("second", to: "third")
        let ports = (0..<5).map { "row\($0)" }
        try graph.add(
            try Node("join", inputs: ports) { (values: [String: Int]) in values.values.reduce(0, &+) })
        for (row, port) in ports.enumerated() {
            for step in 0..<3 { try add("r\(row)_\(step)") }
            try graph.connect("third", to: "r\(row)_0")
            for step in 1..<3 { try graph.connect("r\(row)_\(step - 1)", to: "r\(row)_\(step)") }
            try graph.connect("r\(row)_2", to: "join", port)
        }
        try add("last")
        try graph.connect("join", to: "last")
        let engine = Engine(store: store)
        var options = GraphOptions()
        options.runner = try ThreadRunner(maxWorkers: request.workers)
        options.run.returnsOutcomes = false
        var report: Report?
        var measured = try await Measurement.of {
            report = try await engine.run(graph, over: 0..<request.count, options: options)
        }
        try check(report?.counts.succeeded == request.count, "succeeded")
        measured.notes = String(format: "%.3f us CPU per node", measured.cpu * 1e6 / Double(request.count * 20))
        return measured
    }

    // MARK: Yardsticks

    /// Kahn's algorithm on GCD over the same layers.
    static func kahnLayered(_ request: Request) async throws -> Measurement {
        let width = max(3, request.count / 100)
        let next = (0..<(100 * width)).map { node in
            node / width == 99
                ? [] : (0..<3).map { (node / width + 1) * width + (node % width - $0 + width) % width }
        }
        return try await kahn(next, waits: (0..<(100 * width)).map { $0 < width ? 0 : 3 })
    }

    /// Kahn's algorithm on GCD over the same row.
    static func kahnChain(_ request: Request) async throws -> Measurement {
        try await kahn(
            (0..<request.count).map { $0 + 1 < request.count ? [$0 + 1] : [] },
            waits: (0..<request.count).map { min($0, 1) })
    }

    private static func kahn(_ next: [[Int]], waits: [Int]) async throws -> Measurement {
        let board = Board(next, waits)
        let measured = await Measurement.of {
            await withCheckedContinuation { continuation in board.run { continuation.resume() } }
        }
        try check(board.done == next.count, "kahn")
        return measured
    }

    private final class Board: Sendable {
        private let next: [[Int]]
        private let state: Mutex<(missing: [Int], done: Int)>
        private let queue = DispatchQueue(label: "kahn", attributes: .concurrent)
        private let sources: [Int]

        init(_ next: [[Int]], _ waits: [Int]) {
            self.next = next
            sources = waits.indices.filter { waits[$0] == 0 }
            state = Mutex((waits, 0))
        }

        var done: Int { state.withLock { $0.done } }

        func run(then finish: @escaping @Sendable () -> Void) {
            for node in sources { queue.async { self.work(on: node, finish) } }
        }

        private func work(on node: Int, _ finish: @escaping @Sendable () -> Void) {
            let (ready, isLast) = state.withLock { state in
                state.done += 1
                var ready: [Int] = []
                for target in next[node] {
                    state.missing[target] -= 1
                    if state.missing[target] == 0 { ready.append(target) }
                }
                return (ready, state.done == next.count)
            }
            for target in ready { queue.async { self.work(on: target, finish) } }
            if isLast { finish() }
        }
    }
}
