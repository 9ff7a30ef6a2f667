import Assay
import Foundation

/// A connection to the program that owns a store.
package final class OwnerClient: Sendable {
    /// An open socket, closed only when neither the client nor its thread can use its number any longer, because the
    /// system reuses the number at once.
    private final class Socket: Sendable {
        let descriptor: Int32

        init(_ descriptor: Int32) { self.descriptor = descriptor }

        deinit { close(descriptor) }
    }

    private let socket: Socket
    /// The owner's answers, until the connection ends.
    package let answers: AsyncThrowingStream<OwnerAnswer, any Error>

    /// Connects to the program that listens at `name` in `folder`; `nil` if there is none.
    package init?(_ name: String, in folder: String) throws(CommandFailure) {
        guard let descriptor = try UnixSocket.connect(name, in: folder) else { return nil }
        let socket = Socket(descriptor)
        self.socket = socket
        let (stream, continuation) = AsyncThrowingStream.makeStream(of: OwnerAnswer.self)
        answers = stream
        let thread = Thread {
            continuation.finish(throwing: Self.read(socket) { continuation.yield($0) })
        }
        thread.name = "assay.client"
        thread.start()
    }

    // Ends the reading thread.
    deinit { shutdown(socket.descriptor, Int32(SHUT_RDWR)) }

    /// Sends a request.
    ///
    /// - Throws: ``CommandFailure`` if the peer has gone.
    package func ask(_ request: OwnerRequest) throws(CommandFailure) {
        guard send(Array((request.jsonValue.json + "\n").utf8)) else {
            throw CommandFailure(.unavailable, "the program that holds the run has gone")
        }
    }

    /// Sends bytes that need not be a request.
    ///
    /// - Returns: `false` if the peer has gone.
    @discardableResult package func send(_ bytes: [UInt8]) -> Bool { UnixSocket.send(bytes, to: socket.descriptor) }

    /// Reads to the end and returns the error if the end is not a clean one.
    private static func read(_ socket: Socket, _ body: (OwnerAnswer) -> Void) -> (any Error)? {
        var buffer = LineBuffer()
        do {
            while true {
                while let line = try buffer.next() { body(try OwnerAnswer(line: line)) }
                let bytes = UnixSocket.receive(from: socket.descriptor)
                guard !bytes.isEmpty else { return nil }
                buffer.add(bytes)
            }
        } catch { return error }
    }
}
