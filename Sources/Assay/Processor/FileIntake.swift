/// A reader for the files of new items. It reads as many at once as there are cores, and skips files whose content is
/// on record.
struct FileIntake: Sendable {
    private let store: any Store
    private let time: any TimeSource
    /// Whether the digests of read files are recorded.
    private let records: Bool
    /// Whether every file is read, even when its content is on record.
    private let rereads: Bool

    init(_ store: any Store, _ time: any TimeSource, records: Bool, rereads: Bool) {
        (self.store, self.time, self.records, self.rereads) = (store, time, records, rereads)
    }

    /// Returns the items with the content of their files, for all files that can be read.
    func read(_ items: [Item]) async throws -> [Item] {
        let places = items.indices.filter { items[$0].file?.needsReading == true }
        guard !places.isEmpty else { return items }
        let files = try await read(places.compactMap { items[$0].file })
        var items = items
        for (place, file) in zip(places, files) { items[place] = items[place].with(file) }
        return items
    }

    /// The files with their contents known as far as they can be read.
    func read(_ files: [InputFile]) async throws -> [InputFile] {
        let moment = time.now()
        let known = rereads ? [:] : try await store.fileDigests(of: files.map(\.path))
        let read = await withTaskGroup(of: (Int, InputFile).self) { group in
            var read = files
            for (place, file) in files.enumerated() {
                if let stamp = try? InputFile.stamp(of: file.path), let entry = known[file.path], entry.stamp == stamp {
                    read[place].content = .known(entry.digest, size: Int(stamp.size), stamp)
                } else {
                    group.addTask { (place, file.read(at: moment)) }
                }
            }
            for await (place, file) in group { read[place] = file }
            return read
        }
        if records {
            let new = read.compactMap { file -> FileDigest? in
                guard case .known(let digest, _, let stamp?) = file.content, known[file.path]?.stamp != stamp else {
                    return nil
                }
                return FileDigest(path: file.path, stamp: stamp, digest: digest)
            }
            if !new.isEmpty { try await store.save(new) }
        }
        return read
    }
}
