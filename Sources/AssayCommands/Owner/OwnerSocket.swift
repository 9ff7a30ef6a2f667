import Assay
@preconcurrency import Dispatch
import Foundation
import Synchronization

/// A server for programs of the same user that ask about this program's run.
///
/// It has one thread for listening and one per connection, so that a slow client never delays a run.
package final class OwnerSocket: Sendable {
    private static let mostConnections = 16
    /// The time without accepting connections after descriptors or memory ran out, in milliseconds.
    private static let pause: Int32 = 100

    private let name: String
    private let folder: String
    private let descriptor: Int32
    private let desk: OwnerDesk
    private let bell: Bell
    private let accept: @Sendable (Int32) -> Int32
    private let threads = DispatchGroup()
    private let connections = Mutex(0)

    /// Listens at `name` in `folder`, which this program owns.
    ///
    /// - Parameter accept: accepts the next connection of a socket, like the system's function of that name.
    /// - Throws: ``CommandFailure`` if no socket is available.
    package init(
        _ name: String, in folder: String, desk: OwnerDesk,
        accept: @escaping @Sendable (Int32) -> Int32 = { Foundation.accept($0, nil, nil) }
    ) throws(CommandFailure) {
        (self.name, self.folder, self.desk, self.accept) = (name, folder, desk, accept)
        bell = try Bell()
        descriptor = try UnixSocket.listen(name, in: folder)
        desk.listen(bell)
        start("assay.owner") { [self] in listen() }
    }

    /// Ends all connections once they have received the end of the run, and removes the socket.
    package func close() async {
        desk.close()
        await withCheckedContinuation { continuation in
            threads.notify(queue: .global()) { continuation.resume() }
        }
        desk.leave(bell)
        Foundation.close(descriptor)
        // The next owner replaces a socket that remains.
        try? UnixSocket.remove(name, in: folder)
    }

    private func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
        threads.enter()
        let thread = Thread { [threads] in
            body()
            threads.leave()
        }
        thread.name = name
        thread.start()
    }

    private func listen() {
        while !desk.isClosing {
            var ready = [
                pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: bell.descriptor, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&ready, 2, -1) > 0 else { continue }
            bell.silence()
            guard ready[0].revents != 0 else { continue }
            let peer = accept(descriptor)
            guard peer >= 0 else {
                // A client that could not be accepted still waits, and `poll` would report it endlessly.
                if [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(errno) { rest() }
                continue
            }
            _ = fcntl(peer, F_SETFD, FD_CLOEXEC)
            let isWelcome = connections.withLock { count in
                guard count < Self.mostConnections else { return false }
                count += 1
                return true
            }
            guard isWelcome else {
                Foundation.close(peer)
                continue
            }
            start("assay.owner.peer") { [self] in
                // Without a bell the client could not be notified of changes, so the connection is closed silently.
                do { try OwnerConnection(peer, desk).serve() } catch { Foundation.close(peer) }
                connections.withLock { $0 -= 1 }
            }
        }
    }

    /// Waits until descriptors may be available again, or the program ends.
    private func rest() {
        var ready = [pollfd(fd: bell.descriptor, events: Int16(POLLIN), revents: 0)]
        _ = poll(&ready, 1, Self.pause)
    }
}
