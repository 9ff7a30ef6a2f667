package import ArgumentParser
import Assay

/// `assay cache invalidate`: removes cached values.
package struct CacheInvalidateCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "invalidate", abstract: "Remove cached values, so that the next run pays for them again.",
        discussion: "Charges stay. Not possible while a run is in progress.")

    @Option(help: "The values of this service.")
    var service: String?

    @Option(help: "With --service: of this operation only.")
    var operation: String?

    @Option(help: "The outputs of this processor.")
    var processor: String?

    @Option(help: "The value of this key, or of the one that begins so.")
    var key: String?

    @Flag(help: "The values that may no longer be used.")
    var expired = false

    @Flag(help: "All of them.")
    var all = false

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func validate() throws {
        let given = [service != nil, processor != nil, key != nil, expired, all].count { $0 }
        guard given == 1 else {
            throw ValidationError("Say what to remove: one of --service, --processor, --key, --expired or --all.")
        }
        guard operation == nil || service != nil else { throw ValidationError("--operation needs --service.") }
    }

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
        var filter = CacheFilter(service: service, operation: operation)
        if let processor { filter = .processor(try RunsListCommand.identifier(processor, "--processor")) }
        if expired { filter.age = .expired(at: shell.world.time.now()) }
        let store = try await StoreAccess.existing(console, in: shell)
        defer { StoreAccess.close(store) }
        if let key { filter.key = try await store.existingCacheKey(key) }
        let count = try await store.removeCacheEntries(matching: filter)
        switch console.format {
        case .table: try console.write(lines: ["\(count.grouped) cached \(count == 1 ? "value" : "values") removed"])
        case .json, .jsonl:
            let result: JSONValue = ["schema": "assay/cache_removal/1", "removed": JSONValue(count: count)]
            try console.write(json: result.json + "\n")
        case .none: break
        }
        return .success
    }
}
