/// A profile for a file as it was understood, or the two that the file leaves open.
public struct ProfileProposal: Sendable {
    /// A way to read the file.
    public struct Reading: Sendable {
        /// The keys with their values as YAML, each with what it rests on.
        public var keys: [(key: String, value: String, evidence: String)]
        /// What the file comes to.
        public var statements: [Statement]
    }

    /// One, or two of which a person has to choose.
    public var readings: [Reading]
    /// Why there are two; `nil` if there is one.
    public var doubt: String?

    /// What is proposed for the content of a file called `name`.
    ///
    /// - Throws: ``StatementError`` if the file is none of rows and columns, or cannot be read in any way.
    public init(for content: [UInt8], name: String?) throws(StatementError) {
        let suffix = name.flatMap { $0.split(separator: ".").dropFirst().last }.map(String.init)
        let csv = try ProfileProposal.table(of: content, suffix: suffix)
        do throws(StatementError) {
            readings = [try ProfileProposal.understood(csv, nil)]
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
                guard let first = try XLSXReader.tables(of: Bytes(buffer)).first else {
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

    /// The profile that says all of how a table was read.
    private static func understood(_ csv: [UInt8], _ settled: CSVProfile?) throws(StatementError) -> Reading {
        try csv.withUnsafeBufferPointer { buffer throws(StatementError) in
            let reading = FileReading(Bytes(buffer))
            let statements = try CSVReader.read(
                Bytes(buffer), profiles: settled.map { CSVProfiles([$0]) }, file: nil)
            guard let table = CSVTable.find(in: reading) else { return Reading(keys: [], statements: statements) }
            let builtIn = settled == nil ? BuiltInProfile.fitting(table.header) : nil
            let reader = try CSVReader(reading, table, settled ?? builtIn?.profile)
            let plan =
                try (settled ?? builtIn?.profile).map { profile throws(StatementError) in
                    try CSVPlan(profile, reader.survey)
                } ?? CSVPlan(reader.survey)
            let rows = try CSVRows(reading, plan, reader.survey, leaveOut: CSVLeaveOut())
            let found = try reader.assembly(rows)
            var keys: [(key: String, value: String, evidence: String)] = []
            func add(_ key: String, _ value: String, _ evidence: String) { keys.append((key, value, evidence)) }
            func name(_ place: Int) -> String {
                let text = table.header.indices.contains(place) ? table.header[place] : ""
                return text.isEmpty || table.header.filter { $0 == text }.count > 1 ? "\(place)" : quoted(text)
            }
            if let builtIn { add("extends", builtIn.names[0], "the header is that of this export") }
            add(
                "delimiter", quoted(String(UnicodeScalar(table.delimiter))),
                "the header has \(table.header.count) columns")
            add("skip_rows", "\(table.headerRow)", "row \(table.headerRow) names the columns")
            if let date = rows.entries.first?.dateColumn { add("date", name(date), "dates in every entry") }
            add("date_order", found.dates.pattern.order.rawValue, found.dates.by)
            columns(of: found.solved.rule, name).forEach { add($0, $1, found.solved.by) }
            if let balance = plan.balance {
                add(
                    "balance", name(balance),
                    found.solved.isProven ? "it leads from row to row" : "by name; it does not lead from row to row")
            }
            add("decimal", found.mark == DecimalChoice.comma ? "','" : "'.'", "amounts")
            if let text = plan.descriptions.first?.first { add("description", name(text), "by name") }
            return Reading(keys: keys, statements: statements)
        }
    }

    private static func columns(of rule: CSVRule, _ name: (Int) -> String) -> [(String, String)] {
        switch rule {
        case .signed(let place), .unsigned(let place): [("amount", name(place))]
        case .turned(let place): [("amount", name(place)), ("amount_sign", "card")]
        case .lessFee(let place, let fee): [("amount", name(place)), ("fee", name(fee))]
        case .pair(let debit, let credit): [("debit", name(debit)), ("credit", name(credit))]
        case .direction(let place, let by): [("amount", name(place)), ("type_column", name(by))]
        case .byCurrency(let places): [("amount", places.map(name).joined(separator: " or "))]
        }
    }

    /// A text as YAML has it.
    private static func quoted(_ text: String) -> String {
        "'" + text.replacing("'", with: "''") + "'"
    }

    /// The ways to settle what a refusal leaves open, as far as the file can be read with them.
    private static func alternatives(_ csv: [UInt8], _ error: StatementError) -> [Reading] {
        var choices: [(key: String, value: String, profile: CSVProfile)] = []
        func choice(_ key: String, _ value: String, _ change: (inout CSVProfile) -> Void) {
            guard error.message.contains("csv.\(key)") else { return }
            var profile = CSVProfile()
            change(&profile)
            choices.append((key, value, profile))
        }
        choice("date_order", "day") { $0.dateOrder = .day }
        choice("date_order", "month") { $0.dateOrder = .month }
        choice("amount_sign", "bank") { $0.amountSign = .bank }
        choice("amount_sign", "card") { $0.amountSign = .card }
        choice("decimal", "','") { $0.decimal = "," }
        choice("decimal", "'.'") { $0.decimal = "." }
        choice("fee", "none") { $0.fee = CSVProfile.Fee.none }
        if let fee = feeColumn(csv) { choice("fee", quoted(fee)) { $0.fee = .column(.name(fee)) } }
        return choices.compactMap { choice in
            guard let read = try? understood(csv, choice.profile) else { return nil }
            return Reading(keys: [(choice.key, choice.value, "yours to say")], statements: read.statements)
        }
    }

    private static func feeColumn(_ csv: [UInt8]) -> String? {
        csv.withUnsafeBufferPointer { buffer in
            guard let table = CSVTable.find(in: FileReading(Bytes(buffer))) else { return nil }
            return table.columns.first(.fee).map { table.header[$0] }
        }
    }
}

/// What readers share, which a proposal has a word of its own for.
private typealias FileReading = AssayStatements.Reading
