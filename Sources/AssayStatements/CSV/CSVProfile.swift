/// How a bank writes its CSV files: where the columns are and how values are written.
///
/// As JSON its keys are those of the properties in snake_case, so `skip_rows` and `date_format`. An unknown key is
/// refused. Rows are counted from 1, columns from 0.
public struct CSVProfile: Hashable, Sendable {
    /// A column, by its place or by its name in the header row.
    public enum Column: Hashable, Sendable {
        case index(Int)
        case name(String)
    }

    /// The order of the rows, where no running balance tells it.
    public enum Order: String, Codable, Sendable {
        case oldestFirst = "oldest_first"
        case newestFirst = "newest_first"
        case unsorted
    }

    /// Rows above the table whose last cell holds a total.
    public struct SummaryRows: Hashable, Sendable {
        /// The balance before the first entry, if it is known.
        public var opening: Int?
        /// The row of the credits' total.
        public var credits: Int?
        /// What went out, as a positive sum; `nil` over several currencies.
        public var debits: Int?
        /// The balance after the last entry, if it is known.
        public var closing: Int?
    }

    /// A name for people; it decides nothing.
    public var name: String?
    /// `utf-8`, `latin-1` or `windows-1252`; any of them if not given.
    public var encoding: String?
    /// One character between cells; a comma by default.
    public var delimiter = ","
    /// How many rows stand above the first entry.
    public var skipRows = 1
    /// The row with the columns' names; the last skipped row by default.
    public var headerRow: Int?
    /// The day it was booked; `nil` if the file does not date it.
    public var date: Column
    /// As in `%d/%m/%Y`, with `%Y %y %m %d %b %H %M %S`.
    public var dateFormat: String
    /// The text, without control characters.
    public var description: Column?
    /// One signed column, or `debit` and `credit`.
    public var amount: Column?
    /// A column of what went out.
    public var debit: Column?
    /// A column of what came in.
    public var credit: Column?
    /// A column of the running balance.
    public var balance: Column?
    /// A column that says whether an unsigned amount is a credit, by one of `creditValues`.
    public var typeColumn: Column?
    /// The texts of the type column that mean a credit.
    public var creditValues: [String] = []
    /// `.` or `,`; a point by default.
    public var decimal = "."
    /// The order of the rows.
    public var order: Order?
    /// The ISO 4217 code, if the file names it.
    public var currency: String?
    /// Rows above the table with totals.
    public var summaryRows: SummaryRows?
    /// The rows above the table that hold the first and the last day, as text: `the two dates in row 1`.
    public var period: String?

    /// Makes a value of its parts.
    public init(date: Column, dateFormat: String) {
        self.date = date
        self.dateFormat = dateFormat
    }
}

extension CSVProfile.Column: Codable {
    /// Decodes what was encoded.
    ///
    /// - Throws: `DecodingError`.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let index = try? container.decode(Int.self) {
            guard (0..<1000).contains(index) else {
                throw DecodingError.dataCorruptedError(
                    in: container, debugDescription: "a column is a number from 0 to 999 or a name, found \(index)")
            }
            self = .index(index)
        } else {
            self = .name(try container.decode(String.self))
        }
    }

    /// Encodes the value as the report shows it.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .index(let index): try container.encode(index)
        case .name(let name): try container.encode(name)
        }
    }
}

extension CSVProfile.SummaryRows: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case opening, credits, debits, closing
    }

    /// Decodes what was encoded.
    ///
    /// - Throws: `DecodingError`.
    public init(from decoder: any Decoder) throws {
        try decoder.refuseKeys(except: CodingKeys.self)
        let container = try decoder.container(keyedBy: CodingKeys.self)
        opening = try container.decodeIfPresent(Int.self, forKey: .opening)
        credits = try container.decodeIfPresent(Int.self, forKey: .credits)
        debits = try container.decodeIfPresent(Int.self, forKey: .debits)
        closing = try container.decodeIfPresent(Int.self, forKey: .closing)
    }
}

extension CSVProfile: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case name, encoding, delimiter, date, description, amount, debit, credit, balance, decimal, order, currency
        case period
        case skipRows = "skip_rows"
        case headerRow = "header_row"
        case dateFormat = "date_format"
        case typeColumn = "type_column"
        case creditValues = "credit_values"
        case summaryRows = "summary_rows"
    }

    /// - Throws: `DecodingError` for a missing or unknown key, or a value of another kind.
    public init(from decoder: any Decoder) throws {
        try decoder.refuseKeys(except: CodingKeys.self)
        let container = try decoder.container(keyedBy: CodingKeys.self)
        date = try container.decode(Column.self, forKey: .date)
        dateFormat = try container.decode(String.self, forKey: .dateFormat)
        name = try container.decodeIfPresent(String.self, forKey: .name)
        encoding = try container.decodeIfPresent(String.self, forKey: .encoding)
        delimiter = try container.decodeIfPresent(String.self, forKey: .delimiter) ?? delimiter
        skipRows = try container.decodeIfPresent(Int.self, forKey: .skipRows) ?? skipRows
        headerRow = try container.decodeIfPresent(Int.self, forKey: .headerRow)
        description = try container.decodeIfPresent(Column.self, forKey: .description)
        amount = try container.decodeIfPresent(Column.self, forKey: .amount)
        debit = try container.decodeIfPresent(Column.self, forKey: .debit)
        credit = try container.decodeIfPresent(Column.self, forKey: .credit)
        balance = try container.decodeIfPresent(Column.self, forKey: .balance)
        typeColumn = try container.decodeIfPresent(Column.self, forKey: .typeColumn)
        creditValues = try container.decodeIfPresent([String].self, forKey: .creditValues) ?? []
        decimal = try container.decodeIfPresent(String.self, forKey: .decimal) ?? decimal
        order = try container.decodeIfPresent(Order.self, forKey: .order)
        currency = try container.decodeIfPresent(String.self, forKey: .currency)
        summaryRows = try container.decodeIfPresent(SummaryRows.self, forKey: .summaryRows)
        period = try container.decodeIfPresent(String.self, forKey: .period)
    }
}

extension Decoder {
    /// - Throws: `DecodingError` if the object has a key that `Keys` does not name.
    func refuseKeys<Keys: CodingKey & CaseIterable>(except: Keys.Type) throws {
        let known = Set(Keys.allCases.map(\.stringValue))
        for key in try container(keyedBy: AnyKey.self).allKeys where !known.contains(key.stringValue) {
            let names = known.sorted().joined(separator: ", ")
            throw DecodingError.dataCorrupted(
                .init(codingPath: codingPath, debugDescription: "unknown key '\(key.stringValue)'; known: \(names)"))
        }
    }
}

/// Any key of an object.
private struct AnyKey: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }

    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}
