import AssayStatements
import Foundation

/// The files beside the tests, and what is known about them.
enum Samples {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Samples")

    static let expected = expectations("expected.json")
    /// What is known of the files in the shapes of bug reports.
    static let shapes = expectations("shapes/expected.json")["files"]

    private static func expectations(_ name: String) -> JSON {
        guard let data = try? Data(contentsOf: folder.appendingPathComponent(name)),
            let json = try? JSONDecoder().decode(JSON.self, from: data)
        else { return .null }
        return json
    }

    static let files = expected["files"].keys
    static let csvFiles = files.filter { $0.hasPrefix("csv/") }
    static let groups = expected["groups"].keys

    static func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    static func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: folder.appendingPathComponent(name)))
    }

    /// What is known about each statement that the generator made, by its path.
    static let generated: [String: JSON] = {
        let url = folder.appendingPathComponent("generated/expected.jsonl")
        let text = (try? String(contentsOf: url, encoding: .utf8)) ?? ""
        let lines = text.split(separator: "\n").compactMap { try? JSONDecoder().decode(JSON.self, from: Data($0.utf8)) }
        let named = lines.compactMap { line in line["path"].text.map { ($0, line) } }
        return Dictionary(named) { first, _ in first }
    }()
}

/// Reads a text as the content of a file.
func read(
    _ text: String, format: StatementFormat? = nil, csv: CSVProfile? = nil
) throws(StatementError) -> StatementFile {
    try StatementReader(format: format, csv: csv).read([UInt8](text.utf8))
}

/// The error that reading a text ends with.
func refusal(_ text: String, format: StatementFormat? = nil) -> StatementError? {
    refusal([UInt8](text.utf8), format: format)
}

func refusal(_ bytes: [UInt8], format: StatementFormat? = nil) -> StatementError? {
    do throws(StatementError) {
        _ = try StatementReader(format: format).read(bytes)
        return nil
    } catch {
        return error
    }
}
