import Foundation

/// A source of bytes: the program's input, a file, or a list in tests.
package protocol ByteSource: Sendable {
    /// Returns up to `limit` bytes, waiting for the first; none at the end.
    ///
    /// - Throws: ``CommandFailure`` if they cannot be read.
    func read(_ limit: Int) throws -> [UInt8]

    /// Ends a waiting ``read(_:)`` as if the end had come. May be called from anywhere.
    func stop()

    /// Whether a user types it.
    var isTerminal: Bool { get }
}

extension ByteSource {
    package func stop() {}
    package var isTerminal: Bool { false }
}

/// A source for an open file of the system. It closes a file that it opened itself.
package final class DescriptorSource: ByteSource {
    private let descriptor: Int32
    private let name: String
    private let isOwned: Bool
    /// The two ends of a pipe. The first becomes readable when reading must stop.
    private let stopped = DescriptorSource.pipeEnds()

    /// Creates a source for the program's input.
    package init() { (descriptor, name, isOwned) = (0, "input", false) }

    /// Opens the file at `path`, which the user calls `name`.
    ///
    /// - Throws: ``CommandFailure`` if it does not exist or cannot be read.
    package init(path: String, name: String) throws {
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        (self.name, isOwned) = (name, true)
        guard descriptor >= 0 else { throw CommandFailure.unreadable(name, errno) }
    }

    deinit {
        if isOwned { close(descriptor) }
        for end in stopped { close(end) }
    }

    package var isTerminal: Bool { isatty(descriptor) == 1 }

    package func stop() { _ = Foundation.write(stopped[1], "x", 1) }

    private static func pipeEnds() -> [Int32] {
        var ends: [Int32] = [-1, -1]
        pipe(&ends)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return ends
    }

    package func read(_ limit: Int) throws -> [UInt8] {
        while true {
            var ready = [
                pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: stopped[0], events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&ready, 2, -1) > 0 else { continue }
            guard ready[1].revents == 0 else { return [] }
            var code: Int32 = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
                let got = Foundation.read(descriptor, buffer.baseAddress, limit)
                code = got < 0 ? errno : 0
                count = max(0, got)
            }
            switch code {
            case 0: return bytes
            case EINTR, EAGAIN: continue
            default: throw CommandFailure.unreadable(name, code)
            }
        }
    }
}

extension CommandFailure {
    /// Returns the failure for a file or folder that does not exist or cannot be read.
    package static func unreadable(_ name: String, _ code: Int32) -> CommandFailure {
        guard code != ENOENT, code != ENOTDIR else {
            return CommandFailure(.notFound, "\(name): no such file or folder")
        }
        let reason = String(cString: strerror(code)).lowercased()
        return CommandFailure(.inputOutput, "\(name): cannot be read: \(reason)")
    }
}
