internal import CSpawn
import Foundation
import Synchronization

/// A file descriptor that is closed exactly once: on request, or when the last reference to it is gone.
package final class Descriptor: Sendable {
    /// The number, valid until it is closed.
    package let number: Int32
    private let isOpen = Mutex(true)

    /// Takes ownership of `number`.
    package init(_ number: Int32) { self.number = number }

    deinit { close() }

    /// Closes the descriptor; a second call does nothing. No one may be reading from it.
    package func close() {
        let wasOpen = isOpen.withLock { isOpen in
            defer { isOpen = false }
            return isOpen
        }
        if wasOpen { _ = Foundation.close(number) }
    }

    /// Creates a pipe that children do not inherit by default.
    ///
    /// - Throws: ``ProcessingError`` with code `runner_unavailable` when there are no descriptors left.
    package static func pipe() throws(ProcessingError) -> (read: Descriptor, write: Descriptor) {
        let (read, write) = try pair("a pipe", assay_pipe)
        return (read, write)
    }

    /// Creates two connected stream sockets that children do not inherit by default.
    ///
    /// - Throws: ``ProcessingError`` with code `runner_unavailable` when there are no descriptors left.
    package static func socketPair() throws(ProcessingError) -> (Descriptor, Descriptor) {
        try pair("a pair of sockets", assay_socket_pair)
    }

    private static func pair(
        _ what: String, _ make: (UnsafeMutablePointer<Int32>) -> Int32
    ) throws(ProcessingError) -> (Descriptor, Descriptor) {
        var ends: [Int32] = [-1, -1]
        let code = make(&ends)
        guard code == 0 else { throw SystemFailure(code).error("cannot open \(what)") }
        return (Descriptor(ends[0]), Descriptor(ends[1]))
    }

    /// Returns a descriptor of the same file with a number of at least `least`.
    func duplicate(atLeast least: Int32) throws(ProcessingError) -> Descriptor {
        let copy = fcntl(number, F_DUPFD_CLOEXEC, least)
        guard copy >= 0 else { throw SystemFailure(errno).error("cannot copy a descriptor") }
        return Descriptor(copy)
    }
}

/// The operating system's error code for a failed call.
struct SystemFailure {
    let code: Int32

    init(_ code: Int32) { self.code = code }

    var text: String { String(cString: strerror(code)) }

    /// Returns the error of a failed operation; retryable when a resource had run out.
    func error(_ what: String) -> ProcessingError {
        let passes = [EAGAIN, ENOMEM, EMFILE, ENFILE].contains(code)
        let advice = [EMFILE, ENFILE].contains(code) ? "; use fewer workers or raise `ulimit -n`" : ""
        return ProcessingError(.runnerUnavailable, "\(what): \(text)\(advice)", retryable: passes)
    }
}
