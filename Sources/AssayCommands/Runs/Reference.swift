import Assay

/// Names of things on record, which may be abbreviated.
enum Reference {
    /// The shortest abbreviation, in characters.
    static let shortest = 4
}

extension Store {
    /// Returns the run that the user calls `name`: its whole name, an unambiguous prefix of 4 or more characters, or
    /// `last` for the newest run.
    ///
    /// - Throws: ``CommandFailure`` if there is none, or if several names have the prefix.
    func existingRun(_ name: String) async throws -> Run {
        if let id = Identifier(name), let run = try await run(id) { return run }
        if name == "last", let run = try await runs(matching: RunFilter(limit: 1)).first { return run }
        guard Identifier(name) != nil, name.utf8.count >= Reference.shortest else { throw Self.unknownRun(name) }
        let shown = 5
        let found = try await runs(matching: RunFilter(idPrefix: name, limit: shown + 1))
        guard let run = found.first else { throw Self.unknownRun(name) }
        guard found.count == 1 else {
            let names = found.prefix(shown).map(\.id.text) + (found.count > shown ? ["…"] : [])
            throw CommandFailure.usage("several runs begin with '\(name)': \(names.joined(separator: ", "))")
        }
        return run
    }

    private static func unknownRun(_ name: String) -> CommandFailure {
        CommandFailure(.notFound, "run '\(name)' is not on record; 'assay runs list' shows those that are")
    }
}
