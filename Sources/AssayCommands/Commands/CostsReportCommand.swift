package import ArgumentParser
import Assay

/// `assay costs report`: adds up charges.
package struct CostsReportCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Add up charges: as a bill, or by service, operation, processor, execution or day.")

    /// The key by which charges are added up.
    package enum Subject: String, CaseIterable, ExpressibleByArgument, Sendable {
        case service, operation, processor, execution, day

        fileprivate func key(of charge: Charge) -> String {
            switch self {
            case .service: charge.service
            case .operation: "\(charge.service) \(charge.operation)"
            case .processor: charge.processorID.text
            case .execution: charge.executionID.text
            case .day: String("\(charge.timestamp)".prefix(10))
            }
        }
    }

    @Option(help: "What charges are added up by; without it the report is a bill.")
    var by: Subject?

    @OptionGroup var charges: ChargeFlags
    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
        let store = try await StoreAccess.reader(console, in: shell)
        defer { StoreAccess.close(store) }
        let filter = try await charges.filter(store, in: shell)
        let found = try await store.charges(matching: filter)
        if let by {
            try list(found, by: by, store.currency, console)
        } else {
            try tell(await bill(found, filter, store), console)
        }
        return .success
    }

    private func bill(_ charges: [Charge], _ filter: ChargeFilter, _ store: any Store) async throws -> Bill {
        let engine = Engine(store: store)
        if let run = filter.runID { return try await engine.bill(of: run) }
        if let execution = filter.executionID { return try await engine.bill(ofExecution: execution) }
        let isWhole = filter == ChargeFilter()
        let doubtful = isWhole ? try await store.calls(matching: CallFilter(states: [.inDoubt])) : []
        return try Bill(charges, inDoubt: doubtful, currency: store.currency)
    }

    private func tell(_ bill: Bill, _ console: Console) throws {
        switch console.format {
        case .table: try console.write(lines: BillText(bill).lines(console.paint))
        case .json, .jsonl:
            guard case .object(var object) = bill.jsonValue else { return }
            object["schema"] = "assay/bill/1"
            try console.write(json: JSONValue.object(object).json + "\n")
        case .none: break
        }
    }

    private struct Sum {
        var count = 0
        var hits = 0
        var total = MoneySum.zero
        var avoided = MoneySum.zero

        mutating func add(_ charge: Charge) {
            count += 1
            hits += charge.isCacheHit ? 1 : 0
            total += charge.cost
            avoided += charge.avoidedCost ?? .zero
        }
    }

    private func list(_ charges: [Charge], by subject: Subject, _ currency: String, _ console: Console) throws {
        var (sums, all) = ([String: Sum](), Sum())
        for charge in charges {
            sums[subject.key(of: charge), default: Sum()].add(charge)
            all.add(charge)
        }
        var listing = try Listing(
            console, schema: "assay/costs/1", key: "costs",
            facts: [
                "by": .string(subject.rawValue), "currency": .string(currency), "total_cost": all.total.jsonValue,
                "avoided_cost": all.avoided.jsonValue,
            ],
            columns: [
                .flexible(subject.rawValue.uppercased()), .number("COUNT"), .number("CACHED"), .number("AVOIDED"),
                .number(currency),
            ])
        for (key, sum) in sums.sorted(by: { $0.key < $1.key }) {
            try listing.add(
                [key, sum.count.grouped, sum.hits.grouped, "\(sum.avoided)", "\(sum.total)"],
                json: [
                    subject.rawValue: .string(key), "count": JSONValue(count: sum.count),
                    "cache_hits": JSONValue(count: sum.hits), "avoided_cost": sum.avoided.jsonValue,
                    "total_cost": sum.total.jsonValue,
                ])
        }
        try listing.end(nothing: "no charges")
        if console.format == .table, sums.count > 1 { try console.write(lines: ["total \(all.total) \(currency)"]) }
    }
}
