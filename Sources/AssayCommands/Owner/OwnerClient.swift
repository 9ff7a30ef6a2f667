import Assay
import Foundation

/// A connection to the program that owns a store.
package final class OwnerClient: Sendable {
    /// An open socket, closed when neither the client nor its thread can name it any more: its number is given to another
    /// file at once.
    private final class Socket: Sendable {
        let descriptor: Int32

        init(_ descriptor: Int32) { self.descriptor = descriptor }

        deinit { close(descriptor) }
    }

    private let socket: Socket
    /// What it answers, until the connection ends.
    package let answers: AsyncThrowingStream<OwnerAnswer, any Error>

    /// Connects to the one who listens at `name` in `folder`; `nil` when nobody does.
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

    // Ends the thread that reads.
    deinit { shutdown(socket.descriptor, Int32(SHUT_RDWR)) }

    /// Asks.
    ///
    /// - Throws: ``CommandFailure`` when the other end has gone.
    package func ask(_ request: OwnerRequest) throws(CommandFailure) {
        guard send(Array((request.jsonValue.json + "\n").utf8)) else {
            throw CommandFailure(.unavailable, "the program that holds the run has gone")
        }
    }

    /// Sends what may be no request at all.
    ///
    /// - Returns: `false` when the other end has gone.
    @discardableResult package func send(_ bytes: [UInt8]) -> Bool { UnixSocket.send(bytes, to: socket.descriptor) }

    /// Reads to the end; the answer is why it is not a good one.
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
