import Foundation

/// Where bytes come from: the program's input, a file, or a list in tests.
package protocol ByteSource: Sendable {
    /// Up to `limit` bytes, waiting for the first; none at the end.
    ///
    /// - Throws: ``CommandFailure`` when they cannot be read.
    func read(_ limit: Int) throws -> [UInt8]

    /// Ends a ``read(_:)`` that waits, as if the end had come; may be called from anywhere.
    func stop()

    /// Whether somebody types it.
    var isTerminal: Bool { get }
}

extension ByteSource {
    package func stop() {}
    package var isTerminal: Bool { false }
}

/// An open file of the system; a file of its own is closed with it.
package final class DescriptorSource: ByteSource {
    private let descriptor: Int32
    private let name: String
    private let isOwned: Bool
    /// Two ends of a pipe; the first becomes readable when nothing more shall be read.
    private let stopped = DescriptorSource.pipeEnds()

    /// The program's input.
    package init() { (descriptor, name, isOwned) = (0, "input", false) }

    /// The file at `path`, which the user calls `name`.
    ///
    /// - Throws: ``CommandFailure`` when it is not there or cannot be read.
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
    /// The refusal of a file or folder that is not there or cannot be read.
    package static func unreadable(_ name: String, _ code: Int32) -> CommandFailure {
        guard code != ENOENT, code != ENOTDIR else {
            return CommandFailure(.notFound, "\(name): no such file or folder")
        }
        let reason = String(cString: strerror(code)).lowercased()
        return CommandFailure(.inputOutput, "\(name): cannot be read: \(reason)")
    }
}
