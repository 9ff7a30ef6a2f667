import Crypto
import Foundation

extension InputFile {
    /// The result of reading a file.
    private enum Reading {
        case read(Digest, FileStamp)
        case changing
    }

    /// The number of times that a changing file is read before giving up.
    private static let tries = 3

    /// Returns the file with the digest of its bytes, which are read in pieces; blocks.
    ///
    /// - Parameter moment: the current time, on the clock that the file's times are compared with.
    func read(at moment: Timestamp) -> InputFile {
        var file = self
        do throws(ProcessingError) {
            let (digest, stamp) = try Self.digest(of: path)
            file.content = .known(digest, size: Int(stamp.size), stamp.isTrusted(at: moment) ? stamp : nil)
        } catch {
            file.content = .refused(error.code, error.message)
        }
        return file
    }

    /// Returns the stamp of the file if it can be an input; blocks.
    ///
    /// - Throws: ``ProcessingError`` with code `not_found` or `configuration` naming the file.
    static func stamp(of path: String) throws(ProcessingError) -> FileStamp {
        var found = stat()
        guard stat(path, &found) == 0 else { throw refusal(of: path, errno) }
        return try stamp(found, path)
    }

    private static func stamp(_ found: stat, _ path: String) throws(ProcessingError) -> FileStamp {
        guard found.st_mode & S_IFMT == S_IFREG else {
            throw ProcessingError(
                .configuration, "\(path) is not a regular file; give the files themselves", retryable: false)
        }
        return FileStamp(found)
    }

    /// Returns the digest of the bytes of the file at `path`, and its stamp during the read; blocks.
    ///
    /// - Throws: ``ProcessingError`` with code `not_found` or `configuration` naming the file.
    package static func digest(of path: String) throws(ProcessingError) -> (Digest, FileStamp) {
        for _ in 0..<tries {
            if case .read(let digest, let stamp) = try reading(path) { return (digest, stamp) }
        }
        throw ProcessingError(
            .configuration, "\(path) changes while it is read; run again when it is written", retryable: false)
    }

    private static func reading(_ path: String) throws(ProcessingError) -> Reading {
        // Opening a pipe without a writer would block otherwise.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw refusal(of: path, errno) }
        defer { close(descriptor) }
        var found = stat()
        guard fstat(descriptor, &found) == 0 else { throw refusal(of: path, errno) }
        let before = try stamp(found, path)
        var hash = SHA256()
        var count = 0
        let size = Int(max(1, min(before.size, 262_144)))
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let got = Foundation.read(descriptor, buffer.baseAddress, buffer.count)
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw refusal(of: path, errno) }
            guard got > 0 else { break }
            hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: buffer[..<got]))
            count += got
        }
        guard fstat(descriptor, &found) == 0 else { throw refusal(of: path, errno) }
        guard FileStamp(found) == before, Int64(count) == before.size else { return .changing }
        return .read(Digest(hash.finalize()), before)
    }

    private static func refusal(of path: String, _ code: Int32) -> ProcessingError {
        if code == ENOENT || code == ENOTDIR {
            return ProcessingError(.notFound, "\(path): there is no such file", retryable: false)
        }
        return ProcessingError(
            .configuration, "\(path) cannot be read: \(SystemFailure(code).text)", retryable: false)
    }

    // MARK: Verifying

    /// Verifies that the file is still what was listed; blocks to check its status, or to read it when that is not
    /// enough.
    ///
    /// - Throws: ``ProcessingError`` with code `input_changed` when it is not, `not_found` or `configuration` when it
    ///   can no longer be read.
    func verify() throws(ProcessingError) {
        if let refusal { throw refusal }
        guard case .known(let listed, _, let stamp) = content else { return }
        let now = try Self.stamp(of: path)
        if now == stamp { return }
        guard try Self.digest(of: path).0 == listed else {
            throw ProcessingError(
                .inputChanged,
                "\(path) has changed since this run listed it; run the pipeline again to take it as it is now",
                retryable: false)
        }
    }
}
