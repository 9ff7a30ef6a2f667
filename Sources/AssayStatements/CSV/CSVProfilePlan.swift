extension CSVTable {
    /// Finds the table that a profile describes.
    ///
    /// - Throws: ``StatementError`` `unsupported` if the profile cannot be followed.
    init(_ profile: CSVProfile, in reading: Reading) throws(StatementError) {
        if !profile.describesTable {
            guard let found = CSVTable.find(in: reading) else {
                throw StatementError(
                    .malformed,
                    "no header row names a date and an amount; set csv.date: 0, csv.amount: 2 (columns count from 0), or: assay statements profile FILE",
                    line: 1)
            }
            self = found
            return
        }
        let delimiter = try profile.mark()
        let skipped = profile.rowsAbove
        let head = try CSVHead(reading, delimiter: delimiter, rows: max(skipped, profile.headerRow ?? 0))
        let header = head.names(row: profile.headerRow ?? skipped)
        self.init(delimiter: delimiter, headerRow: skipped, columns: CSVColumns(header), header: header)
    }

    /// Returns the place of a column that a profile names.
    func place(_ column: CSVProfile.Column?) throws(StatementError) -> Int? {
        switch column {
        case nil: return nil
        case .index(let index): return index
        case .name(let name):
            let folded = FoldedText.of(name)
            let exact = header.firstIndex { $0.lowercased() == name.lowercased() }
            if let place = exact ?? header.firstIndex(where: { FoldedText.of($0) == folded }) { return place }
            throw StatementError(
                .malformed,
                "no column '\(name)' in row \(headerRow), which csv.header_row takes as the header ('\(header.prefix(20).joined(separator: "', '"))'); check csv.header_row and the name"
            )
        }
    }
}

extension CSVPlan {
    /// Makes the plan that a profile sets; the rest is detected as in files without a profile.
    init(_ profile: CSVProfile, _ survey: CSVSurvey) throws(StatementError) {
        self.init(survey)
        let table = survey.table
        dateFormat = profile.dateFormat.flatMap { DatePattern($0) }
        if let date = try survey.place(profile.date, "date") { (dates, self.date) = ([date], date) }
        guard !dates.isEmpty else {
            throw StatementError(
                .malformed, "no column of dates is found; set csv.date, or: assay statements profile FILE")
        }
        if let place = try survey.place(profile.balance, "balance") {
            balance = survey.isConstant(place) ? nil : place
        } else if profile.date != nil {
            balance = nil
        }
        if let place = try table.place(profile.description) { descriptions = [[place]] }
        try useAmounts(profile, survey)
        switch profile.account {
        case nil: break
        case CSVProfile.Account.none?, .text?: (account, otherAccounts, product) = (nil, [], nil)
        case .column(let column)?: account = try table.place(column)
        }
        types.removeAll { used in rules.contains { $0.columns.contains(used) } }
    }

    /// Takes the amounts that the profile names, or the ones that were found, with the signs and fees it sets.
    private mutating func useAmounts(_ profile: CSVProfile, _ survey: CSVSurvey) throws(StatementError) {
        let type = try survey.place(profile.typeColumn, "type_column")
        var amount = try survey.place(profile.amount, "amount")
        if profile.debit != nil || profile.credit != nil {
            rules = [
                .pair(
                    debit: try survey.place(profile.debit, "debit") ?? CSVPlan.absent,
                    credit: try survey.place(profile.credit, "credit") ?? CSVPlan.absent)
            ]
            (fee, isSettled) = (nil, true)
            return
        }
        let isNamed = amount != nil
        guard isNamed || type != nil || profile.amountSign != nil || profile.fee != nil else { return }
        amount =
            amount
            ?? rules.lazy.compactMap { rule in
                switch rule {
                case .signed(let place), .direction(let place, _): place
                default: nil
                }
            }.first
        guard let amount else {
            throw StatementError(
                .malformed, "no column of amounts is found; set csv.amount, or csv.debit and csv.credit")
        }
        fee = nil
        if let type {
            rules = [.direction(amount, by: type)]
            try useValues(profile, type, survey)
            isSettled = true
        } else if case .column(let column)? = profile.fee, let place = try survey.place(column, "fee") {
            rules = [.lessFee(amount, fee: place)]
            isSettled = true
        } else {
            rules = [profile.amountSign == .card ? .turned(amount) : .signed(amount)]
            isSettled = profile.amountSign != nil
        }
    }

    /// The place of a column that no file has.
    static let absent = 100_000

    /// Takes the meaning of the values in a type column.
    private mutating func useValues(
        _ profile: CSVProfile, _ type: Int?, _ survey: CSVSurvey
    ) throws(StatementError) {
        guard let type else { return }
        let credits = Set(profile.creditValues.map { $0.lowercased() })
        let debits = Set(profile.debitValues.map { $0.lowercased() })
        guard !survey[type].hasManyValues else {
            throw StatementError(
                .malformed,
                "column '\(table.header.indices.contains(type) ? table.header[type] : String(type))' has more than 16 different values; check csv.type_column"
            )
        }
        let values = survey[type].values
        directions = [
            type: values.map { value in
                let text = value.text.lowercased()
                if debits.contains(text) { return (value, .debit) }
                if credits.contains(text) { return (value, .credit) }
                // One list alone says the other side too.
                return (value, credits.isEmpty ? .credit : .debit)
            }
        ]
    }
}

extension CSVSurvey {
    /// Returns the place of a column that a profile names, which some row has.
    fileprivate func place(_ column: CSVProfile.Column?, _ key: String) throws(StatementError) -> Int? {
        guard let place = try table.place(column) else { return nil }
        guard columns.indices.contains(place) else {
            throw StatementError(
                .malformed,
                "csv.\(key) is column \(place), and the longest row has \(columns.count) (columns count from 0); set csv.\(key) to a column of the file"
            )
        }
        return place
    }
}

extension CSVSettings {
    init(_ profile: CSVProfile?, _ plan: CSVPlan) throws(StatementError) {
        guard let profile else { return }
        if let format = profile.dateFormat {
            guard let dates = DatePattern(format) else {
                throw StatementError(
                    .unsupported, "csv.date_format: '\(format)' is not known; use %Y %y %m %d %b %H %M %S")
            }
            self.dates = dates
        }
        if let mark = profile.decimal {
            guard mark == "." || mark == "," else { throw StatementError(.unsupported, "csv.decimal is '.' or ','") }
            decimal = mark == "," ? DecimalChoice.comma : DecimalChoice.point
        }
        rule = plan.isSettled ? plan.rules.first : nil
        amountSign = profile.amountSign
        dateOrder = profile.dateOrder
        switch profile.order {
        case .newestFirst: isNewestFirst = true
        case .oldestFirst: isNewestFirst = false
        case .unsorted, nil: break
        }
    }
}

extension CSVProfile {
    /// Whether it gives the position of the table and the mark between its cells.
    var describesTable: Bool { date != nil || skipRows != nil || headerRow != nil || delimiter != nil }

    /// The number of rows above the first entry.
    var rowsAbove: Int { max(0, skipRows ?? headerRow ?? 1) }

    /// Returns the mark between cells.
    func mark() throws(StatementError) -> UInt8 {
        let text = delimiter ?? ","
        guard text.utf8.count == 1, let byte = text.utf8.first else {
            throw StatementError(.unsupported, "csv.delimiter is one ASCII character")
        }
        return byte
    }

    /// Returns the days of the rows that `period` points at.
    func statedPeriod(in reading: Reading, dates: DatePattern) throws(StatementError) -> (from: Day, to: Day)? {
        guard let period else { return nil }
        let delimiter = try mark()
        let numbers = period.split { !$0.isNumber }.compactMap { Int($0) }
        let head = try CSVHead(reading, delimiter: delimiter, rows: max(rowsAbove, headerRow ?? 0))
        let days = head.days(rows: numbers, pattern: dates)
        guard let first = days.first, let last = days.last, days.count >= 2 else {
            throw StatementError(.malformed, "the rows of csv.period hold no two dates; check csv.period", line: 1)
        }
        return (first, last)
    }
}
