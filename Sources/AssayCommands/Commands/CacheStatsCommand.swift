package import ArgumentParser
import Assay

/// `assay cache stats`: sums up cached values.
package struct CacheStatsCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "stats", abstract: "Add up what is cached, what it had cost and what its uses saved.")

    /// The key by which cached values are added up.
    package enum Subject: String, CaseIterable, ExpressibleByArgument, Sendable {
        case service, operation
    }

    @Option(help: "What values are added up by.")
    var by = Subject.service

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
        let store = try await StoreAccess.reader(console, in: shell)
        defer { StoreAccess.close(store) }
        let statistics = try await store.cacheStatistics(at: shell.world.time.now())
        let total = statistics.total()
        let lines = statistics.lines(by: by)
        var listing = try Listing(
            console, schema: "assay/cache_stats/1", key: "lines",
            facts: [
                "by": .string(by.rawValue), "currency": .string(store.currency), "total": total.jsonValue,
                "damaged": JSONValue(count: statistics.damaged),
            ],
            columns: [.flexible("SERVICE")] + (by == .operation ? [.flexible("OPERATION")] : []) + [
                .number("FRESH"), .number("EXPIRED"), .number("BYTES"), .number("HITS"), .number("COST"),
                .number("AVOIDED"),
            ])
        for (subject, line) in lines {
            guard case .object(var object) = line.jsonValue else { continue }
            object["service"] = .string(subject.service)
            if by == .operation { object["operation"] = .string(subject.operation) }
            try listing.add(
                [subject.service] + (by == .operation ? [subject.operation] : []) + line.cells, json: .object(object))
        }
        try listing.end(nothing: "nothing is cached")
        if console.format == .table, lines.count > 1 {
            try console.write(lines: [
                "\(total.entries.grouped) values, which had cost \(total.cost) \(store.currency); their "
                    + "\(total.hits.grouped) uses avoided \(total.avoided) \(store.currency)"
            ])
        }
        if statistics.damaged > 0 { console.warn("\(statistics.damaged.grouped) cached values are damaged") }
        return .success
    }
}

extension CacheStatistics {
    /// Returns the sums in the order of their subjects. Sums per service have an empty operation.
    fileprivate func lines(by subject: CacheStatsCommand.Subject) -> [(Subject, Line)] {
        var sums: [Subject: Line] = [:]
        for (key, line) in lines {
            let operation = subject == .operation ? key.operation : ""
            sums[Subject(service: key.service, operation: operation), default: Line()].add(line)
        }
        return sums.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}

extension CacheStatistics.Line {
    fileprivate var cells: [String] {
        [fresh.grouped, expired.grouped, bytes.grouped, hits.grouped, "\(cost)", "\(avoided)"]
    }

    fileprivate var jsonValue: JSONValue {
        [
            "entries": JSONValue(count: entries), "fresh": JSONValue(count: fresh),
            "expired": JSONValue(count: expired), "bytes": JSONValue(count: bytes), "hits": JSONValue(count: hits),
            "cost": cost.jsonValue, "avoided_cost": avoided.jsonValue,
        ]
    }
}
