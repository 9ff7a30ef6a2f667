package import ArgumentParser
import Assay

/// `assay cache show`: lists cached values, or shows everything about one.
package struct CacheShowCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "show", abstract: "List cached values in the order of their keys, or show all about one.")

    @Argument(help: "The key of one value, or how it begins.")
    var key: String?

    @Option(help: "Only values of this service.")
    var service: String?

    @Option(help: "Only values of this operation.")
    var operation: String?

    @Option(help: "Only outputs of this processor.")
    var processor: String?

    @Flag(help: "Only values that may no longer be used.")
    var expired = false

    @Option(help: "At most so many; 0 for all.")
    var limit = 50

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func validate() throws {
        guard processor == nil || (service == nil && operation == nil) else {
            throw ValidationError("--processor excludes --service and --operation.")
        }
        guard key == nil || (service == nil && operation == nil && processor == nil && !expired) else {
            throw ValidationError("A key excludes --service, --operation, --processor and --expired.")
        }
    }

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
        let now = shell.world.time.now()
        var filter = CacheFilter(service: service, operation: operation)
        if let processor { filter = .processor(try RunsListCommand.identifier(processor, "--processor")) }
        if expired { filter.age = .expired(at: now) }
        let store = try await StoreAccess.reader(console, in: shell)
        defer { StoreAccess.close(store) }
        if let key { return try await show(key, store, console, at: now) }
        var listing = try Listing(
            console, schema: "assay/cache/1", key: "entries", facts: ["currency": .string(store.currency)],
            columns: [
                .flexible("KEY"), .flexible("SERVICE"), .flexible("OPERATION"), .text("STORED"), .text("STATE"),
                .number("HITS"), .number(store.currency),
            ])
        var (last, left, damaged) = (String?.none, limit > 0 ? limit : Int.max, 0)
        while left > 0 {
            let wanted = min(left, 256)
            let page = try await store.cacheEntries(matching: filter, after: last, limit: wanted)
            for entry in page.entries { try listing.add(entry.cells(at: now), json: entry.row(at: now)) }
            damaged += page.damaged
            guard page.entries.count == wanted else { break }
            (last, left) = (page.entries.last?.key, left - wanted)
        }
        try listing.end(nothing: "nothing of the kind is cached")
        if damaged > 0 { console.warn("\(damaged.grouped) cached values are damaged and not shown") }
        return .success
    }

    private func show(
        _ key: String, _ store: any Store, _ console: Console, at moment: Timestamp
    ) async throws -> ExitStatus {
        let key = try await store.existingCacheKey(key)
        guard let entry = try await store.cacheEntry(key), case .object(var object) = entry.row(at: moment) else {
            throw CommandFailure(.inputOutput, "the cached value \(key) is damaged; the next run makes it again")
        }
        object["value"] = entry.value
        switch console.format {
        case .json, .jsonl:
            object["schema"] = "assay/cache_entry/1"
            try console.write(json: JSONValue.object(object).json + "\n")
        case .table: try console.write(lines: JSONValue.object(object).outline())
        case .none: break
        }
        return .success
    }
}

extension CacheEntry {
    fileprivate func cells(at moment: Timestamp) -> [String] {
        [key, service, operation, "\(storedAt)", isFresh(at: moment) ? "fresh" : "expired", hits.grouped, "\(cost)"]
    }

    /// The entry as a row of a listing, without its value.
    fileprivate func row(at moment: Timestamp) -> JSONValue {
        [
            "key": .string(key), "service": .string(service), "operation": .string(operation),
            "stored_at": storedAt.jsonValue, "expires_at": expiresAt?.jsonValue ?? .null,
            "fresh": .bool(isFresh(at: moment)), "cost": cost.jsonValue, "cost_id": JSONValue(text: costID),
            "hits": JSONValue(count: hits), "bytes": JSONValue(count: value.jsonBytes.count),
        ]
    }
}
