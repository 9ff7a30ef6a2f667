import Foundation

/// A file to which lines of JSON are added, each of them whole.
public final class LineFile: Sendable {
    private let path: String
    private let file: Descriptor
    // Disks may take their time, which is not to be that of anybody else.
    private let queue = DispatchQueue(label: "assay.lines")

    /// The file at `path`, which is made, readable by its owner only, when it is not there.
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

    /// Adds a line and returns once the system has it.
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
    /// - Returns: what the system said to the part that it did not take.
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
