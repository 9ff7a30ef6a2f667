import Foundation
import Synchronization

/// Named checkpoints in a folder, one file each, readable by their owner only.
///
/// A file is written under a temporary name, made durable and then renamed, so it exists completely or not at all. It
/// carries a digest of its contents. Its name is a digest of the checkpoint's identifier.
public final class CheckpointFolder: CheckpointStorage {
    private let folder: String
    // Disk I/O can block, so it runs on its own queue; changes run one at a time.
    private let queue = DispatchQueue(label: "assay.checkpoints")
    /// The serial number of each file by file name, in the order of writing. Cached, so that a new checkpoint does not
    /// read all files again.
    private let serials = Mutex<[String: Int]>([:])

    /// Opens the folder of checkpoints at `path`, and creates it if it does not exist.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` when the folder cannot be created or `path` is not a
    ///   folder.
    public init(path: String) throws(ProcessingError) {
        folder = path
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw ProcessingError(
                .configuration, "the folder \(path.quoted) for checkpoints cannot be made: \(error)", cause: error)
        }
    }

    public func keep(_ checkpoint: NamedCheckpoint, atMost limit: Int) async throws {
        try await aside { [self] in
            let file = file(of: checkpoint.summary.id)
            guard access(file, F_OK) != 0 else { throw ProcessingError.checkpointExists(checkpoint.summary.id) }
            let known = try numbered()
            let excess = Self.excess(of: known.count, atMost: limit)
            if excess > 0 {
                try remove(known.sorted { $0.value < $1.value }.prefix(excess).map { "\(folder)/\($0.key)" })
            }
            let serial = (known.values.max() ?? 0) + 1
            try write(checkpoint, serial: serial, to: file)
            serials.withLock { $0[URL(fileURLWithPath: file).lastPathComponent] = serial }
        }
    }

    public func checkpointSummaries(of processor: Identifier?) async throws -> [NamedCheckpoint.Summary] {
        try await aside { [self] in
            try all().compactMap(\.checkpoint?.summary).filter { processor == nil || $0.processorID == processor }
        }
    }

    public func namedCheckpoint(_ id: Identifier) async throws -> NamedCheckpoint? {
        try await aside { [self] in
            let file = file(of: id)
            guard access(file, F_OK) == 0 else { return nil }
            guard let found = try read(file)?.checkpoint, found.summary.id == id else {
                throw ProcessingError.damagedCheckpoint(id)
            }
            return found
        }
    }

    public func removeNamedCheckpoint(_ id: Identifier) async throws -> Bool {
        try await aside { [self] in
            let file = file(of: id)
            guard access(file, F_OK) == 0 else { return false }
            try remove([file])
            return true
        }
    }

    // MARK: Files

    private typealias Found = (file: String, serial: Int, checkpoint: NamedCheckpoint?)

    private func aside<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try body() }) }
        }
    }

    private func file(of id: Identifier) -> String { "\(folder)/\(Digest.hex(of: id.text.utf8)).json" }

    private func names() throws -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".json") }
        } catch {
            throw failure("read", error)
        }
    }

    /// Returns the serial numbers of all files by file name. Damaged files come before all others.
    private func numbered() throws -> [String: Int] {
        let names = try names()
        let known = serials.withLock { $0 }
        var found: [String: Int] = [:]
        for name in names { found[name] = try known[name] ?? read("\(folder)/\(name)")?.serial ?? -1 }
        serials.withLock { $0 = found }
        return found
    }

    /// Returns all files, newest first, damaged ones last.
    private func all() throws -> [Found] {
        try names()
            .map { name in try read("\(folder)/\(name)") ?? (file: "\(folder)/\(name)", serial: -1, checkpoint: nil) }
            .sorted { $0.serial > $1.serial }
    }

    /// Reads the checkpoint in a file. Returns `nil` when the file is not as it was written.
    private func read(_ file: String) throws -> Found? {
        guard let bytes = FileManager.default.contents(atPath: file) else {
            throw failure("read", SystemFailure(errno).error("'\(file)' cannot be read"))
        }
        guard case .object(var object)? = try? JSONValue(json: Array(bytes)), let sum = object["sha256"]?.string else {
            return nil
        }
        object["sha256"] = nil
        guard Digest.hex(of: JSONValue.object(object).jsonBytes) == sum,
            let id = object["checkpoint_id"]?.string.flatMap({ Identifier($0) }), let name = object["name"]?.string,
            let processor = object["processor_id"]?.string.flatMap({ Identifier($0) }), let data = object["data"],
            let createdAt = object["created_at"].flatMap({ Timestamp(jsonValue: $0) }),
            let metadata = object["metadata"]?.object, let serial = object["serial"]?.number?.integer
        else { return nil }
        let checkpoint = NamedCheckpoint(
            id: id, name: name, processorID: processor, createdAt: createdAt, data: data, metadata: metadata)
        return (file: file, serial: serial, checkpoint: checkpoint)
    }

    private func write(_ checkpoint: NamedCheckpoint, serial: Int, to file: String) throws {
        let summary = checkpoint.summary
        var object: JSONObject = [
            "schema": "assay/checkpoint/1", "serial": .number(Number(serial)),
            "checkpoint_id": .string(summary.id.text), "name": .string(summary.name),
            "processor_id": .string(summary.processorID.text), "created_at": summary.createdAt.jsonValue,
            "metadata": .object(summary.metadata), "data": checkpoint.data,
        ]
        object["sha256"] = .string(Digest.hex(of: JSONValue.object(object).jsonBytes))
        let draft = file + ".new"
        do {
            try DurableFile.write(JSONValue.object(object).jsonBytes, to: draft)
            guard rename(draft, file) == 0 else { throw SystemFailure(errno).error("'\(file)' cannot be named") }
            try DurableFile.synchronize(folder: folder)
        } catch {
            unlink(draft)
            throw failure("write", error)
        }
    }

    private func remove(_ files: [String]) throws {
        for file in files {
            guard unlink(file) == 0 || errno == ENOENT else {
                throw failure("remove", SystemFailure(errno).error("'\(file)'"))
            }
        }
        do { try DurableFile.synchronize(folder: folder) } catch { throw failure("remove", error) }
    }

    private func failure(_ what: String, _ error: any Error) -> ProcessingError {
        let reason = (error as? ProcessingError)?.message ?? "\(error)"
        return ProcessingError(.store, "cannot \(what) a checkpoint in \(folder.quoted): \(reason)", cause: error)
    }
}

/// File writes that are durable when they return.
private enum DurableFile {
    static func write(_ bytes: [UInt8], to path: String) throws(ProcessingError) {
        let number = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard number >= 0 else { throw SystemFailure(errno).error("'\(path)' cannot be opened") }
        let file = Descriptor(number)
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.write(file.number, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                throw SystemFailure(errno).error("'\(path)' cannot be written")
            }
        }
        guard fsync(file.number) == 0 else { throw SystemFailure(errno).error("'\(path)' cannot be made durable") }
    }

    static func synchronize(folder: String) throws(ProcessingError) {
        let number = open(folder, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { throw SystemFailure(errno).error("'\(folder)' cannot be opened") }
        let file = Descriptor(number)
        guard fsync(file.number) == 0 else {
            throw SystemFailure(errno).error("'\(folder)' cannot be made durable")
        }
    }
}
