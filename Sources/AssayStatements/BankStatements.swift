public import Assay

/// A processor that reads bank statements and computes their underwriting factors: one file per item, one summary for
/// all accounts.
public struct BankStatements: Processor {
    /// The file of an item: `"path"`, `{"path": …}` or `{"content": …}`.
    public struct Source: Codable, Hashable, Sendable {
        /// Where the file is.
        public var path: String?
        /// The file's text, in place of a path.
        public var content: String?

        private enum CodingKeys: CodingKey { case path, content }

        /// Makes a source for the file at `path`.
        public init(path: String) { self.path = path }

        /// Makes a source whose text is `content`.
        public init(content: String) { self.content = content }

        public init(from decoder: any Decoder) throws {
            if let path = try? decoder.singleValueContainer().decode(String.self) {
                self.path = path
                return
            }
            let container = try decoder.container(keyedBy: CodingKeys.self)
            path = try container.decodeIfPresent(String.self, forKey: .path)
            content = try container.decodeIfPresent(String.self, forKey: .content)
            guard (path == nil) != (content == nil) else {
                let text = "give either a path or the content of the statement"
                throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: text))
            }
        }
    }

    /// The accounts that all files add up to.
    public struct Accounts: Codable, Sendable {
        /// Every account, in order of first appearance.
        public var accounts: [AccountReport]
    }

    public let name: String
    public let transforms = false
    private let reader: StatementReader
    private let settings: FactorSettings
    private let includeTransactions: Bool

    /// Makes a processor that reads with `reader` and judges by `settings`.
    public init(
        name: String = "bank_statement", reader: StatementReader = StatementReader(),
        settings: FactorSettings = FactorSettings(), includeTransactions: Bool = false
    ) {
        self.name = name
        self.reader = reader
        self.settings = settings
        self.includeTransactions = includeTransactions
    }

    /// The parameters that a pipeline file may give.
    public static let parameters = ["csv", "format", "include_transactions", "mt940", "ofx", "qif"]

    /// Makes a processor set up from the parameters of a pipeline file.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` that names the parameter, or ``SettingsError``.
    public init(name: String, parameters: JSONValue) throws {
        var reader = StatementReader()
        switch parameters["format"] {
        case nil, .null, .string("auto"): break
        case let value?:
            reader.format = value.string.flatMap { StatementFormat(rawValue: $0) }
            guard reader.format != nil else {
                let known = ["auto"] + StatementFormat.allCases.map(\.rawValue)
                throw ProcessingError(
                    .configuration, "unknown format \(value.json); known: \(known.joined(separator: ", "))")
            }
        }
        var mistakes: [SettingsError.Finding] = []
        func read<Settings>(
            _ key: String, _ make: (JSONValue) throws(SettingsError) -> Settings
        ) -> Settings? {
            guard let value = parameters[key], value != .null else { return nil }
            do throws(SettingsError) { return try make(value) } catch {
                mistakes += error.findings
                return nil
            }
        }
        reader.csv = read("csv") { json throws(SettingsError) in try CSVProfiles(settings: json) }
        reader.ofx = read("ofx") { json throws(SettingsError) in try OFXSettings(settings: json) } ?? reader.ofx
        reader.qif = read("qif") { json throws(SettingsError) in try QIFSettings(settings: json) } ?? reader.qif
        reader.mt940 = read("mt940") { json throws(SettingsError) in try MT940Settings(settings: json) } ?? reader.mt940
        guard mistakes.isEmpty else { throw SettingsError(mistakes) }
        var includes = false
        if let value = parameters["include_transactions"], value != .null {
            guard let flag = value.bool else {
                throw ProcessingError(
                    .configuration, "include_transactions must be true or false, found \(value.json)")
            }
            includes = flag
        }
        self.init(name: name, reader: reader, includeTransactions: includes)
    }

    /// Nothing is paid for.
    public var costsOfAnyInput: [ExpectedCost]? { [] }

    public func extract(_ input: Source, in context: Context) async throws -> StatementReport {
        let file =
            if let path = input.path {
                try reader.read(path: path)
            } else {
                try reader.read(Array((input.content ?? "").utf8))
            }
        return file.report(settings: settings, includeTransactions: includeTransactions)
    }

    public func aggregate(_ outputs: Outputs<StatementReport>, in context: Context) async throws -> Accounts {
        Accounts(accounts: AccountReport.reports(of: try await outputs.all(), settings: settings))
    }
}

extension StatementError: FailureDescribing {
    public var failureCode: ProcessingError.Code? { .validation }
}
