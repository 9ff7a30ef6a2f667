#if canImport(Glibc)
    internal import Glibc
#endif

/// The content of a file: a small one read into memory, a large one mapped.
struct FileBytes {
    /// The content.
    let bytes: Bytes
    /// Whether the content is mapped, so that what was read can be given back and is read again where it is needed.
    let isMapped: Bool

    /// Up to this size, in bytes, a file is read rather than mapped.
    private static let largestCopy = 1 << 20

    /// Lends the content of the file at `path` to `body`.
    ///
    /// - Throws: ``StatementError`` `unsupported` if it is not a readable file, `too_large` beyond
    ///   ``StatementReader/largestFile``.
    static func with<Result>(
        path: String, _ body: (FileBytes) throws(StatementError) -> Result
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
        guard size > 0 else { return try body(FileBytes(Bytes())) }
        guard size <= StatementReader.largestFile else { throw StatementReader.tooLarge(size) }
        if size <= largestCopy {
            let content = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
                while count < size {
                    let got = Glibc.read(descriptor, buffer.baseAddress.map { $0 + count }, size - count)
                    if got <= 0 { break }
                    count += got
                }
            }
            return try content.withUnsafeBufferPointer { buffer throws(StatementError) in
                try body(FileBytes(Bytes(buffer)))
            }
        }
        guard let memory = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), memory != MAP_FAILED else {
            throw StatementError(.unsupported, "\(path) cannot be mapped: \(String(cString: strerror(errno)))")
        }
        defer { munmap(memory, size) }
        return try body(FileBytes(Bytes(UnsafeRawBufferPointer(start: memory, count: size)), isMapped: true))
    }

    init(_ bytes: Bytes, isMapped: Bool = false) {
        (self.bytes, self.isMapped) = (bytes, isMapped)
    }

    /// Gives a part back that was read, which is read from the file again where it is needed once more.
    ///
    /// Else all that was read of a large file would count as memory of this process, until the end.
    func giveBack(_ part: Range<Int>) {
        guard isMapped else { return }
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let (start, end) = (part.lowerBound / page * page, part.upperBound / page * page)
        bytes.withBuffer { buffer in
            guard let base = buffer.baseAddress, end > start else { return }
            _ = madvise(UnsafeMutableRawPointer(mutating: base + start), end - start, MADV_DONTNEED)
        }
    }
}
