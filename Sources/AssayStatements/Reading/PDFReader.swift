internal import Foundation

#if canImport(Glibc)
    internal import Glibc
#endif

/// A reader of PDF statements that takes their text from the program `pdftotext` of poppler.
///
/// Rows that begin with a date and end with an amount, or an amount and a balance, are entries. A PDF says nothing of
/// signs
/// and columns, so a statement is accepted only if its entries lead from its opening balance to its closing balance.
struct PDFReader {
    /// The most text, in bytes, that is taken from a PDF.
    static let mostText = 16 << 20
    /// The time limit for `pdftotext`, in seconds.
    static let timeLimit = 30.0

    static func read(_ bytes: Bytes) throws(StatementError) -> [Statement] {
        let text = try PDFReader.text(of: bytes)
        return try text.withUnsafeBufferPointer { buffer throws(StatementError) in
            var page = PDFPageText(Bytes(buffer))
            return [try page.statement()]
        }
    }

    private static var program: String? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
        return folders.map { "\($0)/pdftotext" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    private static func text(of bytes: Bytes) throws(StatementError) -> [UInt8] {
        guard let program else {
            throw StatementError(
                .unsupported, "reading PDF needs the program pdftotext; install poppler-utils or give OFX or CSV")
        }
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("statement-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let (input, output, errors) = (
            folder.appendingPathComponent("in.pdf"), folder.appendingPathComponent("out.txt"),
            folder.appendingPathComponent("errors.txt")
        )
        do {
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            try bytes.withBuffer { try Data(buffer: $0).write(to: input) }
            let status = try run(program, ["-layout", "-enc", "UTF-8", input.path, output.path], errors: errors)
            guard status == 0 else { throw failure(status, errors) }
            let size = try FileManager.default.attributesOfItem(atPath: output.path)[.size] as? Int ?? 0
            guard size <= mostText else {
                throw StatementError(.tooLarge, "the PDF holds more than 16 MiB of text; give OFX or CSV")
            }
            return [UInt8](try Data(contentsOf: output))
        } catch let error as StatementError {
            throw error
        } catch {
            throw StatementError(
                .unsupported, "pdftotext could not be run; check the temporary folder, or give OFX or CSV")
        }
    }

    private static func failure(_ status: Int32, _ errors: URL) -> StatementError {
        let message = (try? Data(contentsOf: errors)).map { String(decoding: $0.prefix(200), as: UTF8.self) } ?? ""
        if message.contains("password") || message.contains("encrypted") {
            return StatementError(.encrypted, "the PDF asks for a password; give a copy without one")
        }
        return StatementError(.malformed, "the PDF cannot be read (pdftotext status \(status)); download it again")
    }

    /// Runs the program with a time limit; its output goes to files, which no pipe can block.
    private static func run(_ program: String, _ arguments: [String], errors: URL) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        guard FileManager.default.createFile(atPath: errors.path, contents: nil) else {
            throw CocoaError(.fileWriteUnknown)
        }
        let errorFile = try FileHandle(forWritingTo: errors)
        defer { try? errorFile.close() }
        process.standardError = errorFile
        let ended = DispatchSemaphore(value: 0)
        process.terminationHandler = { _ in ended.signal() }
        try process.run()
        if ended.wait(timeout: .now() + timeLimit) == .timedOut {
            kill(process.processIdentifier, SIGKILL)
            ended.wait()
            throw StatementError(.tooLarge, "pdftotext took longer than \(Int(timeLimit)) seconds; give OFX or CSV")
        }
        return process.terminationStatus
    }
}
