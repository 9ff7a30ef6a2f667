/// The place a statement was read from.
public struct StatementSource: Codable, Hashable, Sendable {
    /// The name of the item, mostly a file's.
    public var name: String
    /// The SHA-256 of the file in hexadecimal digits, where it is known.
    public var sha256: String?
    /// The place of the statement in its file, from 1.
    public var number: Int
    /// The number of entries in the statements before it.
    public var entriesBefore: Int

    /// Makes a value of its parts.
    public init(name: String, sha256: String? = nil, number: Int, entriesBefore: Int = 0) {
        (self.name, self.sha256, self.number, self.entriesBefore) = (name, sha256, number, entriesBefore)
    }
}

/// The report of a file with where it came from.
public struct SourcedReport: Sendable {
    /// The name of the item, mostly a file's.
    public var name: String
    /// The SHA-256 of the file in hexadecimal digits, where it is known.
    public var sha256: String?
    /// The report on the file.
    public var report: StatementReport

    /// Makes a value of its parts.
    public init(name: String, sha256: String? = nil, report: StatementReport) {
        (self.name, self.sha256, self.report) = (name, sha256, report)
    }

    /// The statements, each with where it was read from.
    var parts: [StatementReport.Part] {
        var entries = 0
        return report.statements.enumerated().map { index, statement in
            var part = statement
            part.source = StatementSource(name: name, sha256: sha256, number: index + 1, entriesBefore: entries)
            entries += statement.summary.transactions
            return part
        }
    }
}
