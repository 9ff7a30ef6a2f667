package import ArgumentParser
import Assay

/// `assay runs diff`: in what two runs differ.
package struct RunsDiffCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Show in what a run differs from the one it follows, or from another.",
        discussion: "Items are listed whose status or output changed, that cost something else, or that only one has.")

    @Argument(help: "The run.")
    var run: String

    @Argument(help: "The run it is compared with; without it the one it follows.")
    var other: String?

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
        let store = try await StoreAccess.reader(console, in: shell)
        defer { StoreAccess.close(store) }
        let new = try await store.existingRun(run)
        let old = try await predecessor(of: new, in: store)
        for run in [old, new] where run.deletedAt != nil {
            throw CommandFailure(.notFound, "the outcomes of run '\(run.id)' were deleted; nothing can be compared")
        }
        let engine = Engine(store: store)
        let costs = (old: try await engine.bill(of: old.id).totalCost, new: try await engine.bill(of: new.id).totalCost)
        let request = ValueDifference.between(old.compared, new.compared)
        if console.format == .table {
            try console.write(table(old, new, costs, request, store.currency))
            try console.write(lines: [""])
        }
        var listing = try Listing(
            console, schema: "assay/diff/1", key: "items",
            facts: [
                "run_id": .string(new.id.text), "other_run_id": .string(old.id.text),
                "currency": .string(store.currency), "request": .array(request.map(\.jsonValue)),
                "old": old.totals(costs.old), "new": new.totals(costs.new),
            ],
            columns: [
                .path("INPUT"), .text("STATUS"), .text("OUTPUT"), .text(store.currency), .text("STEPS"),
            ])
        try await forEachDifference(of: new, from: old, in: store) { item in
            try listing.add(item.cells, json: item.jsonValue)
        }
        try listing.end(nothing: "every item ended alike in both")
        return .success
    }

    private func predecessor(of run: Run, in store: any Store) async throws -> Run {
        if let other { return try await store.existingRun(other) }
        guard let previous = run.lineage.previousRunID else {
            throw CommandFailure.usage("run '\(run.id)' follows no other; name the one to compare it with")
        }
        return try await store.existingRun(previous.text)
    }

    private func table(
        _ old: Run, _ new: Run, _ costs: (old: Money, new: Money), _ request: [ValueDifference], _ currency: String
    ) -> TextTable {
        var table = TextTable([
            .flexible("WHAT"), .flexible(String(old.id.text.prefix(8))), .flexible(String(new.id.text.prefix(8))),
        ])
        table.rows = [
            ["status", old.status.rawValue, new.status.rawValue],
            ["succeeded, failed, of", old.shortCounts, new.shortCounts],
            [currency, "\(costs.old)", "\(costs.new)"],
        ]
        table.rows += request.map { [$0.path, $0.old?.brief ?? "-", $0.new?.brief ?? "-"] }
        return table
    }

    /// Hands over what is notable: first the items of `new` in their order, then those that only `old` has.
    private func forEachDifference(
        of new: Run, from old: Run, in store: any Store, _ body: (ItemDifference) throws -> Void
    ) async throws {
        // By bytes: two spellings of a name are two items.
        var earlier: [[UInt8]: (place: Int, stand: ItemStand)] = [:]
        try await store.forEachOutcome(of: old.id) { outcomes in
            for outcome in outcomes { earlier[Array(outcome.inputID.utf8)] = (outcome.index, try ItemStand(outcome)) }
            return true
        }
        try await store.forEachOutcome(of: new.id) { outcomes in
            for outcome in outcomes {
                let stand = earlier.removeValue(forKey: Array(outcome.inputID.utf8))?.stand
                let item = ItemDifference(inputID: outcome.inputID, old: stand, new: try ItemStand(outcome))
                if item.isNotable { try body(item) }
            }
            return true
        }
        for (name, value) in earlier.sorted(by: { $0.value.place < $1.value.place }) {
            try body(ItemDifference(inputID: String(decoding: name, as: UTF8.self), old: value.stand, new: nil))
        }
    }
}

extension ItemDifference {
    fileprivate var cells: [String] {
        func change<Value: Equatable>(_ value: (ItemStand) -> Value, _ text: (Value) -> String) -> String {
            let (old, new) = (old.map(value), new.map(value))
            let words = [old.map(text) ?? "-", new.map(text) ?? "-"]
            return old == new ? words[0] : words.joined(separator: " → ")
        }
        let output =
            switch (old?.output, new?.output) {
            case (nil, nil): "none"
            case (nil, _?): "new"
            case (_?, nil): "gone"
            case (let old?, let new?): old == new ? "same" : "changed"
            }
        let steps = new.map { $0.isCarried ? "carried" : "\($0.restored) restored, \($0.ran) run" } ?? "-"
        return [inputID, change(\.status, \.rawValue), output, change(\.cost, \.description), steps]
    }

    fileprivate var jsonValue: JSONValue {
        ["input_id": .string(inputID), "old": old?.jsonValue ?? .null, "new": new?.jsonValue ?? .null]
    }
}

extension ValueDifference {
    fileprivate var jsonValue: JSONValue {
        ["path": .string(path), "old": old ?? .null, "new": new ?? .null]
    }
}

extension Run {
    /// What two runs are compared by besides their items.
    fileprivate var compared: JSONValue {
        var object = request.object ?? [:]
        // The definition's own keys are the ones that people know.
        if case .object(let definition)? = object["definition"] {
            object["definition"] = nil
            for member in definition.members { object[member.key] = member.value }
        }
        for key in ["relation", "folder"] { object[key] = nil }
        object["runner_used"] = .string(runner)
        object["processor_definition"] = .string(definition.text)
        return .object(object)
    }

    fileprivate func totals(_ cost: Money) -> JSONValue {
        ["status": .string(status.rawValue), "counts": counts.jsonValue, "total_cost": cost.jsonValue]
    }

    fileprivate var shortCounts: String {
        "\(counts.succeeded.grouped), \(counts.failed.grouped), \(counts.total.grouped)"
    }
}
