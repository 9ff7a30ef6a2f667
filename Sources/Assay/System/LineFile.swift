import Foundation

/// A file to which lines of JSON are appended, each of them whole.
public final class LineFile: Sendable {
    private let path: String
    private let file: Descriptor
    // Disk I/O can block, so it runs on its own queue.
    private let queue = DispatchQueue(label: "assay.lines")

    /// Opens the file at `path`; creates it, readable only by its owner, if it does not exist.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` when it cannot be written to, or is a symbolic link.
    public init(path: String) throws(ProcessingError) {
        let number = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard number >= 0 else {
            throw ProcessingError(
                .configuration, "\(path.quoted) cannot be written to: \(String(cString: strerror(errno)))")
        }
        self.path = path
        file = Descriptor(number)
    }

    /// Appends a line and returns once the system has it.
    ///
    /// - Throws: ``ProcessingError`` with code `store` when it cannot be written.
    public func append(_ value: JSONValue) async throws {
        let line = value.jsonBytes + [UInt8(ascii: "\n")]
        let failure = await withCheckedContinuation { continuation in
            queue.async { [self] in continuation.resume(returning: write(line)) }
        }
        guard let failure else { return }
        throw ProcessingError(.store, "\(path.quoted) cannot be written to: \(String(cString: strerror(failure)))")
    }

    /// Writes all of `line`.
    ///
    /// - Returns: the system's error code if it did not take the whole line.
    private func write(_ line: [UInt8]) -> Int32? {
        var rest = line[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.write(file.number, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                return errno
            }
        }
        return nil
    }
}
