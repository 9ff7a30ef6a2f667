import Assay
import AssayCommands
import AssayPipelines
import Foundation
import Synchronization

/// A sink that keeps what is written.
final class CollectingSink: ByteSink {
    private struct State {
        var bytes: [UInt8] = []
        var isClosed = false
        var waiting: (text: String, continuation: CheckedContinuation<Void, Never>)?

        var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    private let state = Mutex(State())
    let columns: Int?

    init(columns: Int? = nil) { self.columns = columns }

    func write(_ bytes: [UInt8]) throws(SinkError) {
        let (isClosed, due) = state.withLock { state in
            state.bytes += bytes
            let isDue = state.waiting.map { state.text.contains($0.text) } ?? false
            defer { if isDue { state.waiting = nil } }
            return (state.isClosed, isDue ? state.waiting?.continuation : nil)
        }
        due?.resume()
        if isClosed { throw .closed }
    }

    /// Returns once `text` has been written; one may wait at a time.
    func waits(for text: String) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                guard !state.text.contains(text) else { return true }
                state.waiting = (text, continuation)
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    /// Lets every further write find that the reader has gone.
    func close() { state.withLock { $0.isClosed = true } }

    var text: String { state.withLock { $0.text } }
    var lines: [String] { text.split(separator: "\n").map(String.init) }
}

/// A source that holds a text.
final class TextSource: ByteSource {
    private let rest: Mutex<ArraySlice<UInt8>>
    private let piece: Int

    /// - Parameter piece: how many bytes a read gives at most.
    init(_ text: String = "", piece: Int = .max) {
        rest = Mutex(Array(text.utf8)[...])
        self.piece = piece
    }

    func read(_ limit: Int) -> [UInt8] {
        rest.withLock { rest in
            let bytes = Array(rest.prefix(min(limit, piece)))
            rest = rest.dropFirst(bytes.count)
            return bytes
        }
    }
}

/// A folder of its own in which commands are run, with what they write.
final class TestShell: Sendable {
    let folder: String
    let output: CollectingSink
    let messages: CollectingSink
    let signals: AsyncStream<StopSignal>.Continuation
    private let shell: Mutex<Shell>

    init(
        input: String = "", environment: [String: String] = [:], terminal columns: Int? = nil, world: World = .system,
        registry: Registry = .standard
    ) throws {
        folder = NSTemporaryDirectory() + "/assay-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        (output, messages) = (CollectingSink(), CollectingSink(columns: columns))
        let (stream, continuation) = AsyncStream.makeStream(of: StopSignal.self)
        signals = continuation
        shell = Mutex(
            Shell(
                output: output, messages: messages, input: TextSource(input), environment: environment,
                workingFolder: folder, registry: registry, world: world, stopSignals: { stream }))
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// The shell as commands get it.
    var value: Shell { shell.withLock { $0 } }

    /// Writes a file into the folder.
    func write(_ text: String, to path: String) throws {
        let place = folder + "/" + path
        let parent = URL(fileURLWithPath: place).deletingLastPathComponent().path
        try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: place))
    }

    /// The text of a file in the folder.
    func read(_ path: String) throws -> String { try String(contentsOfFile: folder + "/" + path, encoding: .utf8) }

    /// Carries out a command and returns its exit code.
    @discardableResult func assay(_ arguments: String...) async -> Int32 { await assay(arguments) }

    /// As ``assay(_:)`` for words in a list.
    @discardableResult func assay(_ arguments: [String]) async -> Int32 {
        await CommandLineTool.run(arguments, in: value)
    }

    /// As ``assay(_:)`` with what the command alone wrote to its output.
    func output(of arguments: String...) async -> (text: String, code: Int32) { await output(of: arguments) }

    /// As ``output(of:)`` for words in a list, with the variables of `environment` besides those of the shell.
    func output(
        of arguments: [String], in environment: [String: String] = [:]
    ) async -> (text: String, code: Int32) {
        let sink = CollectingSink()
        var shell = value
        shell.output = sink
        shell.environment.merge(environment) { _, new in new }
        let code = await CommandLineTool.run(arguments, in: shell)
        return (sink.text, code)
    }

    /// The names of all runs on record, newest first.
    func runs() async throws -> [String] {
        let (text, _) = await output(of: "runs", "list", "-o", "json")
        return try JSONValue(json: text)["runs"]?.array?.compactMap { $0["run_id"]?.string } ?? []
    }
}

extension TestShell {
    /// Whether this program reads bank statements.
    static let hasStatements = Registry.complete.names.contains("bank_statement")

    /// A pipeline that turns texts into capitals, for which anything else is a failure.
    static let capitals = """
        run_as: processor
        processors:
          - processor_id: capitals
            processor_type: text_transformer
            parameters: {transformation: uppercase}
        prices:
          currency: USD
          processors:
            capitals: {base_cost: 0.10, charge: per_execution}

        """
}
