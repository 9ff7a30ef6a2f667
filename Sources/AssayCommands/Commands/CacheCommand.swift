package import ArgumentParser
import Assay

/// `assay cache`: cached results and paid calls.
package struct CacheCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "cache", abstract: "Look at cached results and paid calls, and remove them.",
        subcommands: [CacheStatsCommand.self, CacheShowCommand.self, CacheInvalidateCommand.self])

    package init() {}
}

extension Store {
    /// Returns the key of the cached value that the user calls `name`: the whole key, or a prefix of at least 4
    /// characters.
    ///
    /// - Throws: ``CommandFailure`` if there is no such value, or more than one.
    func existingCacheKey(_ name: String) async throws -> String {
        guard try await cached(name) == .missing else { return name }
        let page = try await cacheEntries(matching: CacheFilter(), after: name, limit: 2)
        let found = page.entries.map(\.key).filter { $0.utf8.starts(with: name.utf8) }
        guard name.utf8.count >= Reference.shortest, let key = found.first else {
            throw CommandFailure(.notFound, "nothing is cached under '\(name)'; 'assay cache show' lists what is")
        }
        guard found.count == 1 else {
            throw CommandFailure.usage("'\(name)' begins several keys: \(found.joined(separator: ", ")), …")
        }
        return key
    }
}
