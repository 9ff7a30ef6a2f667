import Assay

extension BatchConformance {
    static let costs = [
        BatchConformance("the base is paid once, and every attempt pays its way") { stage in
            let calls = stage.calls
            let processor = try RegisteredProcessor(
                ClosureProcessor<Int, Int>("odd") { number, context in
                    try await context.charge("ocr", "page")
                    guard calls.note(context.inputID ?? "") > 1 else { throw ProcessingError(.processing, "not yet") }
                    return number
                })
            for listed in [true, false] {
                calls.reset()
                let stream = stage.engine.batches(processor, over: Stage.items(4), batching: Batching(size: 2))
                let batches = listed ? try await stream.list() : try await stream.all()
                try expect(batches.map(\.metrics.retriesUsed), [1, 1])
                try expect(batches.flatMap(\.outcomes).map(\.cost), Array(repeating: try Money(2), count: 4))
                try expect(batches.map(\.bill.totalCost), Array(repeating: try Money(4), count: 2))
                let bill = try await stream.report().bill
                try expect(bill.baseCost, Money(billionths: 100_000_000))
                try expect(bill.usageCost, try Money(8))
            }
        },
        BatchConformance("a base per input is paid with the batch that has it, each input once") { stage in
            var options = RunOptions()
            options.price = Price(try Money(1), policy: "per_input")
            let items = [Item("a", 1), Item("b", 2), Item("c", 1), Item("d", 3)]
            for listed in [true, false] {
                let stream = stage.engine.batches(
                    try stage.odd(), over: items, batching: Batching(size: 2), options: options)
                _ = listed ? try await stream.list() : try await stream.all()
                try expect(await stream.report().bill.baseCost, try Money(3))
            }
        },
        BatchConformance("a budget holds for the whole call") { stage in
            var options = RunOptions()
            options.budgets = [try Budget(Money(billionths: 3_100_000_000), name: "all", scope: .execution)]
            let processor = try RegisteredProcessor(
                ClosureProcessor<Int, Int>("odd") { number, context in
                    try await context.charge("ocr", "page")
                    return number
                })
            let stream = stage.engine.batches(
                processor, over: Stage.items(8), batching: Batching(size: 2), options: options)
            let batches = try await stream.list()
            try expect(batches.map(\.status), [.succeeded, .partial])
            let report = try await stream.report()
            try expect(report.bill.totalCost, Money(billionths: 3_100_000_000))
            try expect(report.error?.code, .budgetExhausted)
            try expect(report.status, .partial)
        },
    ]
}
