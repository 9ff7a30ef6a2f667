public import Assay

/// A profile for a file as it was understood, or the two that the file leaves open.
public struct ProfileProposal: Sendable {
    /// A way to read the file.
    public struct Reading: Sendable {
        /// The keys with their values as YAML, each with what it rests on.
        public var keys: [Key]
        /// The report on the file.
        public var statements: [Statement]

        /// The keys as settings have them.
        public var settings: JSONValue {
            var object = JSONObject()
            for key in keys { object[key.name] = key.value }
            return .object(object)
        }
    }

    /// A key of a profile.
    public struct Key: Sendable {
        /// The name.
        public var name: String
        /// The value.
        public var value: JSONValue
        /// Its evidence.
        public var evidence: String

        init(_ name: String, _ value: JSONValue, _ evidence: String) {
            (self.name, self.value, self.evidence) = (name, value, evidence)
        }
    }

    /// One, or two of which a person has to choose.
    public var readings: [Reading]
    /// Why there are two; `nil` if there is one.
    public var doubt: String?

    /// Finds a profile for the content of a file called `name`.
    ///
    /// - Throws: ``StatementError`` if the file is none of rows and columns, or cannot be read in any way.
    public init(for content: [UInt8], name: String?) throws(StatementError) {
        let suffix = name.flatMap { $0.split(separator: ".").dropFirst().last }.map(String.init)
        let csv = try ProfileProposal.table(of: content, suffix: suffix)
        do throws(StatementError) {
            readings = [try ProfileProposal.understood(csv)]
        } catch {
            let open = ProfileProposal.alternatives(csv, error)
            guard open.count > 1 else { throw error }
            (readings, doubt) = (open, error.message)
        }
    }

    private static func table(of content: [UInt8], suffix: String?) throws(StatementError) -> [UInt8] {
        let format = try content.withUnsafeBufferPointer { buffer throws(StatementError) in
            try StatementFormat.detect(Bytes(buffer), suffix: suffix)
        }
        switch format {
        case .csv: break
        case .xlsx:
            return try content.withUnsafeBufferPointer { buffer throws(StatementError) in
                let tables = try XLSXReader.tables(of: Bytes(buffer))
                guard let first = tables.first(where: { XLSXReader.holdsEntries($0.csv) }) ?? tables.first else {
                    throw StatementError(
                        .empty, "no sheet of the workbook has rows; export the account with its entries")
                }
                return first.csv
            }
        default:
            throw StatementError(
                .unsupported, "a profile is for CSV files and workbooks; \(format.rawValue) files need none")
        }
        return try content.withUnsafeBufferPointer { buffer throws(StatementError) in
            let bytes = Bytes(buffer)
            if let text = UTF16Text.transcoded(bytes) { return text }
            return try CSVText.transcoded(bytes, named: nil) ?? content
        }
    }

    /// Returns the profile that says all of how a table was read.
    private static func understood(_ csv: [UInt8]) throws(StatementError) -> Reading {
        try csv.withUnsafeBufferPointer { buffer throws(StatementError) in
            let reading = FileReading(Bytes(buffer))
            let statements = try CSVReader.read(FileBytes(Bytes(buffer)), profiles: nil, file: nil)
            guard let table = CSVTable.find(in: reading) else { return Reading(keys: [], statements: statements) }
            let builtIn = BuiltInProfile.fitting(table.header)
            let keys = try keys(reading, table, builtIn?.profile, statements)
            let known = builtIn.map { Key("extends", .string($0.names[0]), "the header is that of this export") }
            let candidates = [[known].compactMap { $0 } + keys, keys, keys.filter { soft.contains($0.name) }, []]
            // What is proposed has to read the file as it was read.
            for candidate in candidates {
                let proposal = Reading(keys: candidate, statements: statements)
                guard let profile = try? CSVProfile(settings: proposal.settings),
                    let again = try? CSVReader.read(
                        FileBytes(Bytes(buffer)), profiles: CSVProfiles([profile]), file: nil),
                    again.map(\.entries) == statements.map(\.entries),
                    again.map(\.account) == statements.map(\.account),
                    again.map(\.opening) == statements.map(\.opening), again.map(\.closing) == statements.map(\.closing)
                else { continue }
                return proposal
            }
            return Reading(keys: [], statements: statements)
        }
    }

    /// The keys that leave the columns to be found.
    private static let soft = ["date_order", "amount_sign", "decimal", "account_type"]

    private static func keys(
        _ reading: FileReading, _ table: CSVTable, _ profile: CSVProfile?, _ statements: [Statement]
    ) throws(StatementError) -> [Key] {
        let reader = try CSVReader(reading, table, profile)
        let plan =
            if let profile { try CSVPlan(profile, reader.survey) } else { CSVPlan(reader.survey) }
        let rows = try CSVRows(reading, plan, reader.survey, leaveOut: CSVLeaveOut())
        let found = try reader.assembly(rows)
        func name(_ place: Int) -> JSONValue {
            let text = table.header.indices.contains(place) ? table.header[place] : ""
            let isUnique = !text.isEmpty && table.header.count { $0 == text } == 1
            return isUnique ? .string(text) : .number(Number(place))
        }
        func by(_ text: String) -> String {
            text == "profile" || text.hasPrefix("csv.") ? "what is known of this export" : text
        }
        let evidence = statements.first?.evidence ?? []
        var keys = [
            Key("delimiter", .string(String(UnicodeScalar(table.delimiter))), "\(table.header.count) columns"),
            Key("skip_rows", .number(Number(table.headerRow)), "row \(table.headerRow) names the columns"),
        ]
        keys.append(Key("date", name(rows.dateColumn(of: 0)), "a date in every entry"))
        keys.append(Key("date_order", .string(found.dates.pattern.order.rawValue), by(found.dates.by)))
        keys += columns(of: found.solved.rule, plan, name).map { Key($0.0, $0.1, by(found.solved.by)) }
        if let sign = evidence.first(where: { $0.decision == "direction" }), found.solved.rule.isSigned {
            let isCard = sign.value.contains("charge") || profile?.amountSign == .card
            keys.append(Key("amount_sign", .string(isCard ? "card" : "bank"), by(sign.by)))
        }
        if let balance = plan.balance {
            keys.append(
                Key(
                    "balance", name(balance),
                    found.solved.isProven ? "it leads from row to row" : "its name; it does not lead from row to row"))
        }
        keys.append(Key("decimal", .string(found.mark == DecimalChoice.comma ? "," : "."), "the amounts"))
        if let text = plan.descriptions.first?.first { keys.append(Key("description", name(text), "its name")) }
        if let account = plan.account { keys.append(Key("account", name(account), "its name, filled in every entry")) }
        if let type = statements.first?.accountType {
            keys.append(Key("account_type", .string(type.rawValue), "the columns"))
        }
        return keys
    }

    private static func columns(
        of rule: CSVRule, _ plan: CSVPlan, _ name: (Int) -> JSONValue
    ) -> [(String, JSONValue)] {
        switch rule {
        case .signed(let place), .unsigned(let place), .turned(let place): return [("amount", name(place))]
        case .lessFee(let place, let fee): return [("amount", name(place)), ("fee", name(fee))]
        case .pair(let debit, let credit): return [("debit", name(debit)), ("credit", name(credit))]
        case .direction(let place, let by):
            let words = plan.directions[by] ?? []
            func values(_ mark: AmountCell.Mark) -> JSONValue {
                .array(words.filter { $0.mark == mark }.map { .string($0.value.text) })
            }
            return [
                ("amount", name(place)), ("type_column", name(by)), ("credit_values", values(.credit)),
                ("debit_values", values(.debit)),
            ]
        case .byCurrency: return []
        }
    }

    /// Returns the ways to settle what a refusal leaves open, as far as the file can be read with them.
    private static func alternatives(_ csv: [UInt8], _ error: StatementError) -> [Reading] {
        var choices: [(key: String, value: JSONValue, profile: CSVProfile)] = []
        func choice(_ key: String, _ value: JSONValue, _ change: (inout CSVProfile) -> Void) {
            guard error.message.contains("csv.\(key)") else { return }
            var profile = CSVProfile()
            change(&profile)
            choices.append((key, value, profile))
        }
        choice("date_order", "day") { $0.dateOrder = .day }
        choice("date_order", "month") { $0.dateOrder = .month }
        choice("amount_sign", "bank") { $0.amountSign = .bank }
        choice("amount_sign", "card") { $0.amountSign = .card }
        choice("decimal", ",") { $0.decimal = "," }
        choice("decimal", ".") { $0.decimal = "." }
        choice("fee", "none") { $0.fee = CSVProfile.Fee.none }
        if let fee = feeColumn(csv) { choice("fee", .string(fee)) { $0.fee = .column(.name(fee)) } }
        return choices.compactMap { choice in
            let statements = try? csv.withUnsafeBufferPointer { buffer throws(StatementError) in
                try CSVReader.read(FileBytes(Bytes(buffer)), profiles: CSVProfiles([choice.profile]), file: nil)
            }
            guard let statements else { return nil }
            return Reading(keys: [Key(choice.key, choice.value, "yours to say")], statements: statements)
        }
    }

    private static func feeColumn(_ csv: [UInt8]) -> String? {
        csv.withUnsafeBufferPointer { buffer in
            guard let table = CSVTable.find(in: FileReading(Bytes(buffer))) else { return nil }
            return table.columns.first(.fee).map { table.header[$0] }
        }
    }
}

/// The state that readers share, under a name that differs from the proposal's own.
private typealias FileReading = AssayStatements.Reading

extension CSVRule {
    /// Whether the sign of the amount says which way money went.
    fileprivate var isSigned: Bool {
        switch self {
        case .signed, .turned: true
        case .lessFee, .pair, .direction, .byCurrency, .unsigned: false
        }
    }
}
