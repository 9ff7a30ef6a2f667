/// Where a CSV file keeps what, with all columns resolved to places.
struct CSVLayout {
    var delimiter = UInt8(ascii: ",")
    /// The number of rows above the first entry.
    var skipRows = 0
    var dates: DatePattern
    var date = 0
    var description: Int?
    var amount: Int?
    var debit: Int?
    var credit: Int?
    var balance: Int?
    var type: Int?
    var creditValues: [String] = []
    /// The column that says whether an entry is booked.
    var status: Int?
    var style = AmountStyle.printed
    var order: CSVProfile.Order?
    var account: String?
    var currency: String?
    var from: Day?
    var to: Day?
    var opening: Amount?
    var closing: Amount?
    var credits: Amount?
    var debits: Amount?
    /// Whether rows without an amount that only speak of balances and totals are passed over.
    var skipsSummaries = false

    /// The highest column an entry must have.
    var lastColumn: Int { [date, amount, debit, credit, balance, type].compactMap { $0 }.max() ?? 0 }

    /// Whether the cells for amounts are all empty.
    func hasNoAmount(_ row: CSVScanner) -> Bool {
        [amount, debit, credit].allSatisfy { $0.map { row[$0].bytes.isEmpty } ?? true }
    }

    static let decimalPoint = UInt8(ascii: ".")
    static let decimalComma = UInt8(ascii: ",")
}

extension CSVLayout {
    /// The layout that `profile` describes, its names and summaries looked up in the file.
    ///
    /// - Throws: ``StatementError`` `malformed` if the file lacks what the profile names, `unsupported` if the profile
    ///   itself cannot be followed.
    init(_ profile: CSVProfile, in reading: Reading) throws(StatementError) {
        guard let dates = DatePattern(profile.dateFormat) else {
            throw StatementError(
                .unsupported, "csv.date_format '\(profile.dateFormat)' has letters other than %Y %y %m %d %b %H %M %S")
        }
        guard profile.delimiter.utf8.count == 1, let delimiter = profile.delimiter.utf8.first else {
            throw StatementError(.unsupported, "csv.delimiter is one ASCII character")
        }
        guard profile.decimal == "." || profile.decimal == "," else {
            throw StatementError(.unsupported, "csv.decimal is '.' or ','")
        }
        guard profile.amount != nil || profile.debit != nil || profile.credit != nil else {
            throw StatementError(.unsupported, "the csv profile names neither amount nor debit and credit")
        }
        self.init(dates: dates)
        self.delimiter = delimiter
        style = profile.decimal == "," ? .printedComma : .printed
        skipRows = max(0, profile.skipRows)
        creditValues = profile.creditValues.map { $0.lowercased() }
        order = profile.order
        currency = profile.currency
        let head = try CSVHead(reading, delimiter: delimiter, rows: max(skipRows, profile.headerRow ?? 0))
        let header = head.names(row: profile.headerRow ?? skipRows)
        date = try CSVLayout.place(profile.date, in: header) ?? 0
        description = try CSVLayout.place(profile.description, in: header)
        amount = try CSVLayout.place(profile.amount, in: header)
        debit = try CSVLayout.place(profile.debit, in: header)
        credit = try CSVLayout.place(profile.credit, in: header)
        balance = try CSVLayout.place(profile.balance, in: header)
        type = try CSVLayout.place(profile.typeColumn, in: header)
        opening = try head.amount(row: profile.summaryRows?.opening, style: style)
        closing = try head.amount(row: profile.summaryRows?.closing, style: style)
        credits = try head.amount(row: profile.summaryRows?.credits, style: style)
        debits = try head.amount(row: profile.summaryRows?.debits, style: style)
        if let period = profile.period {
            let days = head.days(rows: CSVLayout.numbers(in: period), pattern: dates)
            guard let first = days.first, let last = days.last, days.count >= 2 else {
                throw StatementError(.malformed, "the rows of csv.period hold no two dates; check the profile", line: 1)
            }
            (from, to) = (first, last)
        }
    }

    private static func place(_ column: CSVProfile.Column?, in header: [String]) throws(StatementError) -> Int? {
        switch column {
        case nil: return nil
        case .index(let index): return index
        case .name(let name):
            if let place = header.firstIndex(where: { $0.lowercased() == name.lowercased() }) { return place }
            throw StatementError(
                .malformed, "no column is called '\(name)'; there are: \(header.prefix(20).joined(separator: ", "))")
        }
    }

    /// The whole numbers that stand alone in `text`, but none that counts something ("two dates in row 1").
    private static func numbers(in text: String) -> [Int] {
        text.split { !$0.isNumber }.compactMap { Int($0) }
    }
}

/// The rows above a CSV file's entries.
struct CSVHead {
    private var rows: [[CSVScanner.Cell]] = []

    init(_ reading: Reading, delimiter: UInt8, rows count: Int) throws(StatementError) {
        var scanner = CSVScanner(reading, delimiter: delimiter)
        while rows.count < min(count, 1000), try scanner.next() { rows.append(scanner.cells) }
    }

    private func cells(_ row: Int) -> [CSVScanner.Cell] { rows.indices.contains(row - 1) ? rows[row - 1] : [] }

    func names(row: Int) -> [String] { cells(row).map(\.text) }

    /// The amount in the last cell of a row; `nil` where no row is asked for.
    func amount(row: Int?, style: AmountStyle) throws(StatementError) -> Amount? {
        guard let row else { return nil }
        guard let cell = cells(row).last(where: { !$0.bytes.isEmpty }), let amount = Amount(cell.bytes, style: style)
        else {
            throw StatementError(.malformed, "there is no total at the end of this row; check summary_rows", line: row)
        }
        return amount
    }

    /// The days written anywhere in `rows`, in order.
    func days(rows: [Int], pattern: DatePattern) -> [Day] {
        let pattern = pattern.withoutRest
        return rows.flatMap { cells($0) }.flatMap { cell in
            var days: [Day] = []
            var index = 0
            while index < cell.bytes.count {
                let startsHere = cell.bytes[index].isDigit && !cell.bytes[index - 1].isDigit
                if startsHere, let found = pattern.scan(cell.bytes, from: index) {
                    days.append(found.day)
                    index = found.end
                } else {
                    index += 1
                }
            }
            return days
        }
    }
}
