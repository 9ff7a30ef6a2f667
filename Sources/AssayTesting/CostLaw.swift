public import Assay

/// A processor whose inputs say what it pays for: charges, paid calls that pay for others in their bodies, and steps.
///
/// An input is a map with `calls`, which says of each keyed call what it costs and which calls its body makes, and
/// `parts`, of which the processor follows one: a list of operations.
public struct RecipeProcessor: Processor {
    public let name: String
    private let part: Int

    /// One that follows the part of that number.
    public init(part: Int) {
        (name, self.part) = ("recipe_\(part)", part)
    }

    public func extract(_ input: JSONValue, in context: Context) async throws -> JSONValue {
        let operations = input["parts"]?.array?[part].array ?? []
        for operation in operations { try await follow(operation, input["calls"] ?? [:], context) }
        return input
    }

    private func follow(_ operation: JSONValue, _ calls: JSONValue, _ context: Context) async throws {
        let words = operation.array ?? []
        switch words.first?.string {
        case "charge": try await context.charge("ocr", "page", cost: Self.money(words[1]), key: words[2].string)
        case "call": try await call(words[1].string ?? "", calls, context)
        case "call without key":
            _ = try await context.call("clear", "look") { call in
                call.settle(try Self.money(words[1]))
                return true
            }
        case "step":
            _ = try await context.step(words[1].string ?? "") {
                for inner in words[2].array ?? [] { try await follow(inner, calls, context) }
                return true
            }
        // In the first run of an execution that is to fail.
        case "fail" where context.lineage.retryCount == 0 && context.lineage.metadata["fails"] == true:
            throw ProcessingError(.processing, "not in this run", retryable: false)
        default: break
        }
    }

    private func call(_ key: String, _ calls: JSONValue, _ context: Context) async throws {
        let meaning = calls[key]?.array ?? []
        _ = try await context.call("clear", "search", maximumCost: Money(9), key: .string(key)) { call in
            for inner in meaning[1].array ?? [] { try await self.call(inner.string ?? "", calls, context) }
            call.settle(try Self.money(meaning[0]))
            return true
        }
    }

    private static func money(_ cents: JSONValue) throws -> Money {
        try Money(cents.number ?? 0).times(Number("0.01") ?? 0)
    }
}

/// The law that what an execution is charged and what its cache hits avoided are together what it costs without a cache:
/// for pipelines drawn by chance, with saved steps, failures, resumes, batches, graphs, and caches of calls and items.
public struct CostLaw: Sendable, CustomStringConvertible {
    private let seed: Int

    /// The law for what is drawn with `seed`.
    public init(seed: Int) { self.seed = seed }

    public var description: String { "seed \(seed)" }

    /// What workers must have.
    public static func processors() throws -> [RegisteredProcessor] {
        try (0..<3).map { try RegisteredProcessor(RecipeProcessor(part: $0)) }
    }

    /// Checks the law over two empty stores.
    ///
    /// - Returns: what hits avoided, so that a check of many can see that there were some.
    /// - Throws: ``Finding`` when it does not hold.
    @discardableResult
    public func check(_ stores: (any Store, any Store), under runner: any Runner) async throws -> MoneySum {
        var chance = SeededNumbers(seed: UInt64(truncatingIfNeeded: seed))
        let drawn = try Drawn(using: &chance)
        let cached = try await drawn.history(in: stores.0, under: runner, caching: true)
        let uncached = try await drawn.history(in: stores.1, under: runner, caching: false)
        for (place, (with, without)) in zip(cached, uncached).enumerated() {
            try expect(
                MoneySum(with.totalCost) + with.avoidedCost, MoneySum(without.totalCost), "execution \(place), \(self)")
            try expect(without.avoidedCost, .zero)
        }
        return cached.reduce(.zero) { $0 + $1.avoidedCost }
    }

    /// A pipeline and the executions that it is run in.
    private struct Drawn {
        let parts: Int
        let isGraph: Bool
        let cachesItems: Bool
        let batch: Int?
        let executions: [[Item]]

        init(using chance: inout SeededNumbers) throws {
            isGraph = Bool.random(using: &chance)
            parts = isGraph ? Int.random(in: 1...3, using: &chance) : 1
            cachesItems = Int.random(in: 0..<4, using: &chance) > 0
            batch = !isGraph && Bool.random(using: &chance) ? Int.random(in: 1...4, using: &chance) : nil
            var recipes = Recipes(parts: parts)
            let inputs = (0..<Int.random(in: 2...5, using: &chance)).map { _ in recipes.input(using: &chance) }
            executions = (0..<3).map { _ in
                (0..<Int.random(in: 1...6, using: &chance)).map {
                    Item("n\($0)", inputs.randomElement(using: &chance)!)
                }
            }
        }

        /// The bills of the executions: the first fails where its inputs say so, the second is done in between, then the
        /// first is resumed to its end.
        func history(in store: any Store, under runner: any Runner, caching: Bool) async throws -> [Bill] {
            let engine = Engine(store: store, prices: PriceList(), world: .testing(time: ManualTime(runsFree: true)))
            var options = RunOptions()
            options.runner = runner
            options.caching = caching ? .asConfigured : .off
            options.itemCache = cachesItems ? CachePolicy() : nil
            options.price = Price(try Money(1), policy: "per_execution")
            options.batching = batch.map { Batching(size: $0) }
            options.returnsOutcomes = false
            options.metadata = ["fails": true]
            let first = try await run(executions[0], engine, options)
            options.metadata = [:]
            var reports = [try await run(executions[1], engine, options)]
            var last = first
            for _ in 0..<4 where last.status != .succeeded { last = try await resume(last, engine, options) }
            try expect(last.status, .succeeded)
            reports.insert(last, at: 0)
            reports.append(try await run(executions[2], engine, options))
            var bills: [Bill] = []
            for report in reports {
                try expect(report.status, .succeeded)
                bills.append(try await engine.bill(ofExecution: report.executionID))
            }
            return bills
        }

        private func run(_ items: [Item], _ engine: Engine, _ options: RunOptions) async throws -> Report {
            guard isGraph else { return try await engine.run(processor(), over: items, options: options) }
            return try await engine.run(graph(), over: items, options: graphOptions(options))
        }

        private func resume(_ report: Report, _ engine: Engine, _ options: RunOptions) async throws -> Report {
            guard isGraph else { return try await engine.resume(report.runID, with: processor(), options: options) }
            return try await engine.resume(report.runID, with: graph(), options: graphOptions(options))
        }

        private func processor() throws -> RegisteredProcessor { try RegisteredProcessor(RecipeProcessor(part: 0)) }

        private func graph() throws -> Graph {
            let graph = try Graph("recipes")
            for part in 0..<parts {
                let node = try Node("recipe_\(part)", RecipeProcessor(part: part))
                try graph.add(node.with { $0.cache = cachesItems ? CachePolicy() : nil })
                if part > 0 { try graph.connect("recipe_\(part - 1)", "output", to: "recipe_\(part)", "input") }
            }
            return graph
        }

        private func graphOptions(_ options: RunOptions) -> GraphOptions {
            var graphOptions = GraphOptions(options)
            graphOptions.run.batching = nil
            graphOptions.runner = options.runner
            return graphOptions
        }
    }

    /// Draws inputs of recipes. What fails fails before anything without a key is paid outside of steps, since a repeated
    /// attempt pays for that again whether or not there is a cache.
    private struct Recipes {
        let parts: Int
        private var names = 0

        init(parts: Int) { self.parts = parts }

        /// Every call of these inputs: what it costs, and the calls with later names that its body makes.
        static let calls: JSONValue = [
            "a": [30, ["b", "c"]], "b": [20, ["d"]], "c": [50, []], "d": [7, ["e", "e"]], "e": [110, []],
        ]

        mutating func input(using chance: inout SeededNumbers) -> JSONValue {
            let parts = (0..<parts).map { _ in part(using: &chance) }
            return ["calls": Self.calls, "parts": .array(parts)]
        }

        private mutating func part(using chance: inout SeededNumbers) -> JSONValue {
            var operations: [JSONValue] = []
            for _ in 0..<Int.random(in: 0...3, using: &chance) {
                switch Int.random(in: 0..<4, using: &chance) {
                case 0: operations.append(["fail"])
                case 1: operations.append(keyedCharge(using: &chance))
                default: operations.append(step(depth: 0, using: &chance))
                }
            }
            for _ in 0..<Int.random(in: 0...3, using: &chance) { operations.append(payment(using: &chance)) }
            return .array(operations)
        }

        private mutating func step(depth: Int, using chance: inout SeededNumbers) -> JSONValue {
            names += 1
            let name = "s\(names)"
            let inner = (0..<Int.random(in: 0...3, using: &chance)).map { _ in
                depth < 2 && Int.random(in: 0..<4, using: &chance) == 0
                    ? step(depth: depth + 1, using: &chance) : payment(using: &chance)
            }
            return ["step", .string(name), .array(inner)]
        }

        private mutating func payment(using chance: inout SeededNumbers) -> JSONValue {
            switch Int.random(in: 0..<4, using: &chance) {
            case 0: return ["charge", cents(using: &chance), .null]
            case 1: return keyedCharge(using: &chance)
            case 2: return ["call without key", cents(using: &chance)]
            default: return ["call", .string(["a", "b", "c", "d", "e"].randomElement(using: &chance)!)]
            }
        }

        private mutating func keyedCharge(using chance: inout SeededNumbers) -> JSONValue {
            names += 1
            return ["charge", cents(using: &chance), .string("k\(names)")]
        }

        private func cents(using chance: inout SeededNumbers) -> JSONValue {
            .number(Number(Int.random(in: 0...500, using: &chance)))
        }
    }
}
