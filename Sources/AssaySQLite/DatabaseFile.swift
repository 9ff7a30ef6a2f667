import Assay
import Foundation
import Synchronization

/// The database's own file, open beside SQLite.
///
/// A program that closes any descriptor of a file loses all POSIX locks it has on it, and SQLite relies on those. So a
/// descriptor that was opened here is closed only when no store of this program uses the file any more; every store
/// has one of these from before SQLite opens the file until after SQLite has closed it.
final class DatabaseFile: Sendable {
    /// A file, whatever it is called.
    struct Identity: Hashable, Sendable {
        let device, inode: UInt64

        init(_ found: stat) { (device, inode) = (UInt64(found.st_dev), UInt64(found.st_ino)) }

        /// What lies at `path` now; `nil` when there is nothing.
        init?(path: String) {
            var found = stat()
            guard lstat(path, &found) == 0 else { return nil }
            self.init(found)
        }
    }

    private struct Use {
        var users = 0
        var retired: [Int32] = []
    }

    private static let inUse = Mutex<[Identity: Use]>([:])

    let path: String
    let descriptor: Int32
    let identity: Identity
    private let isOpen = Mutex(true)

    /// Opens what lies at `path`; `nil` with `errno` when it cannot be opened.
    init?(_ path: String, forWriting: Bool) {
        let descriptor = open(path, (forWriting ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        var found = stat()
        fstat(descriptor, &found)
        self.path = path
        self.descriptor = descriptor
        identity = Identity(found)
        Self.inUse.withLock { $0[identity, default: Use()].users += 1 }
    }

    deinit { close() }

    /// Says that SQLite has closed the file for the connection that opened this.
    func close() {
        guard
            isOpen.withLock({ isOpen in
                defer { isOpen = false }
                return isOpen
            })
        else { return }
        Self.inUse.withLock { inUse in
            var use = inUse[identity] ?? Use()
            use.users -= 1
            use.retired.append(descriptor)
            if use.users <= 0 {
                for descriptor in use.retired { _ = Foundation.close(descriptor) }
                inUse[identity] = nil
            } else {
                inUse[identity] = use
            }
        }
    }

    /// Whether the path still leads to this file.
    var isInPlace: Bool { Identity(path: path) == identity }

    /// The first bytes of the file, at most `count`.
    func head(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let length = pread(descriptor, &bytes, count, 0)
        return Array(bytes.prefix(max(0, length)))
    }
}

extension DatabaseFile {
    /// Bytes of the file that nobody writes, far behind those that SQLite locks. Their locks belong to an open file
    /// description: what else this program opens and closes does not touch them, and they go with the program.
    enum Mark: off_t {
        /// Held by the owner; only a program that wants to own the file asks for it.
        case ownership = 0x0FFF_FFFF_FFFF_0000
        /// Held by the owner as well; a program that waits for the owner's end asks for it.
        case life = 0x0FFF_FFFF_FFFF_0001
    }

    /// Takes a mark.
    ///
    /// - Parameter waiting: whether to wait for its present holder.
    /// - Returns: `false` with `errno`.
    func take(_ mark: Mark, waiting: Bool = false) -> Bool {
        var request = Self.request(Int16(F_WRLCK), mark)
        var result: Int32
        repeat {
            result = fcntl(descriptor, waiting ? Self.setAndWait : Self.set, &request)
        } while result < 0
            && errno == EINTR
        return result == 0
    }

    /// Gives a mark back.
    func give(_ mark: Mark) {
        var request = Self.request(Int16(F_UNLCK), mark)
        _ = fcntl(descriptor, Self.set, &request)
    }

    /// Whether somebody else has a mark; takes nothing.
    func isTaken(_ mark: Mark) -> Bool {
        var request = Self.request(Int16(F_WRLCK), mark)
        return fcntl(descriptor, Self.get, &request) == 0 && request.l_type != Int16(F_UNLCK)
    }

    /// Returns when nobody has a mark.
    func waitUntilFree(_ mark: Mark) {
        var request = Self.request(Int16(F_RDLCK), mark)
        while fcntl(descriptor, Self.setAndWait, &request) < 0, errno == EINTR {}
        give(mark)
    }

    private static func request(_ type: Int16, _ mark: Mark) -> flock {
        var request = flock()
        request.l_type = type
        request.l_whence = Int16(SEEK_SET)
        (request.l_start, request.l_len) = (mark.rawValue, 1)
        return request
    }

    // The commands for locks of open file descriptions, which the system's headers do not show to every program.
    #if canImport(Darwin)
        private static let (set, setAndWait, get): (Int32, Int32, Int32) = (90, 91, 92)
    #else
        private static let (get, set, setAndWait): (Int32, Int32, Int32) = (36, 37, 38)
    #endif
}
