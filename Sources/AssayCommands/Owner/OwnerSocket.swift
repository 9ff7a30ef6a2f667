import Assay
@preconcurrency import Dispatch
import Foundation
import Synchronization

/// Answers programs of the same user that ask about the run that this program carries through.
///
/// Works on threads of its own, one to listen and one a connection, so that nobody who is slow keeps a run waiting.
package final class OwnerSocket: Sendable {
    private static let mostConnections = 16

    private let name: String
    private let folder: String
    private let descriptor: Int32
    private let desk: OwnerDesk
    private let bell = Bell()
    private let threads = DispatchGroup()
    private let connections = Mutex(0)

    /// Listens at `name` in `folder`, which this program owns.
    package init(_ name: String, in folder: String, desk: OwnerDesk) throws(CommandFailure) {
        (self.name, self.folder, self.desk) = (name, folder, desk)
        descriptor = try UnixSocket.listen(name, in: folder)
        desk.listen(bell)
        start("assay.owner") { [self] in listen() }
    }

    /// Ends all connections once they have been told how the run ended, and takes the socket away.
    package func close() async {
        desk.close()
        await withCheckedContinuation { continuation in
            threads.notify(queue: .global()) { continuation.resume() }
        }
        desk.leave(bell)
        Foundation.close(descriptor)
        // A socket that stays is replaced by the next owner.
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
            let peer = accept(descriptor, nil, nil)
            guard peer >= 0 else { continue }
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
                OwnerConnection(peer, desk).serve()
                connections.withLock { $0 -= 1 }
            }
        }
    }
}
