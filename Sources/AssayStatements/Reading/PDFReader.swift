internal import Foundation

#if canImport(Glibc)
    internal import Glibc
#endif

/// Reads the text of PDF statements with the program `pdftotext` of poppler.
///
/// Rows that begin with a date and end with an amount are entries. A PDF says nothing of signs and columns, so a
/// statement is accepted only if its entries lead from its opening balance to its closing balance.
struct PDFReader {
    /// The most text, in bytes, that is taken from a PDF.
    static let mostText = 16 << 20
    /// How long `pdftotext` may take, in seconds.
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

/// The rows of a PDF's text.
struct PDFPageText {
    private var reading: Reading
    private var entries: [(row: Bytes, day: Day?, amount: Amount, text: Bytes)] = []
    private var opening: Amount?
    private var closing: Amount?
    private var currency: String?

    init(_ bytes: Bytes) {
        reading = Reading(bytes)
    }

    mutating func statement() throws(StatementError) -> Statement {
        var position = 0
        while position < reading.bytes.count {
            let line = reading.bytes.line(at: &position).trimmed()
            if !line.isEmpty { try row(line) }
        }
        guard !entries.isEmpty, let opening, let closing else {
            throw StatementError(
                .malformed, "no entries between two balances are found in the PDF; export OFX or CSV from the bank")
        }
        let sum = entries.reduce(Amount.zero) { $0 + $1.amount }
        // On a bank account money in is positive; on a card purchases are, and what is owed is a negative balance.
        let isCard: Bool
        if opening + sum == closing, sum != .zero {
            isCard = isCardStatement
        } else {
            throw StatementError(
                .malformed,
                "the entries found in the PDF do not lead from its opening to its closing balance; export OFX or CSV from the bank"
            )
        }
        var statement = Statement(currency: currency)
        statement.opening = isCard ? -opening : opening
        statement.closing = isCard ? -closing : closing
        statement.entries = entries.map {
            Entry(day: $0.day, amount: isCard ? -$0.amount : $0.amount, text: $0.text.text)
        }
        let days = statement.entries.compactMap(\.day)
        if days.count == statement.entries.count { (statement.from, statement.to) = (days.min(), days.max()) }
        return statement
    }

    private var isCardStatement: Bool {
        let bytes = reading.bytes
        for mark: StaticString in [
            "CREDIT CARD", "Credit Card", "TOTAL AMOUNT DUE", "MINIMUM PAYMENT", "Minimum Payment", "CREDIT LIMIT",
        ]
        where bytes.contains(mark) {
            return true
        }
        return false
    }

    private static let openings: [StaticString] = [
        "LAST MONTH'S BALANCE", "PREVIOUS BALANCE", "OPENING BALANCE", "BEGINNING BALANCE", "BALANCE BROUGHT FORWARD",
    ]
    private static let closings: [StaticString] = [
        "TOTAL AMOUNT DUE", "NEW BALANCE", "CLOSING BALANCE", "ENDING BALANCE", "BALANCE CARRIED FORWARD",
    ]

    private mutating func row(_ line: Bytes) throws(StatementError) {
        if currency == nil, let open = line.firstRange(of: "AMOUNT ("), line[open + 11] == UInt8(ascii: ")") {
            currency = line.part(open + 8, open + 11).text
        }
        let amountStart = lastGap(of: line)
        guard let amount = Amount(line.dropping(amountStart), style: .printed), line.dropping(amountStart).contains(".")
        else {
            return
        }
        let label = line.part(0, amountStart).trimmed()
        if PDFPageText.openings.contains(where: { label.hasPrefixIgnoringCase($0) }) {
            if opening == nil { opening = amount }
        } else if PDFPageText.closings.contains(where: { label.hasPrefixIgnoringCase($0) }) {
            if closing == nil { closing = amount }
        } else if let date = date(of: label) {
            try reading.countEntry()
            entries.append((line, date.day, amount, label.dropping(date.end)))
        }
    }

    /// Where the last column of a row begins: after two blanks.
    private func lastGap(of line: Bytes) -> Int {
        var index = line.count
        while index > 1, !(line[index - 1] == 0x20 && line[index - 2] == 0x20) { index -= 1 }
        return index > 1 ? index : 0
    }

    /// The date a row begins with; without a year it is no day.
    private func date(of label: Bytes) -> (day: Day?, end: Int)? {
        for pattern in DatePattern.known {
            if pattern.parts.contains(.year4), let found = pattern.scan(label.part(0, 11), from: 0) { return found }
        }
        guard let first = label.number(at: 0, digits: 2), (1...31).contains(first) else { return nil }
        if label[2] == UInt8(ascii: "/"), let second = label.number(at: 3, digits: 2), (1...31).contains(second) {
            return (nil, 5)
        }
        return nil
    }
}
