public import Assay

extension CSVProfile {
    /// The header and the files that a profile is for.
    public struct Match: Hashable, Sendable {
        /// The names of the header's columns, `…` for any further ones; empty: any header.
        public var header: [String] = []
        /// A pattern with `*` and `?` for the name of the file.
        public var file: String?

        /// Fits every file.
        public init() {}

        func fits(header names: [String], file name: String?) -> Bool {
            if let pattern = file {
                guard let name, Match.isLike(Array(name), Array(pattern)) else { return false }
            }
            return header.isEmpty || HeaderPattern(header).matches(names.map { FoldedText.of($0) })
        }

        private static func isLike(_ name: [Character], _ pattern: [Character]) -> Bool {
            // The last star takes as little as it can, and one more at each step back.
            var (place, next, star, kept) = (0, 0, -1, 0)
            while place < name.count {
                if next < pattern.count, pattern[next] == "?" || pattern[next] == name[place] {
                    (place, next) = (place + 1, next + 1)
                } else if next < pattern.count, pattern[next] == "*" {
                    (star, kept) = (next, place)
                    next += 1
                } else if star >= 0 {
                    kept += 1
                    (place, next) = (kept, star + 1)
                } else {
                    return false
                }
            }
            while next < pattern.count, pattern[next] == "*" { next += 1 }
            return next == pattern.count
        }
    }

    /// Reads the profile that settings describe.
    ///
    /// - Parameter path: the way to it, for messages.
    /// - Throws: ``SettingsError`` with all that is wrong.
    public init(settings json: JSONValue, path: [String] = ["csv"]) throws(SettingsError) {
        let reader = try SettingsReader(json, path: path, what: "a map of keys")
        self.init()
        if let base = reader.text("extends") {
            if let known = BuiltInProfile.common(base) {
                self = known
            } else {
                reader.report(
                    "extends",
                    "no built-in profile '\(base)'\(BuiltInProfile.suggestion(for: base))")
            }
        }
        readTable(reader)
        readColumns(reader)
        readRows(reader)
        if let value = reader.value("match") {
            do throws(SettingsError) { match = try Match(settings: value, path: path + ["match"]) } catch {
                reader.add(error)
            }
        }
        checkAmounts(reader)
        try reader.finish()
    }

    private mutating func readTable(_ reader: SettingsReader) {
        name = reader.text("name") ?? name
        encoding = reader.text("encoding") ?? encoding
        if let mark = reader.text("delimiter") {
            if mark.utf8.count == 1 {
                delimiter = mark
            } else {
                reader.must("delimiter", "one ASCII character, such as ';'", .string(mark))
            }
        }
        skipRows = reader.number("skip_rows", 0...1000) ?? skipRows
        headerRow = reader.number("header_row", 0...1000) ?? headerRow
        if let format = reader.text("date_format") {
            if DatePattern(format) == nil {
                reader.report("date_format", "csv.date_format: '\(format)' is not known; use %Y %y %m %d %b %H %M %S")
            }
            dateFormat = format
        }
        dateOrder = reader.word("date_order") ?? dateOrder
        if let mark = reader.text("decimal") {
            if mark != ".", mark != "," { reader.must("decimal", "'.' or ','", .string(mark)) }
            decimal = mark
        }
        order = reader.word("order") ?? order
        currency = reader.text("currency") ?? currency
        period = reader.text("period") ?? period
        endAt = reader.text("end_at") ?? endAt
        footerRows = reader.number("footer_rows", 0...1000) ?? footerRows
        continuation = reader.word("continuation") ?? continuation
    }

    private mutating func readColumns(_ reader: SettingsReader) {
        date = reader.column("date") ?? date
        description = reader.column("description") ?? description
        let named = (reader.column("amount"), reader.column("debit"), reader.column("credit"))
        // What is written replaces all of what is extended: a pair of columns is no addition to a single one.
        if named.0 != nil || named.1 != nil || named.2 != nil { (amount, debit, credit) = named }
        balance = reader.column("balance") ?? balance
        typeColumn = reader.column("type_column") ?? typeColumn
        let values = (reader.texts("credit_values"), reader.texts("debit_values"))
        if !values.0.isEmpty || !values.1.isEmpty { (creditValues, debitValues) = values }
        amountSign = reader.word("amount_sign") ?? amountSign
        if let column = reader.column("fee") { fee = column == .name("none") ? Fee.none : .column(column) }
        readAccount(reader)
        accountType = reader.word("account_type") ?? accountType
        openingBalance = reader.amountText("opening_balance") ?? openingBalance
        closingBalance = reader.amountText("closing_balance") ?? closingBalance
    }

    private mutating func readAccount(_ reader: SettingsReader) {
        guard let value = reader.value("account") else { return }
        if let text = value["text"]?.string, value.object?.keys == ["text"] {
            account = .text(text)
        } else if let text = value.string, !text.isEmpty {
            account = text == "none" ? Account.none : .column(.name(text))
        } else if let number = value.number?.integer, (0..<1000).contains(number) {
            account = .column(.index(number))
        } else {
            reader.must("account", "a column's name or place, none, or {text: NUMBER}", value)
        }
    }

    private mutating func readRows(_ reader: SettingsReader) {
        if let value = reader.value("leave_out") {
            guard let rules = value.array else { return reader.must("leave_out", "a list of rules", value) }
            var result: [LeaveOut] = []
            for (index, rule) in rules.enumerated() {
                let path = reader.path + ["leave_out", "\(index)"]
                do throws(SettingsError) { result.append(try LeaveOut(settings: rule, path: path)) } catch {
                    reader.add(error)
                }
            }
            leaveOut = result
        }
        if let value = reader.value("booked_values") {
            do throws(SettingsError) {
                let inner = try SettingsReader(
                    value, path: reader.path + ["booked_values"], what: "{column: …, are: […]}")
                let (column, values) = (inner.column("column"), inner.texts("are"))
                if column == nil || values.isEmpty {
                    inner.report(
                        "column",
                        "booked_values needs a column and what booked rows have there: {column: State, are: [COMPLETED]}"
                    )
                }
                try inner.finish()
                if let column { bookedValues = Values(column: column, are: values) }
            } catch { reader.add(error) }
        }
        if let value = reader.value("summary_rows") {
            do throws(SettingsError) {
                let inner = try SettingsReader(value, path: reader.path + ["summary_rows"], what: "a map of rows")
                let rows = SummaryRows(
                    opening: inner.number("opening", 1...1000), credits: inner.number("credits", 1...1000),
                    debits: inner.number("debits", 1...1000), closing: inner.number("closing", 1...1000))
                try inner.finish()
                summaryRows = rows
            } catch { reader.add(error) }
        }
    }

    /// Checks that there is one signed column, or a debit and a credit column.
    private func checkAmounts(_ reader: SettingsReader) {
        if amount != nil, debit != nil || credit != nil {
            let key = debit != nil ? "debit" : "credit"
            reader.report(key, "csv.\(key) and csv.amount are both given; keep one")
        }
        if amount == nil, date != nil, debit == nil, credit == nil {
            reader.report("date", "csv names neither amount nor debit and credit")
        }
        if typeColumn == nil, !creditValues.isEmpty || !debitValues.isEmpty {
            reader.report(
                creditValues.isEmpty ? "debit_values" : "credit_values",
                "csv.type_column is missing: it names the column that holds these values")
        }
    }
}

extension CSVProfile.LeaveOut {
    init(settings json: JSONValue, path: [String]) throws(SettingsError) {
        let reader = try SettingsReader(json, path: path, what: "{column: …, is: …, as: …}")
        let column = reader.column("column")
        let kinds = ["pending", "refused", "balance", "total", "text"]
        let kind = reader.text("as")
        if let kind, !kinds.contains(kind) {
            reader.must("as", "pending, refused, balance, total or text", .string(kind))
        }
        var tests: [Test] = []
        if let value = reader.value("is") { tests.append(.equals(value.string ?? value.json)) }
        if let text = reader.text("begins") { tests.append(.begins(text)) }
        if let text = reader.text("contains") { tests.append(.contains(text)) }
        if let value = reader.value("empty") {
            if value == .bool(true) { tests.append(.empty) } else { reader.must("empty", "true", value) }
        }
        if column == nil || kind == nil || tests.count != 1 {
            reader.report(
                "column",
                "a rule of leave_out has a column, one of is, begins, contains or empty: true, and what the row is: {column: State, is: REVERTED, as: refused}"
            )
        }
        try reader.finish()
        guard let column, let kind, let test = tests.first else { throw SettingsError(reader.findings) }
        self.init(column: column, test: test, kind: kind)
    }
}

extension CSVProfile.Match {
    fileprivate init(settings json: JSONValue, path: [String]) throws(SettingsError) {
        let reader = try SettingsReader(json, path: path, what: "{header: […], file: PATTERN}")
        self.init()
        header = reader.texts("header")
        file = reader.text("file")
        if header.isEmpty, file == nil { reader.report("header", "match needs a header or a file") }
        try reader.finish()
    }
}

extension BuiltInProfile {
    /// Returns the end of an error message about an unknown name.
    public static func suggestion(for name: String) -> String {
        let longer = names.filter { $0.hasPrefix(name + "-") }
        guard let first = longer.first else { return Suggestion(for: name, among: names).ending }
        return longer.count == 1
            ? "; did you mean '\(first)'?" : "; did you mean '\(longer.joined(separator: "' or '"))'?"
    }

    /// Returns the settings that all exports of a name share; `nil` if no export has the name.
    static func common(_ name: String) -> CSVProfile? {
        let exports = all.filter { $0.names.contains(name) }.map(\.profile)
        guard var result = exports.first else { return nil }
        for other in exports.dropFirst() {
            if other.dateOrder != result.dateOrder { result.dateOrder = nil }
            if other.amount != result.amount { result.amount = nil }
            if other.account != result.account { result.account = nil }
            if other.amountSign != result.amountSign { result.amountSign = nil }
            if other.accountType != result.accountType { result.accountType = nil }
        }
        return result
    }
}

/// The profiles that a person gave: one, or several of which each file takes the one that is for it.
public struct CSVProfiles: Hashable, Sendable {
    /// The profiles.
    public var profiles: [CSVProfile]

    /// Makes a list of these profiles.
    public init(_ profiles: [CSVProfile]) { self.profiles = profiles }

    /// Reads the profile, or `{profiles: […]}`, that settings describe.
    ///
    /// - Throws: ``SettingsError`` with all that is wrong.
    public init(settings json: JSONValue, path: [String] = ["csv"]) throws(SettingsError) {
        guard let list = json["profiles"] else {
            profiles = [try CSVProfile(settings: json, path: path)]
            return
        }
        let reader = try SettingsReader(json, path: path, what: "a profile, or {profiles: […]}")
        _ = reader.value("profiles")
        profiles = []
        guard let elements = list.array, !elements.isEmpty else {
            reader.must("profiles", "a list of profiles", list)
            try reader.finish()
            return
        }
        for (index, element) in elements.enumerated() {
            let place = path + ["profiles", "\(index)"]
            do throws(SettingsError) {
                let profile = try CSVProfile(settings: element, path: place)
                profiles.append(profile)
                if profile.match == nil {
                    reader.add(
                        SettingsError([
                            .init(
                                path: place,
                                message: "of several profiles each needs match: {header: […]} or {file: PATTERN}")
                        ]))
                }
            } catch { reader.add(error) }
        }
        try reader.finish()
    }

    /// Returns the profile that a file takes; `nil` if none is for it.
    ///
    /// - Throws: ``StatementError`` `unsupported` if two are.
    func profile(header: @autoclosure () -> [String], file: String?) throws(StatementError) -> CSVProfile? {
        if profiles.count == 1, profiles[0].match == nil { return profiles[0] }
        let names = header()
        let fitting = profiles.filter { $0.match?.fits(header: names, file: file) ?? true }
        guard fitting.count > 1 else { return fitting.first }
        let called = fitting.map { "'\($0.name ?? "without a name")'" }.joined(separator: " and ")
        throw StatementError(
            .unsupported, "the profiles \(called) are both for this file; let csv.match tell them apart")
    }
}
