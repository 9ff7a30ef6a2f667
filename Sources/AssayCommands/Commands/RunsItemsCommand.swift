package import ArgumentParser
import Assay

/// `assay runs items`: how the items of a run ended.
package struct RunsItemsCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "items", abstract: "Show how the items of a run ended, or all about one of them.")

    @Argument(help: "The run.")
    var run: String

    @Argument(help: "One item's name.")
    var input: String?

    @Option(help: "Only items of this status; may be repeated.")
    var status: [String] = []

    @Option(help: "At most so many; 0 for all.")
    var limit = 0

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
        let store = try await StoreAccess.reader(console, in: shell)
        defer { StoreAccess.close(store) }
        let run = try await store.existingRun(run)
        if let input { return try await show(input, of: run, store, console) }
        for word in status where Status(rawValue: word) == nil {
            throw CommandFailure.usage(
                "unknown status '\(word)'" + Nearest.ending(for: word, among: Status.allCases.map(\.rawValue)))
        }
        var listing = try Listing(
            console, schema: "assay/items/1", key: "items", facts: ["run_id": .string(run.id.text)],
            columns: [
                .path("INPUT"), .text("STATUS"), .number("ATTEMPTS"), .number("TOOK"), .number("COST"),
                .flexible("RESULT"),
            ])
        var count = 0
        try await store.forEachOutcome(of: run.id) { outcomes in
            for outcome in outcomes where status.isEmpty || status.contains(outcome.status.rawValue) {
                guard limit <= 0 || count < limit else { return false }
                count += 1
                try listing.add(
                    outcome.cells, json: console.format == .jsonl ? outcome.line(of: run.id) : outcome.jsonValue())
            }
            return true
        }
        try listing.end(nothing: "no items")
        return .success
    }

    private func show(_ input: String, of run: Run, _ store: any Store, _ console: Console) async throws -> ExitStatus {
        var found: Outcome?
        try await store.forEachOutcome(of: run.id) { outcomes in
            found = outcomes.first { $0.inputID.utf8.elementsEqual(input.utf8) }
            return found == nil
        }
        guard let outcome = found else {
            throw CommandFailure(.notFound, "run '\(run.id)' has no finished item '\(input)'")
        }
        let json = try outcome.line(of: run.id)
        switch console.format {
        case .json, .jsonl: try console.write(json: json.json + "\n")
        case .table: try console.write(lines: json.outline())
        case .none: break
        }
        return .success
    }
}

extension Outcome {
    fileprivate var cells: [String] {
        get throws {
            var result = ""
            if let error {
                result = "\(error.code.rawValue): \(error.lastLine)"
            } else if let reason {
                result = reason.rawValue
            } else if let output {
                result = try output.json().brief
            }
            let longest = 200
            return [
                inputID,
                carried
                    ? "\(status.rawValue), \(carriedInWords)" : cached ? "\(status.rawValue), cached" : status.rawValue,
                "\(attempts)", duration.brief, "\(cost)", String(result.prefix(longest)),
            ]
        }
    }
}

extension JSONValue {
    /// The value in lines for people: a key or a place a line, nested ones further in.
    func outline(indent: String = "") -> [String] {
        switch self {
        case .object(let object):
            object.members.flatMap { Self.lines($0.key.safe, $0.value, indent) }
        case .array(let elements):
            elements.enumerated().flatMap { Self.lines("\($0 + 1).", $1, indent) }
        default: [indent + brief.safe]
        }
    }

    private static func lines(_ label: String, _ value: JSONValue, _ indent: String) -> [String] {
        switch value {
        case .object(let object) where !object.isEmpty: ["\(indent)\(label)"] + value.outline(indent: indent + "  ")
        case .array(let elements) where !elements.isEmpty: ["\(indent)\(label)"] + value.outline(indent: indent + "  ")
        default: ["\(indent)\(label)  \(value.brief.safe)"]
        }
    }
}
