#if canImport(Glibc)
    internal import Glibc
#endif

/// The content of a file: a small one read into memory, a large one mapped.
struct FileBytes {
    /// Up to this size, in bytes, a file is read rather than mapped.
    private static let largestCopy = 1 << 20

    /// Lends the content of the file at `path` to `body`.
    ///
    /// - Throws: ``StatementError`` `unsupported` if it is not a readable file, `too_large` beyond
    ///   ``StatementReader/largestFile``.
    static func with<Result>(
        path: String, _ body: (Bytes) throws(StatementError) -> Result
    ) throws(StatementError) -> Result {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw StatementError(.unsupported, "\(path) cannot be opened: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var info = stat()
        guard fstat(descriptor, &info) == 0, info.st_mode & S_IFMT == S_IFREG else {
            throw StatementError(.unsupported, "\(path) is not a file; give the path of a statement")
        }
        let size = Int(info.st_size)
        guard size > 0 else { return try body(Bytes()) }
        guard size <= StatementReader.largestFile else { throw StatementReader.tooLarge(size) }
        if size <= largestCopy {
            let content = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
                while count < size {
                    let got = Glibc.read(descriptor, buffer.baseAddress.map { $0 + count }, size - count)
                    if got <= 0 { break }
                    count += got
                }
            }
            return try content.withUnsafeBufferPointer { buffer throws(StatementError) in try body(Bytes(buffer)) }
        }
        guard let memory = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), memory != MAP_FAILED else {
            throw StatementError(.unsupported, "\(path) cannot be mapped: \(String(cString: strerror(errno)))")
        }
        defer { munmap(memory, size) }
        return try body(Bytes(UnsafeRawBufferPointer(start: memory, count: size)))
    }
}
