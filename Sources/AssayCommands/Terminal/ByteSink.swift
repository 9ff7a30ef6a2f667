import Foundation

/// A destination of bytes: a stream of the program, or a list in tests.
package protocol ByteSink: Sendable {
    /// Writes all of `bytes` before it returns, without buffering.
    func write(_ bytes: [UInt8]) throws(SinkError)
    /// The number of columns of the terminal behind it; `nil` if there is none.
    var columns: Int? { get }
}

/// The reason why nothing more can be written.
package enum SinkError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The reader has gone.
    case closed
    /// The system refused with this error number.
    case failed(Int32)

    /// The reason in words.
    package var description: String {
        switch self {
        case .closed: "the reader has gone"
        case .failed(let code): String(cString: strerror(code)).lowercased()
        }
    }
}

/// A sink for an open file of the system.
package struct DescriptorSink: ByteSink {
    let descriptor: Int32

    /// Creates a sink for the program's output or error output.
    package init(_ descriptor: Int32) { self.descriptor = descriptor }

    package var columns: Int? {
        guard isatty(descriptor) == 1 else { return nil }
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    package func write(_ bytes: [UInt8]) throws(SinkError) {
        var start = 0
        while start < bytes.count {
            let count = bytes.withUnsafeBytes {
                Foundation.write(descriptor, $0.baseAddress! + start, bytes.count - start)
            }
            if count >= 0 {
                start += count
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                // Another program made the shared stream non-blocking.
                var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&ready, 1, -1)
            case EPIPE: throw .closed
            case let code: throw .failed(code)
            }
        }
    }
}
