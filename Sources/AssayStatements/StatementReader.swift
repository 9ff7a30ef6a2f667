/// A reader of bank statement files.
///
/// A file is refused with a ``StatementError`` rather than read in part. Reading never traps, whatever the bytes;
/// memory stays in proportion to the number of entries.
public struct StatementReader: Hashable, Sendable {
    /// The largest file, in bytes: 256 MiB.
    public static let largestFile = 256 << 20

    /// The format of the files; found out from each file's content if `nil`.
    public var format: StatementFormat?
    /// How CSV files and workbooks are written; found out from each file if `nil`.
    public var csv: CSVProfiles?
    /// Settings for OFX files that can be read in two ways.
    public var ofx = OFXSettings()
    /// Settings for QIF files that can be read in two ways.
    public var qif = QIFSettings()
    /// Settings for MT940 files that can be read in two ways.
    public var mt940 = MT940Settings()
    /// The day of reading, after which no statement begins; the clock's day if `nil`.
    public var today: Day?

    /// Makes a value of its parts.
    public init(format: StatementFormat? = nil, csv: CSVProfile? = nil) {
        self.format = format
        self.csv = csv.map { CSVProfiles([$0]) }
    }

    /// Reads the file at `path`.
    ///
    /// - Throws: ``StatementError``. A PDF needs the program `pdftotext`, a workbook `unzip`.
    public func read(path: String) throws(StatementError) -> StatementFile {
        try FileBytes.with(path: path) { content throws(StatementError) in
            let name = path.split(separator: "/").last ?? ""
            return try read(content, name: String(name))
        }
    }

    /// Reads the content of a file. The suffix of its name, without the point, helps where the content leaves a doubt.
    public func read(_ content: [UInt8], suffix: String? = nil) throws(StatementError) -> StatementFile {
        try content.withUnsafeBufferPointer { buffer throws(StatementError) in
            try read(FileBytes(Bytes(buffer)), name: suffix.map { ".\($0)" })
        }
    }

    private func read(_ content: FileBytes, name: String?) throws(StatementError) -> StatementFile {
        let bytes = content.bytes
        guard !bytes.trimmed().isEmpty else {
            throw StatementError(
                .empty, bytes.isEmpty ? "zero bytes; download the file again" : "only blanks; download the file again")
        }
        guard bytes.count <= StatementReader.largestFile else { throw StatementReader.tooLarge(bytes.count) }
        if let text = UTF16Text.transcoded(bytes) {
            return try text.withUnsafeBufferPointer { buffer throws(StatementError) in
                try read(FileBytes(Bytes(buffer)), name: name)
            }
        }
        let suffix = name.flatMap { $0.split(separator: ".", omittingEmptySubsequences: false).dropFirst().last }
        let format =
            if let format { format } else { try StatementFormat.detect(bytes, suffix: suffix.map(String.init)) }
        var statements = try statements(of: content, in: format, name: name)
        let last = (today ?? Day.now) + 1
        for index in statements.indices { statements[index].leaveOutFuture(after: last) }
        return StatementFile(format: format, statements: statements)
    }

    private func statements(
        of content: FileBytes, in format: StatementFormat, name: String?
    ) throws(StatementError) -> [Statement] {
        let bytes = content.bytes
        return switch format {
        case .ofx: try OFXReader.read(bytes, settings: ofx)
        case .qif: try QIFReader.read(bytes, settings: qif)
        case .csv: try CSVReader.read(content, profiles: csv, file: name)
        case .mt940: try MT940Reader.read(bytes, settings: mt940, today: today ?? Day.now)
        case .camt: try CAMTReader.read(bytes)
        case .bai2: try BAI2Reader.read(bytes)
        case .pdf: try PDFReader.read(bytes)
        case .xlsx: try XLSXReader.read(bytes, profiles: csv, file: name)
        }
    }

    static func tooLarge(_ size: Int) -> StatementError {
        StatementError(.tooLarge, "\(size) bytes, more than 256 MiB; split the file by month")
    }
}

/// The statements of one file.
public struct StatementFile: Hashable, Sendable {
    /// The format it was read as.
    public var format: StatementFormat
    /// The statements, in the order of the file.
    public var statements: [Statement]

    /// Makes a value of its parts.
    public init(format: StatementFormat, statements: [Statement]) {
        self.format = format
        self.statements = statements
    }
}
