import Foundation

/// The files of a folder and the folders in it, by the bytes of their paths; of what is not reached yet, only the
/// names of the folders on the way are in memory.
///
/// Hidden files and folders are left out, and so is a link that leads back to a folder that was entered already.
package struct FolderWalk {
    private struct Entry {
        let path: String
        let isFolder: Bool
    }

    private struct Place: Hashable {
        let device, inode: UInt64
    }

    private let place: (String) -> String
    private var waiting: [Entry]
    private var entered: Set<Place> = []

    /// The files below `folder`, as the user calls it.
    ///
    /// - Parameter place: turns such a path into one the system understands.
    package init(_ folder: String, place: @escaping (String) -> String) {
        self.place = place
        waiting = [Entry(path: folder, isFolder: true)]
    }

    /// The next file's path.
    ///
    /// - Throws: ``CommandFailure`` when a folder cannot be read.
    package mutating func next() throws -> String? {
        while let entry = waiting.popLast() {
            guard entry.isFolder else { return entry.path }
            waiting += try contents(of: entry.path).reversed()
        }
        return nil
    }

    /// What is in a folder, by the bytes of the whole paths below it.
    private mutating func contents(of folder: String) throws -> [Entry] {
        guard let stream = opendir(place(folder)) else { throw CommandFailure.unreadable(folder, errno) }
        defer { closedir(stream) }
        var found = stat()
        guard fstat(dirfd(stream), &found) == 0,
            entered.insert(Place(device: UInt64(found.st_dev), inode: UInt64(found.st_ino))).inserted
        else { return [] }
        var entries: [(key: String, entry: Entry)] = []
        let prefix = folder.hasSuffix("/") ? folder : folder + "/"
        while let item = readdir(stream) {
            let name = withUnsafePointer(to: &item.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(validatingCString: $0) }
            }
            guard let name else {
                throw CommandFailure(.invalidData, "\(folder): a file name in it is not UTF-8; rename the file")
            }
            guard !name.hasPrefix("."), let isFolder = kind(of: prefix + name, hint: Int32(item.pointee.d_type)) else {
                continue
            }
            // A folder's files stand where the folder's name with its slash does.
            entries.append((isFolder ? name + "/" : name, Entry(path: prefix + name, isFolder: isFolder)))
        }
        entries.sort { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        return entries.map(\.entry)
    }

    /// Whether `path` is a folder; `nil` for what is neither folder nor file.
    private func kind(of path: String, hint: Int32) -> Bool? {
        switch hint {
        case Int32(DT_REG): return false
        case Int32(DT_DIR): return true
        case Int32(DT_LNK), Int32(DT_UNKNOWN):
            var found = stat()
            guard stat(place(path), &found) == 0 else { return nil }
            switch found.st_mode & S_IFMT {
            case S_IFREG: return false
            case S_IFDIR: return true
            default: return nil
            }
        default: return nil
        }
    }
}
