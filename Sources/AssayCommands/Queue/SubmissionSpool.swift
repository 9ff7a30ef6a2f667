import Assay
import Foundation

/// A submission on its way to the program that owns the store, in a file beside it: what to do in the first line, then an
/// item a line, however many.
struct SubmissionSpool {
    private static let prefix = "assay-submission-"
    private static let suffix = ".jsonl"

    /// The file's name in the folder of the store.
    let name: String
    private let path: String

    /// Whether `name` can be the name of such a file, and of no other.
    static func isName(_ name: String) -> Bool {
        name.hasPrefix(prefix) && name.hasSuffix(suffix) && Identifier(name) != nil
    }

    /// Takes away what programs left that were killed while they submitted.
    ///
    /// For a new owner of the store, before it can be reached: programs that wait for an owner now wait for one that is gone.
    static func sweep(_ folder: String) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) where isName(name) {
            guard unlink(folder + "/" + name) == 0 || errno == ENOENT else {
                throw CommandFailure.unreadable(folder + "/" + name, errno)
            }
        }
    }

    /// Opens what another program wrote.
    ///
    /// - Throws: ``CommandFailure`` when it is not there.
    init(reading name: String, in folder: String) throws {
        (self.name, path) = (name, folder + "/" + name)
        guard access(path, R_OK) == 0 else { throw CommandFailure.unreadable(name, errno) }
    }

    /// Writes a submission with its items into `folder`.
    init(_ submission: Submission, in folder: String, id: Identifier) async throws {
        name = Self.prefix + id.text + Self.suffix
        path = folder + "/" + name
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw CommandFailure.unreadable(path, errno) }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            try file.write(contentsOf: Data((submission.header.json + "\n").utf8))
            let items = submission.items()
            while case let page = try await items(1_024), !page.isEmpty {
                var text = ""
                for item in page { text += try item.jsonValue().json + "\n" }
                try file.write(contentsOf: Data(text.utf8))
            }
            try file.close()
        } catch {
            remove()
            throw error
        }
    }

    /// The submission, whose items are read while it is made.
    func submission() throws -> Submission {
        let source = try DescriptorSource(path: path, name: name)
        var lines = JSONLines(source, name: name)
        guard let header = try lines.nextValue(), var submission = Submission(header: header) else {
            throw CommandFailure(.invalidData, "'\(name)' is no submission")
        }
        let list = SpooledItems(lines)
        submission.items = { { limit in try list.next(limit) } }
        return submission
    }

    /// Takes the file away.
    func remove() { _ = unlink(path) }
}

/// The items of a spooled submission, taken by one reader.
private final class SpooledItems: @unchecked Sendable {
    private let lock = NSLock()
    private var lines: JSONLines
    private var position = 0

    init(_ lines: JSONLines) { self.lines = lines }

    func next(_ limit: Int) throws -> [Item] {
        try lock.withLock {
            var page: [Item] = []
            while page.count < limit, let item = try lines.next(position: position + 1) {
                position += 1
                page.append(item)
            }
            return page
        }
    }
}

extension Submission {
    /// Everything but the items.
    var header: JSONValue {
        [
            "execution_id": JSONValue(text: executionID?.text), "idempotency_key": JSONValue(text: idempotencyKey),
            "pipeline": JSONValue(text: pipeline?.text), "processor_id": .string(processorID.text),
            "is_of_graph": .bool(isOfGraph),
            "account_id": JSONValue(text: scope.accountID?.text),
            "underwriting_id": JSONValue(text: scope.underwritingID?.text),
            "scope_execution_id": JSONValue(text: scope.executionID?.text),
            "priority": JSONValue(text: priority.map { "\($0)" }), "request": .object(request),
            "run_request": runRequest, "timeout_ms": timeout.map { .number(Number($0.milliseconds)) } ?? .null,
            "streaming": .bool(isStreaming), "not_before": notBefore?.jsonValue ?? .null,
            "metadata": .object(metadata), "rehash": .bool(rehash),
            "definition_files": .array(
                definitionFiles.map { [.string($0.name), .string($0.path), .bool($0.isRead)] }),
        ]
    }

    /// A submission without items, from its header; `nil` when it is none.
    init?(header json: JSONValue) {
        guard let processor = json["processor_id"]?.string.flatMap({ Identifier($0) }) else { return nil }
        self.init(processor, over: [])
        isOfGraph = json["is_of_graph"]?.bool ?? false
        executionID = json["execution_id"]?.string.flatMap { Identifier($0) }
        pipeline = json["pipeline"]?.string.flatMap { Digest($0) }
        idempotencyKey = json["idempotency_key"]?.string
        scope = Scope(
            accountID: json["account_id"]?.string.flatMap { ExternalID($0) },
            underwritingID: json["underwriting_id"]?.string.flatMap { ExternalID($0) },
            executionID: json["scope_execution_id"]?.string.flatMap { Identifier($0) })
        priority = json["priority"]?.string.flatMap { Double($0) }
        request = json["request"]?.object ?? [:]
        runRequest = json["run_request"] ?? [:]
        timeout = json["timeout_ms"]?.number?.integer.map { .milliseconds($0) }
        isStreaming = json["streaming"]?.bool ?? false
        notBefore = json["not_before"].flatMap { Timestamp(jsonValue: $0) }
        metadata = json["metadata"]?.object ?? [:]
        rehash = json["rehash"]?.bool ?? false
        for file in json["definition_files"]?.array ?? [] {
            guard let parts = file.array, parts.count == 3, let name = parts[0].string, let path = parts[1].string,
                let isRead = parts[2].bool
            else { return nil }
            definitionFiles.append(DefinitionFiles.Entry(name: name, path: path, isRead: isRead))
        }
    }
}
