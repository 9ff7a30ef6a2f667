package import ArgumentParser
import Assay
import AssaySQLite

/// `assay store`: the database.
package struct StoreCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "store", abstract: "Look after the database.",
        subcommands: [StoreInfoCommand.self, StoreCheckCommand.self, StoreBackupCommand.self])

    package init() {}
}

/// `assay store info`: shows the contents and the settings of the database.
package struct StoreInfoCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "info", abstract: "Show where the store is, how it is set up and how much is in it.")

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
        let store = try await StoreAccess.database(console, in: shell)
        defer { StoreAccess.close(store) }
        let info = try await store.info()
        switch console.format {
        case .table: try console.write(lines: info.jsonValue.outline())
        case .json, .jsonl: try console.write(json: info.jsonValue.json + "\n")
        case .none: break
        }
        return .success
    }
}

extension SQLiteStore.Info {
    fileprivate var jsonValue: JSONValue {
        var rows = JSONObject()
        for (table, count) in counts { rows[table] = JSONValue(count: count) }
        return [
            "schema": "assay/store/1", "path": .string(path), "bytes": JSONValue(count: size),
            "log_bytes": JSONValue(count: logSize), "version": .string(schema), "currency": .string(currency),
            "journal_mode": .string(journalMode), "synchronous": JSONValue(text: synchronous),
            "sqlite": .string(sqlite), "rows": .object(rows),
        ]
    }
}

/// `assay store check`: checks the database.
package struct StoreCheckCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check the store and show every finding.")

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
        let store = try await StoreAccess.database(console, in: shell)
        defer { StoreAccess.close(store) }
        let findings = try await store.check()
        switch console.format {
        case .table: try console.write(lines: findings.isEmpty ? ["ok"] : findings.map(\.safe))
        case .json:
            let result: JSONValue = [
                "schema": "assay/check/1", "ok": .bool(findings.isEmpty),
                "findings": .array(findings.map { .string($0) }),
            ]
            try console.write(json: result.json + "\n")
        case .jsonl: for finding in findings { try console.write(json: JSONValue.string(finding).json + "\n") }
        case .none: break
        }
        return findings.isEmpty ? .success : .inputOutput
    }
}

/// `assay store backup`: copies the database as of now.
package struct StoreBackupCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Write a copy of the store to a new file, also while a run is in progress.")

    @Argument(help: "The file to make.")
    var file: String

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
        let store = try await StoreAccess.database(console, in: shell)
        defer { StoreAccess.close(store) }
        try await store.backup(to: shell.place(of: file))
        console.note("the store is copied to \(file.safe)")
        return .success
    }
}
