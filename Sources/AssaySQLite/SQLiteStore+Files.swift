public import Assay

extension SQLiteStore {
    public func fileDigests(of paths: [String]) async throws -> [String: FileDigest] {
        try await readAside { try $0.fileDigests(of: paths) }
    }

    public func save(_ digests: [FileDigest]) async throws { try await write { try $0.save(digests) } }
}

extension FileDigest {
    private static let columns = Columns("path, device, inode, size, modified, changed, digest, seal")
    static let selection = "SELECT \(columns) FROM file_digests"
    fileprivate static let insertion = "REPLACE INTO file_digests (\(columns)) VALUES (\(columns.marks))"
}

extension Connection {
    /// Returns the key for digests of values that must stay secret.
    func definitionKey() throws -> [UInt8] {
        let read = try statement("SELECT value FROM meta WHERE name = 'definition_key'")
        let digits = Array(try read.first { $0.text() }?.utf8 ?? "".utf8)
        let key = stride(from: 0, to: digits.count - 1, by: 2).compactMap { place in
            UInt8(String(decoding: digits[place...(place + 1)], as: UTF8.self), radix: 16)
        }
        guard key.count == 32 else { throw ProcessingError.damaged("the key of the store") }
        return key
    }

    fileprivate func fileDigests(of paths: [String]) throws -> [String: FileDigest] {
        let find = try prepare(FileDigest.selection + " WHERE path = ?")
        var found: [String: FileDigest] = [:]
        for path in paths {
            find.bind(path)
            // A file whose row is damaged is read again, and its row is replaced.
            found[path] = try? find.first { try $0.readFileDigest() }
        }
        return found
    }

    fileprivate func save(_ digests: [FileDigest]) throws {
        let insert = try prepare(FileDigest.insertion)
        for digest in digests {
            insert.bind(digest.path)
            insert.bind(Int64(bitPattern: digest.stamp.device))
            insert.bind(Int64(bitPattern: digest.stamp.inode))
            insert.bind(digest.stamp.size)
            insert.bind(digest.stamp.modified)
            insert.bind(digest.stamp.changed)
            insert.bind(digest.digest.text)
            insert.bindSeal()
            try insert.run()
        }
    }
}

extension SQLStatement {
    func readFileDigest() throws -> FileDigest {
        try sealed("the digest of a file") { row in
            let path = row.text()
            let (device, inode) = (UInt64(bitPattern: row.integer()), UInt64(bitPattern: row.integer()))
            let stamp = FileStamp(
                device: device, inode: inode, size: row.integer(), modified: row.integer(), changed: row.integer())
            return Digest(row.text()).map { FileDigest(path: path, stamp: stamp, digest: $0) }
        }
    }
}
