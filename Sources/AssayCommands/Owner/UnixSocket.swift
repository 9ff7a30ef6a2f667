import Foundation

/// Sockets in the folder of a store, for this user's programs only.
///
/// A socket's address is at most 107 bytes, but a folder's path may be longer. So the folder is opened, and the socket
/// is named relative to it.
enum UnixSocket {
    /// Listens at `name` in `folder`, and replaces a dead program's socket. Only the owner of the folder may call it.
    static func listen(_ name: String, in folder: String) throws(CommandFailure) -> Int32 {
        try opened(folder) { place throws(CommandFailure) in
            var found = stat()
            if fstatat(place, name, &found, AT_SYMLINK_NOFOLLOW) == 0 {
                guard found.st_mode & S_IFMT == S_IFSOCK else {
                    throw CommandFailure(.inputOutput, "'\(folder)/\(name)' is not a socket; move it away")
                }
                _ = unlinkat(place, name, 0)
            }
            let descriptor = try make()
            // No one can connect before `listen`, so the permissions are right when it matters.
            guard with(name, in: place, { bind(descriptor, $0, $1) }) == 0,
                fchmodat(place, name, 0o600, 0) == 0, Foundation.listen(descriptor, 16) == 0
            else {
                let code = errno
                close(descriptor)
                throw failed("listen at", name, in: folder, code)
            }
            return descriptor
        }
    }

    /// Removes the socket of ``listen(_:in:)``. Only the owner of the folder may call it.
    static func remove(_ name: String, in folder: String) throws(CommandFailure) {
        try opened(folder) { place throws(CommandFailure) in _ = unlinkat(place, name, 0) }
    }

    /// Connects to the program that listens at `name` in `folder`; `nil` if there is none.
    static func connect(_ name: String, in folder: String) throws(CommandFailure) -> Int32? {
        try opened(folder) { place throws(CommandFailure) in
            let descriptor = try make()
            guard with(name, in: place, { Foundation.connect(descriptor, $0, $1) }) == 0 else {
                let code = errno
                close(descriptor)
                guard [ENOENT, ECONNREFUSED].contains(code) else { throw failed("connect to", name, in: folder, code) }
                return nil
            }
            return descriptor
        }
    }

    /// Returns the user at the other end.
    static func peer(of descriptor: Int32) -> uid_t? {
        #if os(Linux)
            // Process, user and group, four bytes each.
            var credentials: (pid_t, uid_t, gid_t) = (0, uid_t.max, 0)
            var length = socklen_t(MemoryLayout.size(ofValue: credentials))
            guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0 else { return nil }
            return credentials.1
        #else
            var (user, group) = (uid_t.max, gid_t.max)
            return getpeereid(descriptor, &user, &group) == 0 ? user : nil
        #endif
    }

    /// Makes sending to a slow peer fail after `seconds`.
    static func limitSending(_ descriptor: Int32, seconds: Int) {
        // The words of a `timeval`. Its fields belong to another module as soon as a further C module is present.
        let limit = [seconds, 0]
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, limit, socklen_t(2 * MemoryLayout<Int>.size))
    }

    /// Sends all of `bytes`; returns `false` if the peer has gone or does not accept them.
    static func send(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var start = 0
        while start < bytes.count {
            let count = bytes.withUnsafeBytes {
                Foundation.send(descriptor, $0.baseAddress! + start, bytes.count - start, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else {
                if count < 0, errno == EINTR { continue }
                return false
            }
            start += count
        }
        return true
    }

    /// Returns the bytes that have arrived; empty at the end or when the connection is broken.
    static func receive(from descriptor: Int32) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 4_096) { buffer, count in
            var got = -1
            repeat { got = recv(descriptor, buffer.baseAddress, 4_096, 0) } while got < 0 && errno == EINTR
            count = max(0, got)
        }
    }

    private static func opened<Value>(
        _ folder: String, _ body: (Int32) throws(CommandFailure) -> Value
    ) throws(CommandFailure) -> Value {
        let place = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard place >= 0 else { throw CommandFailure.unreadable(folder, errno) }
        defer { close(place) }
        return try body(place)
    }

    private static func make() throws(CommandFailure) -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_UNIX, kind, 0)
        guard descriptor >= 0 else {
            throw CommandFailure(
                .inputOutput, "no socket can be made: \(String(cString: strerror(errno)).lowercased())")
        }
        return descriptor
    }

    private static func with(
        _ name: String, in place: Int32, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: "/proc/self/fd/\(place)/\(name)".utf8) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    private static func failed(_ what: String, _ name: String, in folder: String, _ code: Int32) -> CommandFailure {
        CommandFailure(
            .inputOutput, "cannot \(what) '\(folder)/\(name)': \(String(cString: strerror(code)).lowercased())")
    }
}
