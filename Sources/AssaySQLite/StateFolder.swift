import Assay
import Foundation
import Synchronization

/// The folder that belongs to a store: nobody else may write in it, and one program at a time owns it.
struct StateFolder: Sendable {
    static let lockName = "owner.lock"
    /// Where the owner answers other programs of the user.
    static let socketName = "owner.sock"

    /// The folder's path from the root on.
    let path: String
    /// The database in it.
    let database: String

    /// Names the folder of the database at `path`, which may be relative to the working folder.
    init(ofDatabase path: String) throws(ProcessingError) {
        let absolute = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
        guard let slash = absolute.lastIndex(of: "/"), absolute.index(after: slash) < absolute.endIndex else {
            throw ProcessingError(
                .store, "'\(path)' does not name a database file; use a path such as .assay/assay.db", retryable: false)
        }
        database = absolute
        self.path = slash == absolute.startIndex ? "/" : String(absolute[..<slash])
    }

    /// Makes the folder and an empty database where they are missing, both for this user alone, takes the rights of
    /// others to read from those that are there, and refuses those that others could have prepared.
    ///
    /// - Parameter check: refuses a database that is there before anything of it is changed.
    func prepare(checking check: () throws -> Void) throws {
        if try !exists(path, as: S_IFDIR) {
            guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw failed("create the folder", path) }
            _ = try exists(path, as: S_IFDIR)
            Self.synchronize(path + "/..")
        }
        let isThere = try exists(database, as: S_IFREG)
        if isThere {
            try examineLog()
            try check()
        }
        if isAlone { try tighten(path, to: 0o700) }
        if isThere {
            for suffix in ["", "-wal", "-shm"] { try tighten(database + suffix, to: 0o600) }
            return
        }
        // SQLite gives its log the rights of the database, whatever the umask is.
        let file = open(database, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failed("create", database) }
        close(file)
        Self.synchronize(path)
    }

    /// Makes what was created or renamed in a folder outlive a power cut.
    static func synchronize(_ folder: String) {
        let descriptor = open(folder, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    /// Refuses a folder or database that is not there or that others could have prepared.
    func examine() throws(ProcessingError) {
        guard try exists(path, as: S_IFDIR), try exists(database, as: S_IFREG) else {
            throw ProcessingError(
                .store, "there is no store at '\(database)'; name one with --store or make one by a run",
                retryable: false)
        }
        try examineLog()
    }

    /// Whether the folder holds nothing but the store. One that holds other things as well, as the root of a disk or a
    /// user's home does, is not the store's to close to others; its files are all the same.
    private var isAlone: Bool {
        let name = (database as NSString).lastPathComponent
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else { return false }
        return names.allSatisfy { found in
            [Self.lockName, Self.socketName, name].contains(found) || found.hasPrefix(name + "-")
                || found.hasPrefix(name + ".")
        }
    }

    /// Leaves `path`, if there is something, to this user alone.
    private func tighten(_ path: String, to mode: mode_t) throws(ProcessingError) {
        var found = stat()
        guard lstat(path, &found) == 0, found.st_mode & 0o077 != 0 else { return }
        // Not through a descriptor: closing one would undo the locks of SQLite in this process.
        guard fchmodat(AT_FDCWD, path, mode, AT_SYMLINK_NOFOLLOW) == 0 else { throw failed("close to others", path) }
    }

    private func examineLog() throws(ProcessingError) {
        for suffix in ["-wal", "-shm"] { _ = try exists(database + suffix, as: S_IFREG) }
    }

    /// Whether there is something at `path`.
    ///
    /// - Throws: ``ProcessingError`` when it is of another type, somebody else's, or open to others.
    private func exists(_ path: String, as type: mode_t) throws(ProcessingError) -> Bool {
        var found = stat()
        guard lstat(path, &found) == 0 else {
            if errno == ENOENT { return false }
            throw failed("look at", path)
        }
        switch found.st_mode & S_IFMT {
        case type: break
        case S_IFLNK: throw refused(path, "is a symbolic link", "name the place it leads to instead")
        default: throw refused(path, "is not a \(type == S_IFDIR ? "folder" : "file")", "choose another path")
        }
        guard found.st_uid == geteuid() else {
            throw refused(path, "belongs to another user (\(found.st_uid))", "use a folder of your own")
        }
        guard found.st_mode & 0o022 == 0 else {
            throw refused(path, "can be written by others", "run: chmod go-w '\(path)'")
        }
        return true
    }

    /// Makes this program the owner until the ownership is given up or the program ends.
    ///
    /// - Parameter holder: who owns the database, as far as that is on record in it.
    /// - Throws: ``ProcessingError`` at once, naming the holder, when another one is.
    func own(at moment: Timestamp, otherwise holder: () -> String?) throws(ProcessingError) -> Ownership {
        let name = path + "/" + Self.lockName
        let lock = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw failed("open", name) }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            defer { close(lock) }
            guard code == EWOULDBLOCK else { throw failed("lock", name) }
            throw inUse(by: Ownership.note(lock).holder ?? holder())
        }
        // Removing the lock file does not make the store free.
        guard let file = DatabaseFile(database, forWriting: true) else {
            defer { close(lock) }
            throw failed("open", database)
        }
        guard file.take(.ownership) else {
            let code = errno
            file.close()
            close(lock)
            errno = code
            guard code == EAGAIN || code == EACCES else { throw failed("lock", database) }
            throw inUse(by: holder())
        }
        // Those who wait for the end of an owner have this for a moment.
        guard file.take(.life, waiting: true) else { throw failed("lock", database) }
        try tighten(name, to: 0o600)
        return Ownership(lock: lock, file, at: moment)
    }

    /// What the last owner left in its lock file.
    var ownerNote: Ownership.Note {
        let lock = open(path + "/" + Self.lockName, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard lock >= 0 else { return Ownership.Note([]) }
        defer { close(lock) }
        return Ownership.note(lock)
    }

    private func inUse(by holder: String?) -> ProcessingError {
        ProcessingError(
            .store, "the store '\(database)' is in use by \(holder ?? "another program"); end that program first",
            retryable: true)
    }

    private func refused(_ path: String, _ what: String, _ remedy: String) -> ProcessingError {
        ProcessingError(.store, "'\(path)' \(what); \(remedy)", retryable: false)
    }

    private func failed(_ what: String, _ path: String) -> ProcessingError {
        let reason = String(cString: strerror(errno))
        return ProcessingError(
            .store, "cannot \(what) '\(path)': \(reason); check the path and its rights", retryable: false)
    }
}
