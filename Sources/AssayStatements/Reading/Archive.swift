internal import Foundation

#if canImport(Glibc)
    internal import Glibc
#endif

/// A ZIP archive whose members are read with the program `unzip`, as PDF is read with `pdftotext`.
///
/// No well-kept Swift package for ZIP archives is at hand, and a reader of other people's files should not be new.
struct Archive {
    /// The largest member, in bytes, once it is unpacked.
    static let largestMember = 64 << 20
    /// The largest ratio of a member's size to its packed size.
    static let largestRatio = 200
    /// The time limit for `unzip` and one member, in seconds.
    static let timeLimit = 30.0

    private let program: String
    private let file: URL
    private let folder: URL
    /// The size of the archive in bytes.
    private let size: Int

    /// Lends an archive to `body`.
    ///
    /// - Throws: ``StatementError`` `unsupported` without the program `unzip`.
    static func with<Result>(
        _ bytes: Bytes, _ body: (Archive) throws(StatementError) -> Result
    ) throws(StatementError) -> Result {
        guard let program else {
            throw StatementError(
                .unsupported,
                "reading XLSX needs the program unzip; install unzip, or save the sheet as 'CSV UTF-8' with dates as YYYY-MM-DD and amounts with two decimals"
            )
        }
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("statement-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("in.zip")
        do {
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            try bytes.withBuffer { try Data(buffer: $0).write(to: file) }
        } catch {
            throw StatementError(
                .unsupported, "the temporary folder cannot be written; check \(folder.deletingLastPathComponent().path)"
            )
        }
        return try body(Archive(program: program, file: file, folder: folder, size: bytes.count))
    }

    private static var program: String? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
        return folders.map { "\($0)/unzip" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Returns the content of a member; `nil` if there is none of that name.
    ///
    /// - Throws: ``StatementError`` `too_large` beyond the limits, `malformed` for a damaged archive.
    func member(_ name: String) throws(StatementError) -> [UInt8]? {
        let output = folder.appendingPathComponent("member")
        defer { try? FileManager.default.removeItem(at: output) }
        guard FileManager.default.createFile(atPath: output.path, contents: nil),
            let handle = try? FileHandle(forWritingTo: output)
        else { throw StatementError(.unsupported, "the temporary folder cannot be written; check \(folder.path)") }
        defer { try? handle.close() }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        // Brackets are patterns to unzip; no member that is asked for has one.
        process.arguments = ["-p", "-qq", file.path, name]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = handle
        process.standardError = FileHandle.nullDevice
        let ended = DispatchSemaphore(value: 0)
        process.terminationHandler = { _ in ended.signal() }
        do { try process.run() } catch {
            throw StatementError(
                .unsupported, "unzip could not be run: \(error.localizedDescription); check \(program)")
        }
        let limit = min(Archive.largestMember, max(size, 1 << 10) * Archive.largestRatio)
        let deadline = DispatchTime.now() + Archive.timeLimit
        while ended.wait(timeout: .now() + 0.05) == .timedOut {
            let isLate = DispatchTime.now() > deadline
            guard isLate || Archive.size(of: output) > limit else { continue }
            kill(process.processIdentifier, SIGKILL)
            ended.wait()
            throw Archive.tooLarge
        }
        guard Archive.size(of: output) <= limit else { throw Archive.tooLarge }
        switch process.terminationStatus {
        case 0: break
        case 11: return nil
        case 81, 82:
            throw StatementError(.encrypted, "the workbook asks for a password; save a copy without one")
        default:
            throw StatementError(
                .malformed, "the workbook is damaged (unzip status \(process.terminationStatus)); download it again")
        }
        guard let content = try? Data(contentsOf: output) else {
            throw StatementError(.unsupported, "the temporary folder cannot be read; check \(folder.path)")
        }
        return [UInt8](content)
    }

    private static func size(of file: URL) -> Int {
        (try? FileManager.default.attributesOfItem(atPath: file.path)[.size] as? Int) ?? 0
    }

    private static var tooLarge: StatementError {
        StatementError(
            .tooLarge,
            "a part of the workbook is larger than \(largestMember >> 20) MiB or \(largestRatio) times what is packed; save the sheet as 'CSV UTF-8'"
        )
    }
}
