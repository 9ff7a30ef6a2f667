import Assay
import AssaySQLite
import AssayTesting
import Synchronization
import Testing

@Suite("A run that is left in a pause") struct PausedRunTests {
    /// Where its store is: in this program, or in a file that is opened anew by each program that goes on.
    enum Place: CaseIterable, CustomTestStringConvertible {
        case memory, file

        var testDescription: String { self == .memory ? "in memory" : "in SQLite" }
    }

    /// The programs that have a store one after another.
    private final class Programs: Sendable {
        private let folder = TemporaryFolder()
        private let memory = MemoryStore()
        private let place: Place
        private let time = ManualTime(runsFree: true)
        private let number = Counter()

        init(_ place: Place) { self.place = place }

        /// Has the next program do something with its engine.
        @discardableResult func next<Value>(_ body: (Engine) async throws -> Value) async throws -> Value {
            number.next()
            let names = Counter()
            let prefix = "p\(number.count)"
            let world = World(
                time: time,
                makeIdentifier: {
                    names.next()
                    return Sample.id("\(prefix)-\(names.count)")
                }, chance: { 0.5 })
            guard place == .file else {
                return try await body(Engine(store: memory, prices: Self.prices, world: world))
            }
            let store = try SQLiteStore.open(folder.database)
            defer { store.close() }
            return try await body(Engine(store: store, prices: Self.prices, world: world))
        }

        static var prices: PriceList {
            var prices = PriceList()
            prices.add(Price(Money(billionths: 100_000_000)), for: .processor("b"))
            return prices
        }
    }

    private let calls = Calls()

    /// A diamond; `b` pays for each item and `c` is slow to say so.
    private func graph() throws -> Graph {
        func node(_ name: String, _ pays: Bool = false) throws -> Node {
            try Node(name, inputs: name == "d" ? ["left", "right"] : ["input"]) {
                (value: JSONValue, context: Context) in
                calls.note("\(name) \(context.inputID ?? "")")
                if pays { try await context.charge("desk", name, cost: Money(1)) }
                return value
            }
        }
        let graph = try Graph("diamond")
        for node in try [node("a"), node("b", true), node("c", true), node("d")] { try graph.add(node) }
        try graph.connect("a", to: "b")
        try graph.connect("a", to: "c")
        try graph.connect("b", to: "d", "left")
        try graph.connect("c", to: "d", "right")
        return graph
    }

    private static let items = [50, 150, 99, 200, 300].enumerated().map { Item("i\($0)", ["amount": $1]) }

    private func options(_ breakpoints: [Breakpoint], _ runner: any Runner) -> GraphOptions {
        var options = GraphOptions()
        options.breakpoints = breakpoints
        options.runner = runner
        options.onPause = { run, _ in try? run.leave() }
        return options
    }

    private func breakpoint(_ node: String, _ condition: String? = nil) throws -> Breakpoint {
        try Breakpoint(Sample.id(node), condition: condition.map { try Condition($0, for: .breakpoint) })
    }

    /// What must not depend on pauses: outcomes, calls and charges.
    private func essence(_ report: Report, _ engine: Engine) async throws -> [String] {
        let charges = try await engine.store.charges(matching: ChargeFilter(runID: report.runID))
        return try report.outcomes.map { outcome in
            let nodes = outcome.passage?.nodes.map { "\($0.id)=\($0.status.rawValue) \($0.cost)" } ?? []
            return "\(outcome.inputID) \(outcome.status.rawValue) \(try outcome.output?.json().json ?? "-") "
                + "\(outcome.cost) \(nodes)"
        }
            + calls.inOrder.sorted()
            + charges.map { "\($0.kind) \($0.processorID) \($0.inputID ?? "-") \($0.cost)" }.sorted()
    }

    private func undisturbed(_ place: Place) async throws -> [String] {
        try await Programs(place).next { engine in
            let report = try await engine.run(graph(), over: Self.items, options: options([], .sequential))
            defer { calls.reset() }
            return try await essence(report, engine)
        }
    }

    @Test(
        "goes on by other programs, pause by pause, to what it would have come to in one go",
        arguments: Place.allCases, [[Pause.Move.goOn], [.step], [.goOn, .step, .step]])
    func law(place: Place, moves: [Pause.Move]) async throws {
        let expected = try await undisturbed(place)
        for runner: any Runner in [.sequential, try ThreadRunner(maxWorkers: 4)] {
            calls.reset()
            let programs = Programs(place)
            let breakpoints = [try breakpoint("b", "value.amount > 100"), try breakpoint("d", "input_id == 'i0'")]
            var report = try await programs.next { engine in
                try await engine.run(graph(), over: Self.items, options: options(breakpoints, runner))
            }
            let run = report.runID
            var pauses: [NodeStart] = []
            var hits: [Int] = []
            var essence: [String] = []
            while report.status == .paused, pauses.count < 50 {
                let pause = try #require(report.run.pause)
                pauses.append(pause.start)
                hits = pause.breakpoints.map(\.totalHits)
                let move = moves[(pauses.count - 1) % moves.count]
                report = try await programs.next { engine in
                    // What a new program finds is what the last one left.
                    let found = try await engine.report(of: run).run.pause
                    #expect(found == pause)
                    let report = try await engine.goOn(run, with: graph(), by: move, options: options([], runner))
                    essence = try await self.essence(report, engine)
                    return report
                }
                #expect(report.runID == run)
            }
            #expect(essence == expected)
            if moves == [.goOn] {
                #expect(Set(pauses.map { "\($0.processorID) \($0.inputID)" }) == ["b i1", "b i3", "b i4", "d i0"])
                #expect(hits.reduce(0, +) == 4)
            } else {
                #expect(pauses.count > 4)
            }
            let sequences = try await programs.next { engine in
                try await engine.store.events(of: run, after: 0, limit: 10_000).compactMap(\.sequence)
            }
            #expect(sequences == Array(1...sequences.count))
        }
    }

    @Test("keeps its pause until it has come back to it, and can be told to go to its end", arguments: Place.allCases)
    func toEnd(place: Place) async throws {
        let programs = Programs(place)
        let left = try await programs.next { engine in
            try await engine.run(graph(), over: Self.items, options: options([breakpoint("b")], .sequential))
        }
        #expect(left.status == .paused && left.run.pause?.start.value == ["amount": 50])
        let report = try await programs.next { engine in
            #expect(await code { try await engine.resume(left.runID, with: graph()) } == .alreadyRunning)
            return try await engine.goOn(left.runID, with: graph(), toEnd: true, options: options([], .sequential))
        }
        #expect(report.status == .succeeded)
        #expect(report.run.pause == nil)
        try await programs.next { engine in
            #expect(await code { try await engine.goOn(left.runID, with: graph()) } == .illegalMove)
        }
    }

    @Test("does nothing again that it has done itself, even when it is to do all again", arguments: Place.allCases)
    func reprocess(place: Place) async throws {
        let programs = Programs(place)
        let first = try await programs.next { engine in
            try await engine.run(graph(), over: Self.items, options: options([], .sequential))
        }
        calls.reset()
        var again = options([try breakpoint("c", "input_id == 'i3'")], .sequential)
        again.run.recovery = .reprocess
        let settings = again
        let left = try await programs.next { try await $0.resume(first.runID, with: graph(), options: settings) }
        #expect(left.status == .paused)
        let report = try await programs.next { try await $0.goOn(left.runID, with: graph(), options: settings) }
        #expect(report.status == .succeeded)
        #expect(calls.inOrder.count == 20)
        #expect(Set(calls.inOrder).count == 20)
    }

    @Test("is refused with another graph, and stays paused", arguments: Place.allCases)
    func changed(place: Place) async throws {
        let programs = Programs(place)
        let left = try await programs.next { engine in
            try await engine.run(graph(), over: Self.items, options: options([breakpoint("d")], .sequential))
        }
        let other = try graph()
        try other.remove("d")
        try await programs.next { engine in
            #expect(await code { try await engine.goOn(left.runID, with: other) } == .definitionChanged)
            #expect(await code { try await engine.goOn(Sample.id("nobody"), with: graph()) } == .notFound)
            let status = try await engine.report(of: left.runID).status
            #expect(status == .paused)
        }
    }

    @Test("can be cancelled by another program, and resumed from there", arguments: Place.allCases)
    func cancelled(place: Place) async throws {
        let programs = Programs(place)
        let left = try await programs.next { engine in
            try await engine.run(
                graph(), over: Self.items, options: options([breakpoint("d", "input_id == 'i2'")], .sequential))
        }
        let cancelled = try await programs.next { try await $0.cancelPaused(left.runID) }
        #expect(cancelled.status == .cancelled && cancelled.error?.code == .cancelled)
        #expect(cancelled.counts.total == 5 && cancelled.counts.succeeded + cancelled.counts.cancelled == 5)
        #expect(cancelled.outcomes.count == 5)
        let report = try await programs.next { engine in
            #expect(await code { try await engine.cancelPaused(left.runID) } == .illegalMove)
            return try await engine.resume(left.runID, with: graph(), options: options([], .sequential))
        }
        #expect(report.status == .succeeded)
        #expect(calls.inOrder.count == 20)
    }

    @Test("goes on with the items that are left when its item takes another way this time")
    func anotherWay() async throws {
        let programs = Programs(.file)
        let repaired = Counter()
        // `a` fails for i1 the first time, which the join absorbs; when it is done again, nothing is routed to the join.
        func graph() throws -> Graph {
            let graph = try Graph("detour")
            try graph.add(
                Node("a", outputs: ["here", "there"]) { (value: JSONValue) -> JSONValue in
                    if value == 1, repaired.count == 0 { throw ProcessingError(.extraction, "broken") }
                    return ["there": value]
                })
            try graph.add(Node("other") { (value: JSONValue) in value })
            var join = try Node("join", inputs: ["left", "right"]) { (value: JSONValue) in value }
            join.missingInputs = .allowMissing
            try graph.add(join)
            try graph.connect("a", "here", to: "join", "left")
            try graph.connect("other", to: "join", "right")
            return graph
        }
        let items = (0..<3).map { Item("i\($0)", ["a": $0, "other": $0]) }
        var pausing = options([try breakpoint("join", "input_id == 'i1'")], .sequential)
        pausing.errorStrategy = .skip
        let options = pausing
        let left = try await programs.next { try await $0.run(graph(), over: items, options: options) }
        #expect(left.status == .paused)
        repaired.next()
        let report = try await programs.next { try await $0.goOn(left.runID, with: graph(), options: options) }
        #expect(report.status == .succeeded)
        #expect(report.outcomes.count == 3)
    }

    @Test("counts neither the time it stood still nor the time it was left to its time limit")
    func time() async throws {
        let time = ManualTime()
        let store = MemoryStore()
        let engine = Engine(store: store, world: .testing(time: time))
        var leaving = options([try breakpoint("b", "input_id == 'i0'")], .sequential)
        leaving.run.timeout = .seconds(60)
        leaving.onPause = { run, _ in
            time.advance(by: .seconds(3_600))
            try? run.leave()
        }
        let left = try await engine.run(graph(), over: Self.items, options: leaving)
        #expect(left.status == .paused)
        #expect(left.run.duration == .zero)
        time.advance(by: .seconds(3_600))
        let report = try await engine.goOn(left.runID, with: graph(), options: leaving)
        #expect(report.status == .succeeded)
        #expect(report.run.duration == .zero)
    }
}
