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

    @Test("goes on with the items that are left when its item takes another way this time", arguments: Place.allCases)
    func anotherWay(place: Place) async throws {
        let programs = Programs(place)
        let turned = Counter()
        // What `a` gave i1 is forgotten, so it is done again on the way back; this time it leads elsewhere.
        func graph() throws -> Graph {
            let graph = try Graph("detour")
            try graph.add(
                Node("a", outputs: ["here", "there"]) { (value: JSONValue) -> JSONValue in
                    [turned.count == 0 ? "here" : "there": value]
                })
            for name in ["b", "c"] { try graph.add(Node(name) { (value: JSONValue) in value }) }
            try graph.connect("a", "here", to: "b")
            try graph.connect("a", "there", to: "c")
            return graph
        }
        let items = (0..<3).map { Item("i\($0)", $0) }
        let settings = options([try breakpoint("b", "input_id == 'i1'")], .sequential)
        let left = try await programs.next { try await $0.run(graph(), over: items, options: settings) }
        #expect(left.status == .paused)
        turned.next()
        let report = try await programs.next { engine in
            try await engine.store.dropCheckpoints(
                of: CheckpointSubject(executionID: left.executionID, processorID: Sample.id("a"), inputID: "i1"))
            return try await engine.goOn(left.runID, with: graph(), options: settings)
        }
        #expect(report.status == .succeeded)
        #expect(
            try report.outcomes.map { try $0.output?.json() } == [["b:output": 0], ["c:output": 1], ["c:output": 2]])
    }

    @Test("does not do again what failed in it, and counts what was skipped over all of it", arguments: Place.allCases)
    func failures(place: Place) async throws {
        // The join has a default for what fails, and the third failure is one too many.
        func graph() throws -> Graph {
            let graph = try Graph("absorbing")
            try graph.add(
                Node("bad") { (value: Int, context: Context) -> Int in
                    calls.note("bad \(context.inputID ?? "")")
                    try await context.charge("desk", "bad", cost: Money(1))
                    throw ProcessingError(.extraction, "broken")
                })
            try graph.add(Node("good") { (value: Int) in value })
            var join = try Node("join", inputs: ["left", "right"]) { (value: JSONValue) in value }
            join.missingInputs = .allowMissing
            try graph.add(join)
            try graph.connect("bad", to: "join", "left")
            try graph.connect("good", to: "join", "right")
            return graph
        }
        let items = (0..<6).map { Item("i\($0)", ["bad": $0, "good": $0]) }
        var settings = options([], .sequential)
        settings.errorStrategy = try SkipStrategy(maxSkips: 2)
        func essence(_ report: Report, _ engine: Engine) async throws -> [String] {
            let bill = try await engine.bill(of: report.runID)
            return report.outcomes.map { outcome in
                let nodes = outcome.passage?.nodes.map { "\($0.id)=\($0.status.rawValue) \($0.cost)" } ?? []
                return "\(outcome.inputID) \(outcome.status.rawValue) \(outcome.cost) \(nodes)"
            } + ["\(report.status) \(report.error?.message ?? "-") \(bill.totalCost)"] + calls.inOrder
        }
        let (undisturbed, pausing) = (settings, settings.with(breakpoint: try breakpoint("join")))
        let expected = try await Programs(place).next { engine in
            try await essence(engine.run(graph(), over: items, options: undisturbed), engine)
        }
        calls.reset()
        let programs = Programs(place)
        var report = try await programs.next { try await $0.run(graph(), over: items, options: pausing) }
        var found: [String] = []
        for _ in 0..<20 where report.status == .paused {
            let run = report.runID
            report = try await programs.next { engine in
                let report = try await engine.goOn(run, with: graph(), options: pausing)
                found = try await essence(report, engine)
                return report
            }
        }
        #expect(found == expected)
    }

    @Test("is taken by one of those who would go on with it at the same time", arguments: Place.allCases)
    func twoAtOnce(place: Place) async throws {
        let programs = Programs(place)
        let left = try await programs.next { engine in
            try await engine.run(graph(), over: Self.items, options: options([breakpoint("b")], .sequential))
        }
        let codes = try await programs.next { engine in
            await withTaskGroup(of: ProcessingError.Code?.self) { group in
                for number in 0..<6 {
                    group.addTask {
                        await code {
                            if number == 0 { return try await engine.cancelPaused(left.runID) }
                            return try await engine.goOn(
                                left.runID, with: self.graph(), toEnd: true, options: self.options([], .sequential))
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
        }
        #expect(codes.filter { $0 == nil }.count == 1)
        #expect(codes.filter { $0 == .illegalMove }.count == 5)
        #expect(Set(calls.inOrder).count == calls.inOrder.count)
    }

    @Test("is on record as paused whenever it stands, also when it has just gone on", arguments: Place.allCases)
    func record(place: Place) async throws {
        let statuses = Log<Status?>()
        let programs = Programs(place)
        let report = try await programs.next { engine in
            let (pauses, told) = AsyncStream.makeStream(of: RunHandle.self)
            var settings = options([try breakpoint("b"), try breakpoint("c"), try breakpoint("d")], .sequential)
            settings.onPause = { run, start in
                // Every other pause is gone on from at once.
                if start.processorID.text == "c" { told.yield(run) } else { try? run.goOn() }
            }
            let watcher = Task {
                for await run in pauses {
                    statuses.add(try? await engine.store.run(run.runID)?.status)
                    try? run.goOn()
                }
            }
            let report = try await engine.run(graph(), over: Self.items, options: settings)
            told.finish()
            await watcher.value
            return report
        }
        #expect(report.status == .succeeded)
        #expect(statuses.all == Array(repeating: .paused, count: 5))
    }

    @Test("tells of its nodes what they did before and after it was left", arguments: Place.allCases)
    func profile(place: Place) async throws {
        let programs = Programs(place)
        func nodes(_ report: Report) -> [String] {
            report.profile.map { "\($0.processorID) \($0.items) \($0.reused) \($0.attempts) \($0.cost)" }.sorted()
        }
        let whole = try await Programs(place).next { engine in
            try await engine.run(graph(), over: Self.items, options: options([], .sequential))
        }
        var report = try await programs.next { engine in
            try await engine.run(graph(), over: Self.items, options: options([breakpoint("d")], .sequential))
        }
        #expect(!nodes(report).isEmpty)
        while report.status == .paused {
            let run = report.runID
            report = try await programs.next { engine in
                try await engine.goOn(run, with: graph(), options: options([], .sequential))
            }
        }
        #expect(nodes(report) == nodes(whole))
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

extension GraphOptions {
    fileprivate func with(breakpoint: Breakpoint) -> GraphOptions {
        var options = self
        options.breakpoints = [breakpoint]
        return options
    }
}
