/// A reader of CSV files that finds the table and its only reading that structure and running balance allow.
///
/// A file that can be read in two ways is refused with the profile key that decides; nothing is guessed.
struct CSVReader {
    private let reading: Reading
    private let table: CSVTable
    let survey: CSVSurvey
    private let preamble: CSVPreamble
    private let profile: CSVProfile?
    private let leaveOut: CSVLeaveOut

    static func read(_ content: FileBytes, profiles: CSVProfiles?, file: String?) throws(StatementError) -> [Statement]
    {
        let only = profiles?.profiles.count == 1 ? profiles?.profiles.first : nil
        if let text = try CSVText.transcoded(content.bytes, named: only?.encoding) {
            return try text.withUnsafeBufferPointer { buffer throws(StatementError) in
                try read(Reading(Bytes(buffer)), profiles, file)
            }
        }
        return try read(Reading(content), profiles, file)
    }

    private static func read(
        _ reading: Reading, _ profiles: CSVProfiles?, _ file: String?
    ) throws(StatementError) -> [Statement] {
        let header = { CSVTable.find(in: reading)?.header ?? [] }
        if let profile = try profiles?.profile(header: header(), file: file) {
            // What a person says comes first; the rest of what is known of the export still holds.
            let builtIn = profile.describesTable ? nil : BuiltInProfile.fitting(header())
            let whole = builtIn.map { profile.completed(by: $0.profile) } ?? profile
            let table = try CSVTable(whole, in: reading)
            let reader = try CSVReader(reading, table, whole)
            let statements = try reader.solved(try CSVPlan(whole, reader.survey))
            if let builtIn, profile.amountSign == nil { try builtIn.check(statements) }
            let name = profile.name ?? builtIn?.names[0] ?? "without a name"
            return statements.map { $0.with(Evidence(Evidence.profile, name, by: "parameters")) }
        }
        guard let table = CSVTable.find(in: reading) else { return try CSVHeaderless.read(reading) }
        if let builtIn = BuiltInProfile.fitting(table.header) { return try read(reading, table, as: builtIn) }
        let reader = try CSVReader(reading, table, nil)
        return try reader.solved(CSVPlan(reader.survey))
    }

    init(_ reading: Reading, _ table: CSVTable, _ profile: CSVProfile?) throws(StatementError) {
        self.reading = reading
        self.table = table
        self.profile = profile
        leaveOut =
            try profile.map { profile throws(StatementError) in try CSVLeaveOut(profile, table, in: reading) }
            ?? CSVLeaveOut()
        survey = try CSVSurvey(reading, table, leaveOut: leaveOut)
        preamble = CSVPreamble(reading, table)
    }

    init(_ reading: Reading, _ survey: CSVSurvey) {
        self.reading = reading
        self.survey = survey
        table = survey.table
        profile = nil
        leaveOut = CSVLeaveOut()
        preamble = CSVPreamble(reading, table)
    }

    /// Returns the statements of a plan.
    func solved(_ plan: CSVPlan, onlyProven: Bool = false) throws(StatementError) -> [Statement] {
        // Nothing else keeps the rows, so that their entries become those of the statements where they are.
        var assembly = try assembly(CSVRows(reading, plan, survey, leaveOut: leaveOut))
        if plan.balance != nil, !assembly.solved.isProven, plan.account == nil {
            // A column that may name the own account does where every balance holds only with it.
            for place in plan.otherAccounts where survey[place].values.count > 1 {
                var other = plan
                other.account = place
                let split = try CSVRows(reading, other, survey, leaveOut: leaveOut)
                if let found = try? self.assembly(split), found.solved.isProven {
                    assembly = found
                    break
                }
            }
        }
        if onlyProven, !assembly.solved.isProven { throw nothing(assembly.rows) }
        return try assembly.statements()
    }

    private func nothing(_ rows: CSVRows) -> StatementError {
        if rows.leftOut.count == 0, rows.pending.isEmpty {
            return StatementError(
                .empty,
                "no rows below the header in row \(table.headerRow); an account without movements has none to give")
        }
        return StatementError(
            .empty,
            "no row below the header in row \(table.headerRow) is a booked entry (\(rows.pending.count) pending, \(rows.leftOut.refused) refused, \(rows.leftOut.balance) balances, \(rows.leftOut.text) of text); choose a period with entries, or: assay statements profile FILE"
        )
    }

    func assembly(_ rows: CSVRows) throws(StatementError) -> CSVAssembly {
        guard rows.count > 0 else { throw nothing(rows) }
        let settings = try CSVSettings(profile, rows.plan)
        let currency = knownCurrency(rows)
        var marks: [UInt8] = []
        for column in rows.columns {
            if let settled = settings.decimal {
                marks.append(settled)
            } else {
                marks.append(try decimal(of: column, rows, currency: currency))
            }
        }
        let values = try rows.columns.indices.map { index throws(StatementError) in
            let (values, wrongRow) = rows.cells[index].values(decimal: marks[index])
            guard let wrongRow else { return values }
            throw reading.malformed(
                "row \(rows.number(of: wrongRow)): the amount in '\(rows.name(rows.columns[index]))' is not written with csv.decimal; check csv.decimal",
                at: rows.place(of: wrongRow).offset)
        }
        let dates = try CSVDates(rows, survey, preamble, settings)
        var solver = CSVSolver(rows, values: values, settings: settings)
        let mark = marks.first ?? DecimalChoice.point
        solver.statedOpening =
            try stated(profile?.openingBalance) ?? rows.balances.first { $0.kind == .opening }?.amount.value(
                decimal: mark)
            ?? preamble.balances.first { $0.kind == .opening }?.amount.value(decimal: mark)
        let solved = try solver.solve(datesFall: dates.fall)
        return try CSVAssembly(
            rows: rows, values: values, solved: solved, dates: dates.decided(with: solved), preamble: preamble,
            profile: profile, reading: reading, currency: currency, mark: mark)
    }

    private func stated(_ text: String?) throws(StatementError) -> Amount? {
        guard let text else { return nil }
        guard let amount = Amount(text) else {
            throw StatementError(.unsupported, "csv.opening_balance '\(text)' is not an amount such as -1234.56")
        }
        return amount
    }

    /// Returns the one currency of the file, as far as columns, names, marks and the rows above tell it.
    private func knownCurrency(_ rows: CSVRows) -> String? {
        let named = Set(rows.groups.compactMap(\.currency))
        if named.count == 1 { return named.first }
        if named.count > 1 { return nil }
        if let currency = profile?.currency { return currency }
        let headers = Set(rows.plan.rules.flatMap(\.columns).compactMap { table.columns.currencies[$0] })
        if headers.count == 1 { return headers.first }
        if let balance = rows.plan.balance, let code = table.columns.currencies[balance] { return code }
        let marks = Set(rows.columns.compactMap { survey[$0].currency?.text })
        if marks.count == 1 { return marks.first }
        return preamble.currency
    }

    /// Returns the mark before the decimals of a column.
    private func decimal(of column: Int, _ rows: CSVRows, currency: String?) throws(StatementError) -> UInt8 {
        let choice = survey[column].decimals
        if choice.isContradictory {
            throw StatementError(
                .malformed,
                "column '\(rows.name(column))' uses both '.' and ',' for decimals (rows \(choice.pointRow ?? 0) and \(choice.commaRow ?? 0)); correct the rows, or give an export from the bank itself"
            )
        }
        if let proven = choice.proven { return proven }
        let others = Set(rows.columns.compactMap { survey[$0].decimals.proven })
        guard let doubtful = choice.ambiguousRow else { return others.first ?? DecimalChoice.point }
        let index = rows.columns.firstIndex(of: column) ?? 0
        let row = (0..<rows.count).first { rows.number(of: $0) == doubtful }
        let writesPoint = row.flatMap { rows.cells[index].writesPoint($0) } ?? true
        let (mark, other) =
            writesPoint ? (DecimalChoice.point, DecimalChoice.comma) : (DecimalChoice.comma, DecimalChoice.point)
        if let currency { return CurrencyCode.decimals(of: currency) == 3 ? mark : other }
        if others.count == 1, let agreed = others.first { return agreed }
        throw StatementError(
            .malformed,
            "column '\(rows.name(column))': an amount in row \(doubtful) has one '\(writesPoint ? "." : ",")' before three digits, which begins decimals or groups thousands; set csv.decimal: ',' or '.', or csv.currency"
        )
    }
}

/// The text of CSV files in encodings other than UTF-8.
enum CSVText {
    /// Returns the file as UTF-8, if it is something else.
    static func transcoded(_ bytes: Bytes, named name: String?) throws(StatementError) -> [UInt8]? {
        guard let bad = bytes.firstInvalidUTF8 else { return nil }
        switch name?.lowercased() {
        case nil:
            // Older exports are Windows-1252, but none writes these bytes; UTF-8 never has them either.
            let isDamaged = bytes.withBuffer { $0.contains { $0 >= 0xFE || $0 == 0x81 || $0 == 0x8D || $0 == 0x90 } }
            if !isDamaged, let encoding = TextEncoding.named("windows-1252"),
                let text = TextEncoding.utf8(bytes, from: encoding)
            {
                return text
            }
        case "utf-8", "utf8", "utf-8-sig", "ascii", "us-ascii": break
        case let name?:
            guard let encoding = TextEncoding.named(name) else {
                throw StatementError(
                    .unsupported,
                    "csv.encoding '\(name)' is not known; use utf-8, latin-1, windows-1252, windows-1250 or latin-2")
            }
            if let text = TextEncoding.utf8(bytes, from: encoding) { return text }
        }
        throw Reading(bytes).malformed(
            "bytes that are not UTF-8; save the file as UTF-8, or set csv.encoding", at: bad)
    }
}
