import Assay
import AssayPipelines
import Foundation

/// Reads a pipeline file as the command line does, and judges what comes of it.
final class FuzzedReader {
    /// What came of a file.
    enum Verdict {
        case accepted, refused
        /// It was taken otherwise than any file may be.
        case wrong(String)
    }

    private let folder: String
    private let registry: Registry
    private let environment = ["PATH": "/usr/bin:/bin", "A": "x", "API_KEY": "a secret of some length"]

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("assay-fuzz-\(getpid())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var registry = Registry.standard
        try registry.register("bank_statement", parameters: ["include_transactions", "currency"]) { name, _ in
            try RegisteredProcessor(ClosureProcessor(name) { (value: JSONValue, _) in value })
        }
        self.registry = registry
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Puts `bytes` into a file with the suffix `format`, and returns where that is.
    func write(_ bytes: [UInt8], as format: String) throws -> String {
        let path = "\(folder)/p.\(format)"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return path
    }

    /// Reads the file at `path`: what is measured.
    func read(_ path: String) -> Result<Pipeline, ProcessingError> {
        Result { () throws(ProcessingError) in
            try Pipeline.load(path, registry: registry, environment: environment)
        }
    }

    /// What came of the file at `path`.
    func verdict(on result: Result<Pipeline, ProcessingError>, from path: String) -> Verdict {
        let pipeline: Pipeline
        do { pipeline = try result.get() } catch { return Self.judge(error) }
        if let fault = Self.fault(of: pipeline.definition) { return .wrong(fault) }
        do {
            _ = try pipeline.graph?.levels()
            let again = try Pipeline.load(
                definition: pipeline.definition, path: path, registry: registry, environment: environment)
            guard again.definition == pipeline.definition else { return .wrong("is another when it is read again") }
        } catch {
            return .wrong("was accepted, but not from what is kept of it: \(error.message)")
        }
        return .accepted
    }

    private static func judge(_ error: ProcessingError) -> Verdict {
        guard error.code == .configuration else { return .wrong("failed with \(error.code.rawValue)") }
        guard let cause = error.cause as? ConfigurationError, !cause.findings.isEmpty else {
            return .wrong("was refused without a finding: \(error.message)")
        }
        let lines = cause.lines
        guard lines.count <= 51 else { return .wrong("has \(lines.count) lines of findings") }
        for line in lines {
            guard line.utf8.count <= 8_192 else { return .wrong("has a finding of \(line.utf8.count) bytes") }
            guard line == line.printable else {
                return .wrong("has a finding that moves a cursor: \(line.printable.prefix(300))")
            }
            guard !line.contains("a secret of some length") else { return .wrong("tells a secret") }
        }
        return .refused
    }

    /// In what a tree that was read goes beyond what a file may hold.
    private static func fault(of tree: JSONValue) -> String? {
        var values = 0
        func depth(of value: JSONValue) -> Int {
            values += 1
            switch value {
            case .array(let elements): return 1 + (elements.map(depth).max() ?? 0)
            case .object(let object): return 1 + (object.members.map { depth(of: $0.value) }.max() ?? 0)
            default: return 0
            }
        }
        let deepest = depth(of: tree)
        if deepest > 64 { return "is nested \(deepest) deep" }
        // A made up graph_id is one more.
        return values > 10_001 ? "has \(values) values" : nil
    }
}
