import Synchronization

/// The files that a processor is made of: its program, what that is given, and what it depends on.
///
/// They are read when a run begins, as far as their contents are not on record, or when somebody first asks for their
/// digests, and looked at again before and after each attempt.
package final class DefinitionFiles: Sendable {
    /// One of the files.
    package struct Entry: Hashable, Sendable {
        /// The name by which it is told, and known wherever its folder lies.
        package let name: String
        /// Where it lies, from the root on.
        package let path: String
        /// Whether its content counts; else it is known by its path.
        package let isRead: Bool

        /// A file of the given parts.
        package init(name: String, path: String, isRead: Bool) {
            (self.name, self.path, self.isRead) = (name, path, isRead)
        }
    }

    private struct Content {
        let digest: Digest
        let stamp: FileStamp?

        /// What was read of `file`.
        init(_ file: InputFile) {
            digest = file.digest ?? DefinitionFiles.unreadable
            if case .known(_, _, let stamp) = file.content { self.stamp = stamp } else { stamp = nil }
        }
    }

    /// The files.
    package let entries: [Entry]
    private let now: @Sendable () -> Timestamp
    private let contents = Mutex<[String: Content]>([:])

    /// The files that `entries` name.
    ///
    /// - Parameter now: the clock with which the times of files are compared.
    package init(_ entries: [Entry], now: @escaping @Sendable () -> Timestamp = { World.system.time.now() }) {
        (self.entries, self.now) = (entries, now)
    }

    /// These files and others.
    package func adding(_ others: [Entry]) -> DefinitionFiles {
        DefinitionFiles(entries + others.filter { !entries.contains($0) }, now: now)
    }

    /// Stands for the content of a file that cannot be read.
    private static let unreadable = Digest(hashing: "unreadable")

    /// The digests of all files by their names; blocks when they have not been read yet.
    var digests: [String: Digest] {
        var digests: [String: Digest] = [:]
        for entry in entries {
            digests[entry.name] = entry.isRead ? content(of: entry).digest : Digest(hashing: entry.path)
        }
        return digests
    }

    private func content(of entry: Entry) -> Content {
        if let known = contents.withLock({ $0[entry.path] }) { return known }
        let read = Self.read(entry, at: now())
        return contents.withLock { contents in
            // Of two that read it at once the first one counts for both.
            if let known = contents[entry.path] { return known }
            contents[entry.path] = read
            return read
        }
    }

    private static func read(_ entry: Entry, at moment: Timestamp) -> Content {
        Content(InputFile(path: entry.path).read(at: moment))
    }

    /// Reads the files that nobody has read yet, as far as their contents are not on record.
    func read(by intake: FileIntake) async throws {
        let unread = contents.withLock { known in entries.filter { $0.isRead && known[$0.path] == nil } }
        guard !unread.isEmpty else { return }
        let files = try await intake.read(unread.map { InputFile(path: $0.path) })
        contents.withLock { contents in
            for (entry, file) in zip(unread, files) where contents[entry.path] == nil {
                contents[entry.path] = Content(file)
            }
        }
    }

    /// Makes sure that the files are what they were when they were first read; blocks for a look at their status, or for
    /// reading them where that is not enough.
    ///
    /// - Throws: ``ProcessingError`` with code `definition_changed` naming the file that is not.
    func verify() throws(ProcessingError) {
        for entry in entries where entry.isRead {
            let known = content(of: entry)
            if let stamp = known.stamp, (try? InputFile.stamp(of: entry.path)) == stamp { continue }
            let read = Self.read(entry, at: now())
            guard read.digest == known.digest else {
                throw ProcessingError(
                    .definitionChanged,
                    "the file '\(entry.name)' has changed since the run began; results of both must not be mixed, so run "
                        + "it again, or resume it with --on-change keep or restart", retryable: false)
            }
            contents.withLock { $0[entry.path] = read }
        }
    }
}

extension RegisteredProcessor {
    /// The files that it is made of, or that its nodes are.
    var filesOfDefinition: [DefinitionFiles] {
        (files.map { [$0] } ?? []) + (nodes ?? []).flatMap(\.processor.filesOfDefinition)
    }

    /// Finds out the contents of the files that it is made of.
    ///
    /// - Parameters:
    ///   - rereads: whether to read all of them, whatever is on record.
    ///   - records: whether what is read is put on record.
    func readFiles(in store: any Store, _ time: any TimeSource, rereads: Bool, records: Bool) async throws {
        let intake = FileIntake(store, time, records: records, rereads: rereads)
        for files in filesOfDefinition { try await files.read(by: intake) }
    }
}
