package import Assay
import Foundation

/// A parsed configuration file and the findings about it, to which its interpretation adds more.
///
/// YAML and JSON give the same tree under the same limits: 1 MiB, 10,000 values, 64 levels. The YAML subset has only
/// plain maps, lists and scalars. Reading takes time and memory in proportion to the length of the file.
package struct ConfigurationDocument {
    /// The languages a file may be written in.
    package enum Format: Sendable {
        case yaml, json

        /// Creates the format that a suffix such as `.yaml` names; `nil` for other suffixes.
        package init?(suffix: String) {
            switch suffix {
            case ".yaml", ".yml": self = .yaml
            case ".json": self = .json
            default: return nil
            }
        }
    }

    /// The tree of the whole file.
    package let root: ConfigurationNode
    /// The findings so far. Duplicate keys, aliases and the like do not stop the rest from being read.
    package let findings: Findings

    /// A reader of the whole file by kind and key.
    package var value: ValueReader { ValueReader(root: root, findings: findings) }

    /// Reads the file at `path`, whose suffix names its format.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` if the file cannot be read to its end.
    package init(path: String) throws(ProcessingError) {
        let findings = Findings(file: path)
        do {
            let (format, bytes) = try Self.contents(of: path)
            try self.init(bytes, as: format, findings: findings)
        } catch {
            findings.report([error])
            throw findings.error
        }
    }

    /// Reads `bytes` as the contents of a file that the user calls `file`.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` if the bytes cannot be read to their end.
    package init(_ bytes: [UInt8], as format: Format, file: String) throws(ProcessingError) {
        let findings = Findings(file: file)
        do {
            try self.init(bytes, as: format, findings: findings)
        } catch {
            findings.report([error])
            throw findings.error
        }
    }

    private init(_ bytes: [UInt8], as format: Format, findings: Findings) throws(Finding) {
        func failure(_ message: String, at position: SourcePosition) -> Finding {
            Finding(file: findings.file, position: position, message: message)
        }
        guard bytes.count <= TreeBuilder.maximumBytes else { throw failure("file is larger than 1 MiB", at: .start) }
        guard !bytes.starts(with: [0xEF, 0xBB, 0xBF]) else {
            throw failure("byte order marks are not allowed", at: .start)
        }
        if let offset = Self.invalidOffset(in: bytes) {
            var cursor = SourceCursor(bytes)
            let name = format == .yaml ? "YAML" : "JSON"
            throw failure("not valid \(name): not UTF-8", at: cursor.position(of: offset))
        }
        var builder = TreeBuilder(findings: findings)
        switch format {
        case .yaml: builder = try YAMLReader.read(bytes, into: builder)
        case .json: builder = try JSONReader.read(bytes, into: builder)
        }
        root = builder.root ?? ConfigurationNode(.null, at: .start)
        self.findings = findings
    }

    /// Returns the offset at which `bytes` stop being UTF-8; `nil` if all of them are.
    private static func invalidOffset(in bytes: [UInt8]) -> Int? {
        guard String(validating: bytes, as: UTF8.self) == nil else { return nil }
        var (iterator, parser, offset) = (bytes.makeIterator(), Unicode.UTF8.ForwardParser(), 0)
        while case .valid(let scalar) = parser.parseScalar(from: &iterator) { offset += scalar.count }
        return offset
    }
}

extension ConfigurationDocument {
    /// Returns the format and the bytes of the file at `path`. It reads at most one byte beyond the limit, which is
    /// enough to refuse the file.
    private static func contents(of path: String) throws(Finding) -> (Format, [UInt8]) {
        func failure(_ message: String) -> Finding { Finding(file: path, position: nil, message: message) }
        func unreadable(_ code: Int32) -> Finding {
            failure(code == ENOENT ? "no such file" : "cannot be read: \(String(cString: strerror(code)).lowercased())")
        }
        // Do not wait for the other end of a pipe; a pipe is refused below.
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw unreadable(errno) }
        defer { close(file) }
        let suffix = String(path[(path.lastIndex { $0 == "." || $0 == "/" } ?? path.startIndex)...])
        guard let format = Format(suffix: suffix) else {
            let type = suffix.hasPrefix(".") ? suffix : ""
            throw failure("unsupported file type \(type.quoted); use .yaml, .yml or .json")
        }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw unreadable(errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw failure("cannot be read: not a regular file") }

        var bytes: [UInt8] = []
        while bytes.count <= TreeBuilder.maximumBytes {
            let (start, chunk) = (bytes.count, min(65_536, TreeBuilder.maximumBytes + 1 - bytes.count))
            bytes += repeatElement(0, count: chunk)
            let count = bytes.withUnsafeMutableBytes { read(file, $0.baseAddress! + start, chunk) }
            let code = errno
            bytes.removeLast(chunk - max(0, count))
            if count == 0 { break }
            if count < 0, code != EINTR { throw unreadable(code) }
        }
        return (format, bytes)
    }
}
