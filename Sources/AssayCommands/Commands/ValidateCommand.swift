package import ArgumentParser
import Assay
import AssayPipelines

/// `assay validate`: checks a pipeline file.
package struct ValidateCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "validate", abstract: "Check a pipeline file and show every finding with its place.")

    @Argument(help: "The pipeline file.")
    var pipeline: String

    @OptionGroup var output: OutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(output.settings, in: shell)
        let error: ProcessingError?
        var warnings: [Finding] = []
        do {
            warnings = try Pipeline.load(
                shell.place(of: pipeline), registry: shell.registry, environment: shell.environment
            ).warnings
            error = nil
        } catch let found {
            error = found
        }
        try tell(error, warnings, console)
        return error.map { CommandFailure.pipeline($0, pipeline).status } ?? .success
    }

    private func tell(_ error: ProcessingError?, _ warnings: [Finding], _ console: Console) throws {
        let findings = error?.findings ?? []
        switch console.format {
        case .table:
            let lines = error.map { $0.message.split(separator: "\n").map { String($0).safe } } ?? ["ok"]
            try console.write(lines: warnings.map(\.warning.safe) + lines)
        case .json:
            let result: JSONValue = [
                "schema": "assay/findings/1", "ok": .bool(error == nil), "findings": .array(findings.map(\.jsonValue)),
                "warnings": .array(warnings.map(\.jsonValue)),
            ]
            try console.write(json: result.json + "\n")
        case .jsonl:
            for finding in findings { try console.write(json: finding.jsonValue.json + "\n") }
        case .none: break
        }
    }
}

extension Finding {
    fileprivate var warning: String {
        let place = position.map { ":\($0.line):\($0.column)" } ?? ""
        return "\(file.printable)\(place): warning: \(message)"
    }

    fileprivate var jsonValue: JSONValue {
        [
            "file": .string(file), "line": position.map { JSONValue(count: $0.line) } ?? .null,
            "column": position.map { JSONValue(count: $0.column) } ?? .null, "message": .string(message),
        ]
    }
}
