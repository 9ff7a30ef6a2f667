package import ArgumentParser
import Assay
import AssayPipelines
import Foundation

/// `assay checkpoints`: named saved states.
package struct CheckpointsCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "checkpoints", abstract: "List, show, hand out and delete saved states.",
        subcommands: [
            CheckpointsListCommand.self, CheckpointsShowCommand.self, CheckpointsRestoreCommand.self,
            CheckpointsDeleteCommand.self,
        ])

    package init() {}
}

/// Flags for the place where checkpoints are kept.
struct CheckpointFlags: ParsableArguments {
    @Option(
        name: .customLong("storage-path"),
        help: ArgumentHelp("The folder they are kept in; otherwise the store.", valueName: "folder"))
    var folder: String?

    @Option(help: ArgumentHelp("The pipeline file that says where they are kept.", valueName: "file"))
    var pipeline: String?

    func validate() throws {
        guard folder == nil || pipeline == nil else {
            throw ValidationError("--storage-path and --pipeline both say where checkpoints are; give one of them.")
        }
    }

    /// Returns the folder of the checkpoints; `nil`: they are in the store.
    private func folder(_ shell: Shell) throws -> String? {
        guard let pipeline else { return folder.map(shell.place) }
        do {
            return try Pipeline.load(
                shell.place(of: pipeline), registry: shell.registry, environment: shell.environment
            ).checkpoints.folder
        } catch {
            throw CommandFailure.pipeline(error, pipeline)
        }
    }

    /// Calls `body` with the checkpoints in the folder, else in the store that `open` opens.
    func use<Value>(
        _ shell: Shell, _ open: () async throws -> any Store, _ body: (Checkpoints) async throws -> Value
    ) async throws -> Value {
        if let folder = try folder(shell) {
            // A query must not create the folder.
            guard access(folder, F_OK) == 0 else {
                throw CommandFailure(
                    .notFound, "there is no folder '\(folder.safe)', so no checkpoints were kept in it")
            }
            return try await body(Checkpoints(in: CheckpointFolder(path: folder), world: shell.world))
        }
        let store = try await open()
        defer { StoreAccess.close(store) }
        return try await body(Checkpoints(in: store, world: shell.world))
    }
}

/// `assay checkpoints list`: lists checkpoints, newest first.
package struct CheckpointsListCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List saved states, newest first.")

    @Option(help: "Only states of this processor.")
    var processor: String?

    @OptionGroup var place: CheckpointFlags
    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
        let processor = try processor.map { try RunsListCommand.identifier($0, "--processor") }
        let found = try await place.use(shell) {
            try await StoreAccess.reader(console, in: shell)
        } _: {
            try await $0.list(of: processor)
        }
        var listing = try Listing(
            console, schema: "assay/checkpoints/1", key: "checkpoints",
            columns: [
                .flexible("CHECKPOINT"), .flexible("NAME"), .flexible("PROCESSOR"), .text("SAVED"), .text("TYPE"),
                .number("BYTES"), .flexible("PREVIEW"),
            ])
        for summary in found {
            try listing.add(
                [
                    summary.id.text, summary.name, summary.processorID.text, "\(summary.createdAt)", summary.dataType,
                    summary.sizeBytes.grouped, summary.preview,
                ], json: summary.jsonValue)
        }
        try listing.end(nothing: "no checkpoints")
        return .success
    }
}

/// `assay checkpoints show`: shows everything about one checkpoint.
package struct CheckpointsShowCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show what is known of a saved state, and how it begins.")

    @Argument(help: "The checkpoint.")
    var checkpoint: String

    @OptionGroup var place: CheckpointFlags
    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
        let found = try await place.use(shell) {
            try await StoreAccess.reader(console, in: shell)
        } _: {
            try await $0.list()
        }
        guard case .object(var object)? = found.first(where: { $0.id.text == checkpoint })?.jsonValue else {
            throw CommandFailure(.notFound, "checkpoint '\(checkpoint)' not found; 'assay checkpoints list' lists all")
        }
        switch console.format {
        case .json, .jsonl:
            object["schema"] = "assay/checkpoint_summary/1"
            try console.write(json: JSONValue.object(object).json + "\n")
        case .table: try console.write(lines: JSONValue.object(object).outline())
        case .none: break
        }
        return .success
    }
}

/// `assay checkpoints restore`: writes the data of a checkpoint.
package struct CheckpointsRestoreCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Write the data of a saved state to the standard output, as JSON.")

    @Argument(help: "The checkpoint.")
    var checkpoint: String

    @OptionGroup var place: CheckpointFlags
    @OptionGroup var store: StoreFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings, in: shell)
        let data = try await place.use(shell) {
            try await StoreAccess.reader(console, in: shell)
        } _: {
            try await $0.restore(checkpoint)
        }
        try console.write(json: data.json + "\n")
        return .success
    }
}

/// `assay checkpoints delete`: removes saved states.
package struct CheckpointsDeleteCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete saved states with all that is known of them.")

    @Argument(help: "The checkpoints.")
    var checkpoints: [String]

    @OptionGroup var place: CheckpointFlags
    @OptionGroup var store: StoreFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings, in: shell)
        let missing = try await place.use(shell) {
            try await StoreAccess.existing(console, in: shell)
        } _: { found in
            var missing: [String] = []
            for name in checkpoints where try await !found.delete(name) { missing.append(name) }
            return missing
        }
        guard missing.isEmpty else {
            let names = missing.map { "'\($0)'" }.joined(separator: ", ")
            throw CommandFailure(.notFound, "not found: checkpoint \(names)")
        }
        return .success
    }
}
