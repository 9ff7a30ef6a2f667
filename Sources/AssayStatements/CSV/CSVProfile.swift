internal import Assay

/// The format of a bank's CSV files: which columns there are and how values are written.
///
/// Every key is optional: what a profile leaves open is found in the file, and checked against it.
/// As JSON its keys are those of the properties in snake_case, so `skip_rows` and `date_format`. An unknown key is
/// refused. Rows are counted from 1, columns from 0.
public struct CSVProfile: Hashable, Sendable {
    /// A column, by its place or by its name in the header row.
    public enum Column: Hashable, Sendable {
        case index(Int)
        case name(String)
    }

    /// The order of the rows, where no running balance tells it.
    public enum Order: String, Codable, CaseIterable, Sendable {
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
        /// The sum of money out, as a positive number; `nil` over several currencies.
        public var debits: Int?
        /// The balance after the last entry, if it is known.
        public var closing: Int?
    }

    /// A name for people; it decides nothing.
    public var name: String?
    /// `utf-8`, `latin-1` or `windows-1252`; any of them if not given.
    public var encoding: String?
    /// One character between cells; a comma where a date column is named, else found in the file.
    public var delimiter: String?
    /// The number of rows above the first entry; one where a date column is named, else found in the file.
    public var skipRows: Int?
    /// The row with the columns' names; the last skipped row by default.
    public var headerRow: Int?
    /// The day it was booked; found in the file if not given.
    public var date: Column?
    /// As in `%d/%m/%Y`, with `%Y %y %m %d %b %H %M %S`; found in the file if not given.
    public var dateFormat: String?
    /// The part that comes first in a numeric date, if no format is given.
    public var dateOrder: DateOrder?
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
    /// The texts of the type column that mean a debit; all that are no credit if not given.
    public var debitValues: [String] = []
    /// The meaning of a positive amount.
    public var amountSign: AmountSign?
    /// Whether a fee is taken off the amount.
    public var fee: Fee?
    /// Which account rows belong to.
    public var account: Account?
    /// The kind of account.
    public var accountType: AccountType?
    /// The balance before the first entry, such as `-1234.56`.
    public var openingBalance: String?
    /// The balance after the last entry.
    public var closingBalance: String?
    /// Rows that are no entries.
    public var leaveOut: [LeaveOut] = []
    /// Only rows with one of these values are booked.
    public var bookedValues: Values?
    /// The text that begins the footer.
    public var endAt: String?
    /// The number of rows below the last entry.
    public var footerRows: Int?
    /// The treatment of rows with neither a date nor an amount; text in the column of descriptions is joined if not
    /// given.
    public var continuation: Continuation?
    /// `.` or `,`; found in the file if not given.
    public var decimal: String?
    /// The order of the rows.
    public var order: Order?
    /// The ISO 4217 code, if the file names it.
    public var currency: String?
    /// Rows above the table with totals.
    public var summaryRows: SummaryRows?
    /// The rows above the table that hold the first and the last day, as text: `the two dates in row 1`.
    public var period: String?
    /// The files that it is for, where there are several profiles.
    public var match: Match?

    /// The treatment of text in rows with neither a date nor an amount.
    public enum Continuation: String, Codable, CaseIterable, Sendable {
        /// It continues the description of the entry above.
        case join
        /// It is left out.
        case skip
    }

    /// A column of fees, or none.
    public enum Fee: Hashable, Sendable {
        case none
        case column(Column)
    }

    /// The account of the rows: that of a column, one for all of them, or none.
    public enum Account: Hashable, Sendable {
        case none
        case column(Column)
        case text(String)
    }

    /// Rows with such a cell are left out.
    public struct LeaveOut: Hashable, Sendable {
        /// A test of a cell.
        public enum Test: Hashable, Sendable {
            case equals(String), begins(String), contains(String), empty

            func matches(_ text: String) -> Bool {
                switch self {
                case .equals(let value): text.lowercased() == value.lowercased()
                case .begins(let value): text.lowercased().hasPrefix(value.lowercased())
                case .contains(let value): text.lowercased().contains(value.lowercased())
                case .empty: text.isEmpty
                }
            }
        }

        /// The column.
        public var column: Column
        /// The test of its cell.
        public var test: Test
        /// `pending`, `refused`, `balance`, `total` or `text`.
        public var kind: String
    }

    /// A column and the values that are looked for in it.
    public struct Values: Hashable, Sendable {
        /// The column.
        public var column: Column
        /// The values.
        public var are: [String]
    }

    /// Makes a value of its parts.
    public init(date: Column? = nil, dateFormat: String? = nil) {
        self.date = date
        self.dateFormat = dateFormat
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
        case period, fee, account, continuation
        case dateOrder = "date_order"
        case debitValues = "debit_values"
        case amountSign = "amount_sign"
        case accountType = "account_type"
        case openingBalance = "opening_balance"
        case closingBalance = "closing_balance"
        case leaveOut = "leave_out"
        case bookedValues = "booked_values"
        case endAt = "end_at"
        case footerRows = "footer_rows"
        case skipRows = "skip_rows"
        case headerRow = "header_row"
        case dateFormat = "date_format"
        case typeColumn = "type_column"
        case creditValues = "credit_values"
        case summaryRows = "summary_rows"
    }

    /// - Throws: `DecodingError` that names what is wrong.
    public init(from decoder: any Decoder) throws {
        let json = try JSONValue(from: decoder)
        do throws(SettingsError) { try self.init(settings: json) } catch {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: error.description))
        }
    }
}

extension CSVProfile.Values: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case column, are
    }

    /// Decodes what was encoded.
    ///
    /// - Throws: `DecodingError`.
    public init(from decoder: any Decoder) throws {
        try decoder.refuseKeys(except: CodingKeys.self)
        let container = try decoder.container(keyedBy: CodingKeys.self)
        column = try container.decode(CSVProfile.Column.self, forKey: .column)
        are = try container.decode([String].self, forKey: .are)
    }
}
