@testable import Assay
import AssayTesting
import Synchronization
import Testing

/// How many are inside, and how many were at most.
final class Gauge: Sendable {
    private let state = Mutex((now: 0, most: 0))

    func enter() {
        state.withLock { state in
            state.now += 1
            state.most = max(state.most, state.now)
        }
    }

    func leave() { state.withLock { $0.now -= 1 } }

    var most: Int { state.withLock { $0.most } }
}

/// Numbers that look like chance and are the same for the same seed.
struct Dice: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

@Suite("The law of graphs") struct GraphLawTests {
    /// A graph of up to 12 nodes drawn with `seed`; some of its nodes fail for some of the items, some split.
    private static func drawn(_ seed: UInt64, capacity: Int, concurrency: Int) throws -> Graph {
        var dice = Dice(state: seed)
        let graph = try Graph("law")
        let count = Int.random(in: 1...12, using: &dice)
        for place in 0..<count {
            let fanIn = place == 0 ? 0 : Int.random(in: 0...min(3, place), using: &dice)
            let ports = fanIn == 0 ? ["input"] : (0..<fanIn).map { "in\($0)" }
            let splits = Bool.random(using: &dice)
            let fails = Int.random(in: 0..<4, using: &dice) == 0
            let node = try Node("n\(place)", inputs: ports, outputs: splits ? ["left", "right"] : ["output"]) {
                (value: JSONValue) -> JSONValue in
                let sum = value.json.utf8.reduce(place + 1) { ($0 &* 31 &+ Int($1)) & 0xFFFF }
                if fails, sum % 3 == 0 { throw Refusal(description: "\(sum)") }
                if splits, sum % 5 < 3 { return .object([sum % 2 == 0 ? "left" : "right": .number(Number(sum))]) }
                return .number(Number(sum))
            }
            let missing = Bool.random(using: &dice)
            try graph.add(
                node.with {
                    $0.concurrency = concurrency
                    $0.missingInputs = missing ? .allowMissing : .requireAll
                })
            for port in ports where fanIn > 0 {
                let from = graph.nodes[Int.random(in: 0..<place, using: &dice)]
                let output = from.outputs[Int.random(in: 0..<from.outputs.count, using: &dice)]
                try graph.connect(from.id.text, output.text, to: "n\(place)", port, capacity: capacity)
            }
        }
        // Nodes without any pipe are made part of the graph, or there is only one.
        let sink = try Node.passing("sink").with {
            $0.appending = Set($0.inputs)
            $0.missingInputs = .allowMissing
        }
        try graph.add(sink)
        for node in graph.nodes.dropLast() {
            try graph.connect(node.id.text, node.outputs[0].text, to: "sink", capacity: capacity)
        }
        return graph
    }

    /// Everything that must not depend on how the graph is run.
    private static func essence(_ report: Report) throws -> [JSONValue] {
        try report.outcomes.map { outcome in
            [
                .string(outcome.status.rawValue), try outcome.output?.json() ?? .null,
                .string(outcome.error?.message ?? ""), .string(outcome.nodes.sorted { $0.key < $1.key }.description),
                .array((outcome.passage?.absorbed ?? []).map { .string($0.message) }),
            ]
        }
    }

    private static func items(_ graph: Graph) -> [Item] {
        let sources = graph.wiring.sources.map { graph.nodes[$0].id.text }
        return (0..<20).map { number in
            let data = JSONValue.object(JSONObject(sources.map { ($0, .number(Number(number))) }))
            return Item("i\(number)", data)
        }
    }

    @Test("results do not depend on runner, concurrency and capacities", arguments: 0..<60)
    func law(seed: Int) async throws {
        var expected: [JSONValue]?
        for (runner, concurrency, capacity, inFlight) in [
            (.sequential, 1, 1, 1), (nil, 1, 1, 1_000), (nil, 10, 1, 3), (Runners.threads[1], 3, 2, 7),
            (Runners.threads[0], 10, 1_000, 1_000),
        ] as [((any Runner)?, Int, Int, Int)] {
            let graph = try Self.drawn(UInt64(seed), capacity: capacity, concurrency: concurrency)
            try #require(graph.validate().isEmpty)
            let options = GraphOptions.with {
                $0.runner = runner
                $0.maxInFlight = inFlight
                $0.errorStrategy = .skip
            }
            let report = try await Engine.testing().run(graph, over: Self.items(graph), options: options)
            let found = try Self.essence(report)
            if let expected { #expect(found == expected, "seed \(seed)") } else { expected = found }
        }
    }

    @Test("resuming after failures ends as if there had been none", arguments: 0..<20)
    func resuming(seed: Int) async throws {
        let engine = Engine.testing()
        let repaired = Counter()
        let graph = try Graph.wired(["a"])
        try graph.add(
            try Node("b") { (value: JSONValue) in
                if repaired.count == 0, value.json.utf8.reduce(seed, { $0 &* 7 &+ Int($1) }) % 3 == 0 {
                    throw Refusal()
                }
                return value
            })
        try graph.add(.passing("c"))
        for wire in ["a -> b", "b -> c"] { try graph.wire(wire) }
        let inputs = (0..<30).map { $0 }
        let first = try await engine.run(graph, over: inputs, options: .failing)
        repaired.next()
        let second = try await engine.resume(first.runID, with: graph)
        #expect(second.status == .succeeded)
        #expect(try second.outcomes.map { try $0.json } == inputs.map { ["c:output": .number(Number($0))] })
        #expect(second.outcomes.filter { !$0.carried }.allSatisfy { $0.passage?["a"]?.attempts == 0 })
    }

    @Test("a long row with the smallest pipes comes to its end")
    func narrow() async throws {
        let graph = try Graph("row")
        for place in 0..<60 {
            try graph.add(try Node.passing("n\(place)").with { $0.concurrency = 1 })
            if place > 0 { try graph.wire("n\(place - 1) -> n\(place)", capacity: 1) }
        }
        let report = try await Engine.testing().run(graph, over: 0..<200)
        #expect(report.status == .succeeded)
        #expect(report.counts.succeeded == 200)
    }
}
