import Foundation
import Synchronization

/// What is on its way to a worker: sent at once as far as the socket takes it, the rest from a thread of its own.
///
/// So the reader of the worker never waits for the worker to read, and large values in both directions at once
/// cannot block each other.
final class Outbox: Sendable {
    private let socket: Descriptor
    private let rest = Mutex<[ArraySlice<UInt8>]>([])
    private let queue = DispatchQueue(label: "assay.outbox")

    init(_ socket: Descriptor) { self.socket = socket }

    /// Sends all of `bytes`, after all that was sent before; to a worker that has ended nothing is sent.
    func send(_ bytes: [UInt8]) {
        rest.withLock { rest in
            guard rest.isEmpty else { return rest.append(bytes[...]) }
            let sent = Self.write(bytes[...], to: socket, flags: Int32(MSG_DONTWAIT))
            guard let sent, sent < bytes.count else { return }
            rest.append(bytes[sent...])
            queue.async { [self] in flush() }
        }
    }

    /// Says that nothing more is sent, when all that was sent before is on its way.
    func close() { queue.async { [socket] in shutdown(socket.number, Int32(SHUT_WR)) } }

    private func flush() {
        while let next = rest.withLock({ $0.first }) {
            let sent = Self.write(next, to: socket, flags: 0)
            rest.withLock { rest in
                if sent == nil { rest = [] } else { rest.removeFirst() }
            }
        }
    }

    /// Sends bytes until there are no more or, if it must not wait, the socket is full.
    ///
    /// - Returns: how many were sent; `nil` when nobody reads any more.
    private static func write(_ bytes: ArraySlice<UInt8>, to socket: Descriptor, flags: Int32) -> Int? {
        bytes.withUnsafeBytes { bytes in
            var sent = 0
            while sent < bytes.count {
                let count = Foundation.send(
                    socket.number, bytes.baseAddress?.advanced(by: sent), bytes.count - sent, flags | quiet)
                if count >= 0 {
                    sent += count
                } else if errno == EAGAIN || errno == EWOULDBLOCK {
                    return sent
                } else if errno != EINTR {
                    return nil
                }
            }
            return sent
        }
    }

    /// Sends all of `bytes`, waiting for the other side as long as it takes.
    ///
    /// - Returns: `false` when nobody reads any more.
    static func sendAll(_ bytes: [UInt8], to socket: Descriptor) -> Bool {
        write(bytes[...], to: socket, flags: 0) == bytes.count
    }

    /// Sends all of `bytes` or, when the socket is full, nothing.
    static func sendIfRoom(_ bytes: [UInt8], to socket: Descriptor) {
        _ = write(bytes[...], to: socket, flags: Int32(MSG_DONTWAIT))
    }

    #if canImport(Darwin)
        private static let quiet: Int32 = 0
    #else
        private static let quiet = Int32(MSG_NOSIGNAL)
    #endif
}
