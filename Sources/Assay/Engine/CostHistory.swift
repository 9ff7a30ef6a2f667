/// What inputs of a processor, or the nodes of a graph on them, came to in an earlier run, at the prices of now.
///
/// Only inputs count that were worked on in full and succeeded. What the cache answered counts with its worth.
struct CostHistory {
    /// What one node came to.
    private struct Figures {
        var costs: [Int: Money] = [:]
        var most = Money.zero
        var sum = MoneySum.zero
    }

    /// The run.
    let run: Run.ID
    /// How many inputs it is of.
    let inputs: Int
    private var figures: [Identifier: Figures] = [:]

    /// The newest run of `name` that says anything, or the run `sample` alone; `nil` when none does.
    ///
    /// - Parameter forecast: finds the prices, and records them.
    init?(of name: Identifier, sample: Run.ID?, _ forecast: inout CostForecast) async throws {
        let store = forecast.engine.store
        let runs =
            if let sample { [sample] } else {
                try await store.runs(matching: RunFilter(processorID: name, limit: 10)).map(\.id)
            }
        for run in runs {
            let whole = try await Self.inputsInFull(of: run, store)
            guard !whole.isEmpty else { continue }
            (self.run, inputs) = (run, whole.count)
            try await add(whole, &forecast)
            return
        }
        return nil
    }

    /// The places of the inputs that say what the work on one costs.
    private static func inputsInFull(of run: Run.ID, _ store: any Store) async throws -> Set<Int> {
        var places: Set<Int> = []
        var start = 0
        while case let page = try await store.outcomes(of: run, from: start, limit: 1_024), !page.isEmpty {
            for outcome in page
            where outcome.status == .succeeded && !outcome.carried && !outcome.cached
                && !outcome.steps.contains(where: \.restored)
            {
                places.insert(outcome.index)
            }
            start += 1_024
        }
        return places
    }

    private mutating func add(_ places: Set<Int>, _ forecast: inout CostForecast) async throws {
        let store = forecast.engine.store
        let end = try await store.ledgerPosition()
        var filter = ChargeFilter(runID: run)
        // A long ledger is read in pieces.
        for start in stride(from: 0, to: end, by: 10_000) {
            (filter.after, filter.upTo) = (start, min(end, start + 10_000))
            for charge in try await store.charges(matching: filter) where charge.kind != .base {
                guard let place = charge.itemIndex, places.contains(place) else { continue }
                let cost = try await forecast.costNow(of: charge)
                let known = figures[charge.processorID]?.costs[place] ?? .zero
                figures[charge.processorID, default: Figures()].costs[place] = try known.adding(cost)
            }
        }
        for (node, figure) in figures {
            figures[node]?.most = figure.costs.values.max() ?? .zero
            figures[node]?.sum = figure.costs.values.reduce(.zero) { $0 + $1 }
            figures[node]?.costs = [:]
        }
    }

    /// The most that one input came to at `node`.
    func most(at node: Identifier) -> Money { figures[node]?.most ?? .zero }

    /// What `count` inputs come to at `node` by the mean.
    func mean(at node: Identifier, times count: Int) -> MoneySum {
        let sum = figures[node]?.sum.billionths ?? 0
        return MoneySum(billionths: (sum * Int128(count) + Int128(inputs / 2)) / Int128(inputs))
    }
}
