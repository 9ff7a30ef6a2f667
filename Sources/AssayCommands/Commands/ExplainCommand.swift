package import ArgumentParser
import Assay

/// `assay explain`: why things happened in a run as they did.
package struct ExplainCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Tell why each input ran, was resumed or taken over, was charged or not.",
        discussion: "Every reason is what was recorded at the time.")

    @Argument(help: "The run.")
    var run: String

    @Argument(help: "One input's name; then every decision about it.")
    var input: String?

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
        let store = try await StoreAccess.reader(console, in: shell)
        defer { StoreAccess.close(store) }
        let run = try await store.existingRun(run)
        let explanation = try await Engine(store: store).explanation(of: run.id)
        if let input {
            try await explain(input, of: run, explanation, store, console)
        } else {
            try await explain(run, explanation, store, console)
        }
        return .success
    }

    private func explain(
        _ input: String, of run: Run, _ explanation: Explanation, _ store: any Store, _ console: Console
    ) async throws {
        var found: [Decision]?
        try await forEachItem(of: run, store) { entry, outcome in
            guard entry.item.id.utf8.elementsEqual(input.utf8) else { return true }
            found = explanation.of(entry, outcome)
            return false
        }
        guard let found else { throw CommandFailure(.notFound, "run '\(run.id)' has no input '\(input)'") }
        let facts: JSONObject = ["run_id": .string(run.id.text), "input_id": .string(input)]
        try write(found, facts, console)
    }

    private func explain(_ run: Run, _ explanation: Explanation, _ store: any Store, _ console: Console) async throws {
        if console.format == .table {
            try write(explanation.ofRun, [:], console)
            try console.write(lines: [""])
        }
        var listing = try Listing(
            console, schema: "assay/explanation/1", key: "inputs",
            facts: [
                "run_id": .string(run.id.text), "decisions": .array(explanation.ofRun.map(\.jsonValue)),
            ],
            columns: [.path("INPUT"), .text("WHAT"), .number("COST"), .flexible("WHY")])
        try await forEachItem(of: run, store) { entry, outcome in
            let decisions = explanation.of(entry, outcome)
            let why = decisions.last.flatMap { $0.decision == "succeeded" ? nil : $0.reason } ?? decisions[0].reason
            try listing.add(
                [
                    entry.item.id, decisions[0].decision, outcome.map { "\($0.cost)" } ?? "",
                    why.isEmpty ? decisions[0].reason : why,
                ],
                json: [
                    "input_id": .string(entry.item.id), "decisions": .array(decisions.map(\.jsonValue)),
                ])
            return true
        }
        try listing.end(nothing: "no inputs")
    }

    private func write(_ decisions: [Decision], _ facts: JSONObject, _ console: Console) throws {
        var listing = try Listing(
            console, schema: "assay/explanation/1", key: "decisions", facts: facts,
            columns: [.flexible("ABOUT"), .flexible("DECISION"), .flexible("BECAUSE")])
        for decision in decisions {
            try listing.add([decision.subject, decision.decision, decision.reason], json: decision.jsonValue)
        }
        try listing.end(nothing: "nothing")
    }

    /// Hands every input with its outcome to `body`, page by page, until that answers `false`.
    private func forEachItem(
        of run: Run, _ store: any Store, _ body: (StoredItem, Outcome?) throws -> Bool
    ) async throws {
        var start = 0
        while case let items = try await store.items(of: run.id, from: start, limit: 1_024), !items.isEmpty {
            var outcomes: [Int: Outcome] = [:]
            for outcome in try await store.outcomes(of: run.id, from: start, limit: 1_024) {
                outcomes[outcome.index] = outcome
            }
            for entry in items { guard try body(entry, outcomes[entry.index]) else { return } }
            start += items.count
        }
    }
}
