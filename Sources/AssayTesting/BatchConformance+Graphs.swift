import Assay

extension BatchConformance {
    static let graphs = [
        BatchConformance("a graph gives in batches what it gives in one, on every runner and in every form") { stage in
            for runner in try Self.runners {
                for isParallel in [false, true] {
                    stage.calls.reset()
                    let stream = stage.engine.batches(
                        try stage.graph(), over: Stage.items(7), batching: Batching(size: 3, isParallel: isParallel),
                        options: Self.options(runner))
                    let batches = try await stream.list()
                    try expect(batches.map(\.outcomes.count), [3, 3, 1])
                    try expect(batches.map(\.status), [.succeeded, .succeeded, .succeeded])
                    let outcomes = batches.flatMap(\.outcomes)
                    try expect(outcomes.map(\.inputID), Stage.items(7).map(\.id))
                    try expect(
                        outcomes.map { try $0.get(as: [String: Int].self) }, (0..<7).map { ["b:output": $0 + 1] })
                    try expect(
                        outcomes.map { $0.passage?.nodes.map(\.status) }, (0..<7).map { _ in [.succeeded, .succeeded] })
                    try expect(stage.calls.inOrder.count, 14)
                    try expect(batches.map(\.bill.totalCost), [try Money(3), try Money(3), try Money(1)])
                    let report = try await stream.report()
                    try expect(report.status, .succeeded)
                    try expect(report.bill.totalCost, try Money(7))
                    try expect(report.summary(as: [[String: Int]].self)?.count, 7)
                    try expect(report.profile.map(\.items), [7, 7])
                    let events = try await stage.engine.store.events(of: report.runID, after: 0, limit: 1_000)
                    for kind in [Event.Kind.graphStart, .graphComplete, .runComplete] {
                        try expect(events.count { $0.kind == kind }, 1, kind.rawValue)
                    }
                    try expect(events.count { $0.kind == .batchComplete }, 3)
                }
            }
        },
        BatchConformance(
            "a failed batch of a graph runs again from the nodes that failed, and pays once for the others"
        ) {
            stage in
            for runner in try Self.runners {
                stage.calls.reset()
                let graph = try stage.graph(failing: { node, _, call in node == "b" && call == 1 })
                let stream = stage.engine.batches(
                    graph, over: Stage.items(3), batching: Batching(size: 3), options: Self.options(runner))
                let batch = try await stream.list()[0]
                try expect(batch.status, .succeeded)
                try expect(batch.metrics.retriesUsed, 1)
                try expect(stage.calls[["a/n0", "a/n1", "a/n2"]], [1, 1, 1])
                try expect(stage.calls[["b/n0", "b/n1", "b/n2"]], [2, 2, 2])
                try expect(batch.outcomes.map(\.cost), Array(repeating: try Money(1), count: 3))
                try expect(batch.outcomes.map(\.attempts), [2, 2, 2])
                try expect(batch.bill.totalCost, try Money(3))
                try expect(await stream.report().bill.totalCost, try Money(3))
            }
        },
        BatchConformance("what strategies of a graph have counted holds over all batches, and a halt ends the run") {
            stage in
            for isParallel in [false, true] {
                var options = Self.options(nil)
                options.errorStrategy = try SkipStrategy(maxSkips: 2)
                let graph = try stage.graph(failing: { node, _, _ in node == "b" })
                let policy = try BatchPolicy(maxRetries: 0, maxConcurrentBatches: 1)
                let batching = Batching(policy: policy, size: 1, isParallel: isParallel)
                let stream = stage.engine.batches(graph, over: Stage.items(6), batching: batching, options: options)
                let batches = try await stream.list()
                try expect(batches.prefix(3).map(\.status), [.failed, .failed, .failed])
                let report = try await stream.report()
                try expect(report.status, .failed)
                try expect(report.counts.failed, 3)
                try expect(report.counts.cancelled, 3)
                try expect(
                    report.error?.message,
                    "max_skips: 2 of graph 'pair' was used up by n0 at node 'b', n1 at node 'b'; n2 failed at node 'b': "
                        + "n2 refused")
            }
        },
        BatchConformance("a base price of a node is charged once for all batches") { stage in
            for isParallel in [false, true] {
                let graph = try stage.graph(price: Price(try Money(5)))
                let stream = stage.engine.batches(
                    graph, over: Stage.items(4), batching: Batching(size: 1, isParallel: isParallel))
                _ = try await stream.list()
                try expect(await stream.report().bill.baseCost, try Money(5))
                try expect(await stream.report().profile.map(\.cost).sorted(), [.zero, MoneySum(try Money(9))])
            }
        },
        BatchConformance("a resumed run of a graph in batches runs only the nodes that failed or were never reached") {
            stage in
            for runner in try Self.runners {
                stage.calls.reset()
                var options = Self.options(runner)
                options.run.batching = Batching(policy: try BatchPolicy(maxRetries: 0), size: 2)
                let failing = try stage.graph(failing: { node, id, call in node == "b" && id == "n3" && call == 1 })
                let first = try await stage.engine.run(failing, over: Stage.items(5), options: options)
                try expect(first.batches?.batchMetrics.map(\.status), [.succeeded, .partial, .succeeded])
                try expect(first.counts.failed, 1)
                let second = try await stage.engine.resume(first.runID, with: stage.graph(), options: options)
                try expect(second.status, .succeeded)
                try expect(second.outcomes.map(\.carried), [true, true, true, false, true])
                try expect(stage.calls[["a/n3", "b/n3", "b/n2"]], [1, 2, 1])
                try expect(second.bill.totalCost, .zero)
                let stream = stage.engine.batches(
                    resuming: first.runID, with: try stage.graph(), batching: Batching(size: 2), options: options)
                try expect(await stream.list().map(\.status), [.succeeded, .succeeded, .succeeded])
            }
        },
        BatchConformance("a budget holds for all batches of a graph") { stage in
            var options = Self.options(nil)
            options.run.budgets = [try Budget(Money(3), name: "all", scope: .execution)]
            let stream = stage.engine.batches(
                try stage.graph(), over: Stage.items(8), batching: Batching(size: 2), options: options)
            let batches = try await stream.list()
            try expect(batches[0].status, .succeeded)
            let report = try await stream.report()
            try expect(report.bill.totalCost, try Money(3))
            try expect(report.error?.code, .budgetExhausted)
            // The output of node 'a' is saved; node 'b' may not have begun before the stop.
            try expect(stage.calls.inOrder.filter { $0.hasPrefix("a/") }.count, 4)
        },
        BatchConformance("a graph in batches can be left, and its execution goes on with the whole list") { stage in
            var options = Self.options(nil)
            options.run.executionID = Identifier("exec")
            let first = stage.engine.batches(
                try stage.graph(), over: Stage.items(6), batching: Batching(size: 2), options: options)
            for try await _ in first { break }
            try expect(await first.report().status, .cancelled)
            let second = stage.engine.batches(
                try stage.graph(), over: Stage.items(6), batching: Batching(size: 2), options: options)
            try expect(await second.all().map(\.status), [.succeeded, .succeeded, .succeeded])
            try expect(stage.calls.inOrder.count, 12)
        },
        BatchConformance("breakpoints are refused where a graph runs in batches") { stage in
            var options = Self.options(nil)
            options.breakpoints = [try Breakpoint(Sample.id("a"))]
            let graph = try stage.graph()
            try await expect(.configuration) {
                _ = try await stage.engine.batches(graph, over: Stage.items(2), options: options).list()
            }
            try expect(stage.calls.inOrder, [])
        },
        BatchConformance("the most complex node of a graph decides the size") { stage in
            let graph = try stage.graph(complexity: { $0 == "b" ? .veryComplex : .simple })
            try expect(
                await stage.engine.batches(graph, over: Stage.items(12)).list().map(\.outcomes.count), [5, 5, 2])
        },
    ]

    private static var runners: [(any Runner)?] {
        get throws { [nil, SequentialRunner.sequential, try ThreadRunner(maxWorkers: 4)] }
    }

    private static func options(_ runner: (any Runner)?) -> GraphOptions {
        var options = GraphOptions()
        options.runner = runner
        options.errorStrategy = SkipStrategy.skip
        return options
    }
}

extension BatchConformance.Stage {
    /// Returns a graph `a -> b` of numbers: `a` charges 1.00 and passes its input on, `b` adds one. Each records its
    /// calls as `node/item`.
    func graph(
        price: Price? = nil, complexity: (_ node: String) -> Complexity? = { _ in nil },
        failing: @escaping @Sendable (_ node: String, _ inputID: String, _ call: Int) -> Bool = { _, _, _ in false }
    ) throws -> Graph {
        let calls = calls
        func node(_ name: String, _ work: @escaping @Sendable (Int, Context) async throws -> Int) throws -> Node {
            var processor = try RegisteredProcessor(
                ClosureProcessor<Int, Int>(name) { number, context in
                    let call = calls.note("\(name)/\(context.inputID ?? "")")
                    guard !failing(name, context.inputID ?? "", call) else {
                        throw ProcessingError(.processing, "\(context.inputID ?? "") refused")
                    }
                    return try await work(number, context)
                })
            processor.complexity = complexity(name)
            return try Node(name, processor)
        }
        var first = try node("a") { number, context in
            try await context.charge("ocr", "page")
            return number
        }
        first.price = price
        return try Graph.linear("pair", [first, try node("b") { number, _ in number + 1 }])
    }
}
