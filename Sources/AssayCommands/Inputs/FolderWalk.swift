import Foundation

/// The files of a folder and its subfolders, ordered by the bytes of their paths. Of what is not reached yet, only the
/// entries of the folders on the way are in memory.
///
/// Hidden files and folders are skipped, and so is a link that leads back to a folder that was already entered.
package struct FolderWalk: Sendable {
    /// An entry that was found.
    package enum Found: Equatable, Sendable {
        /// A file, or another entry that is not a folder and must be reported.
        case file(String)
        /// An entry that cannot be an input, with the reason.
        case refused(String, because: String)
    }

    private enum Entry: Sendable {
        case folder(String)
        case found(Found)
    }

    private struct Place: Hashable, Sendable {
        let device, inode: UInt64
    }

    private let place: @Sendable (String) -> String
    private var waiting: [Entry]
    private var entered: Set<Place> = []

    /// Creates a walk over the files below `folder`, as the user calls it.
    ///
    /// - Parameter place: turns such a path into one that the system understands.
    package init(_ folder: String, place: @escaping @Sendable (String) -> String) {
        self.place = place
        waiting = [.folder(folder)]
    }

    /// Returns the next entry; `nil` at the end.
    package mutating func next() -> Found? {
        while let entry = waiting.popLast() {
            switch entry {
            case .found(let found): return found
            case .folder(let path): waiting += contents(of: path).reversed()
            }
        }
        return nil
    }

    /// Returns the contents of a folder, ordered by the bytes of the whole paths below it.
    private mutating func contents(of folder: String) -> [Entry] {
        guard let stream = opendir(place(folder)) else {
            let reason = String(cString: strerror(errno))
            return [
                .found(
                    .refused(
                        folder, because: "the folder \(folder) cannot be read: \(reason); its files are not worked on"))
            ]
        }
        defer { closedir(stream) }
        var found = stat()
        guard fstat(dirfd(stream), &found) == 0,
            entered.insert(Place(device: UInt64(found.st_dev), inode: UInt64(found.st_ino))).inserted
        else { return [] }
        var entries: [(key: String, entry: Entry)] = []
        let prefix = folder.hasSuffix("/") ? folder : folder + "/"
        while let item = readdir(stream) {
            let bytes = withUnsafePointer(to: &item.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { name in
                    (0..<strlen(name)).map { UInt8(bitPattern: name[$0]) }
                }
            }
            guard bytes.first != UInt8(ascii: ".") else { continue }
            guard let name = String(validating: bytes, as: UTF8.self) else {
                let shown = bytes.map(Self.escaped).joined()
                let message = "the name of \(prefix)\(shown) is not UTF-8; rename it"
                entries.append((shown, .found(.refused(prefix + shown, because: message))))
                continue
            }
            // The files of a folder sort at the folder's name with a slash.
            if isFolder(prefix + name, hint: Int32(item.pointee.d_type)) {
                entries.append((name + "/", .folder(prefix + name)))
            } else {
                entries.append((name, .found(.file(prefix + name))))
            }
        }
        entries.sort { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        return entries.map(\.entry)
    }

    /// Returns a byte of a name that is not text, in printable form.
    private static func escaped(_ byte: UInt8) -> String {
        (0x20..<0x7F).contains(byte) && byte != UInt8(ascii: "\\")
            ? String(UnicodeScalar(byte)) : "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }

    /// Returns whether `path` is a folder.
    private func isFolder(_ path: String, hint: Int32) -> Bool {
        switch hint {
        case Int32(DT_REG): return false
        case Int32(DT_DIR): return true
        default:
            var found = stat()
            return stat(place(path), &found) == 0 && found.st_mode & S_IFMT == S_IFDIR
        }
    }
}
