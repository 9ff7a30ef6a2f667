/// Finds out how a CSV file is written, from its header row and over all of its rows.
///
/// What can be read in two ways is refused with the profile key that settles it, never guessed.
struct CSVDetection {
    private let reading: Reading
    private var layout = CSVLayout(dates: DatePattern.known[0])
    private var currencyColumn: Int?

    static func layout(of reading: Reading) throws(StatementError) -> CSVLayout {
        var detection = CSVDetection(reading: reading)
        try detection.findHeader()
        try detection.surveyRows()
        try detection.readPreamble()
        return detection.layout
    }

    private init(reading: Reading) {
        self.reading = reading
        layout.skipsSummaries = true
    }

    // MARK: Header

    private mutating func findHeader() throws(StatementError) {
        for delimiter in [",", ";", "\t", "|"].compactMap(\.utf8.first) {
            var scanner = CSVScanner(reading, delimiter: delimiter)
            // A row that cannot be read this way rules the delimiter out, or lies below the header.
            while scanner.row < 40, (try? scanner.next()) == true {
                guard (2..<200).contains(scanner.cells.count) else { continue }
                let names = scanner.cells.map { CSVWords.plain(CSVDetection.withoutBrackets($0.text)) }
                guard useHeader(names) else { continue }
                layout.delimiter = delimiter
                layout.skipRows = scanner.row
                return
            }
        }
        throw StatementError(
            .malformed, "no header row names a date and an amount; give a csv profile with the columns", line: 1)
    }

    /// `Amount (SGD)` as `Amount`.
    private static func withoutBrackets(_ name: String) -> String {
        guard let open = name.firstIndex(of: "("), open > name.startIndex else { return name }
        return String(name[..<open])
    }

    private mutating func useHeader(_ names: [String]) -> Bool {
        func place(_ words: [String]) -> Int? {
            for word in words {
                if let index = names.firstIndex(of: word) { return index }
            }
            return nil
        }
        guard let date = place(CSVWords.date) else { return false }
        let amount = place(CSVWords.amount)
        let debit = place(CSVWords.debit)
        let credit = place(CSVWords.credit)
        guard amount != nil || (debit != nil && credit != nil) else { return false }
        layout.date = date
        layout.description = place(CSVWords.description)
        layout.debit = debit != nil && credit != nil ? debit : nil
        layout.credit = layout.debit == nil ? nil : credit
        layout.amount = layout.debit == nil ? amount : nil
        layout.balance = place(CSVWords.balance)
        layout.type = place(CSVWords.type)
        layout.status = place(CSVWords.status)
        currencyColumn = place(CSVWords.currency)
        return true
    }

    // MARK: All rows

    private mutating func surveyRows() throws(StatementError) {
        var scanner = CSVScanner(reading, delimiter: layout.delimiter)
        var dates = DateChoice(DatePattern.known)
        var marks = DecimalMarks()
        var types = Set<String>()
        var currencies = Set<String>()
        var hasNegative = false
        let amounts = [layout.amount, layout.debit, layout.credit, layout.balance].compactMap { $0 }
        while try scanner.next() {
            if scanner.row <= layout.skipRows || scanner.isBlank { continue }
            if layout.hasNoAmount(scanner), CSVWords.isSummary(scanner) { continue }
            let date = scanner[layout.date].bytes
            if let status = layout.status, CSVWords.isPending(scanner[status]) { continue }
            dates.see(date)
            if dates.isImpossible {
                throw reading.malformed(
                    "row \(scanner.row): \(date.quoted) is not a date as the rows above write it; give csv.date_format",
                    at: scanner.rowOffset)
            }
            for column in amounts { marks.see(scanner[column].bytes) }
            if let amount = layout.amount, scanner[amount].bytes.firstIndex(of: UInt8(ascii: "-")) != nil {
                hasNegative = true
            }
            // More kinds than these are no mere debit and credit.
            if let type = layout.type, types.count <= 4 { types.insert(CSVWords.plain(scanner[type].text)) }
            if let column = currencyColumn, currencies.count <= 2, !scanner[column].bytes.isEmpty {
                currencies.insert(scanner[column].text.uppercased())
            }
        }
        try useCurrencies(currencies)
        guard let decimal = marks.decimal else {
            throw StatementError(
                .malformed, "amounts use both ',' and '.' for decimals; give csv.decimal", line: layout.skipRows)
        }
        layout.style = decimal == CSVLayout.decimalComma ? .printedComma : .printed
        useTypes(types, hasNegative: hasNegative)
        guard let pattern = dates.decided(order: nil) else {
            throw StatementError(
                .malformed, "the dates can be read two ways; give csv.date_format", line: layout.skipRows + 1)
        }
        layout.dates = pattern
    }

    private mutating func useCurrencies(_ currencies: Set<String>) throws(StatementError) {
        guard currencies.count <= 1 else {
            throw StatementError(
                .malformed,
                "amounts are in several currencies (\(currencies.sorted().joined(separator: ", "))); split the file by currency"
            )
        }
        layout.currency = currencies.first.flatMap { $0.utf8.count == 3 && $0.utf8.allSatisfy(\.isUpper) ? $0 : nil }
    }

    /// Uses the type column if it is what gives amounts their sign.
    private mutating func useTypes(_ types: Set<String>, hasNegative: Bool) {
        let known = CSVWords.creditTypes + CSVWords.debitTypes
        let decides = layout.amount != nil && !hasNegative && (1...4).contains(types.count) && types.isSubset(of: known)
        layout.creditValues = decides ? CSVWords.creditTypes : []
        if !decides { layout.type = nil }
    }

    // MARK: Rows above the header

    private mutating func readPreamble() throws(StatementError) {
        let head = try CSVHead(reading, delimiter: layout.delimiter, rows: layout.skipRows - 1)
        var opening: Int?
        var closing: Int?
        for row in 1..<max(layout.skipRows, 1) {
            let first = CSVWords.plain(head.names(row: row).first ?? "")
            if CSVWords.isOpening(first) { opening = row }
            if CSVWords.isClosing(first) { closing = row }
            let days = head.days(rows: [row], pattern: layout.dates)
            if days.count == 2, days[0] <= days[1] { (layout.from, layout.to) = (days[0], days[1]) }
        }
        layout.opening = try head.amount(row: opening, style: layout.style)
        layout.closing = try head.amount(row: closing, style: layout.style)
        if let opening, let closing {
            let days = head.days(rows: [opening, closing], pattern: layout.dates)
            if days.count == 2, days[0] <= days[1] { (layout.from, layout.to) = (days[0], days[1]) }
        }
    }
}

/// Decides over all of a file's amounts which mark stands before their decimals.
private struct DecimalMarks {
    private var points = 0
    private var commas = 0
    /// Marks before three digits, which more likely group thousands.
    private var groupingPoints = 0

    mutating func see(_ cell: Bytes) {
        var last: UInt8 = 0
        var first: UInt8 = 0
        var repeats = 0
        var digitsAfter = 0
        for index in 0..<min(cell.count, 64) {
            let byte = cell[index]
            if byte == CSVLayout.decimalPoint || byte == CSVLayout.decimalComma {
                repeats = byte == last ? repeats + 1 : 1
                last = byte
                if first == 0 { first = byte }
                digitsAfter = 0
            } else if byte.isDigit {
                digitsAfter += 1
            }
        }
        guard last != 0 else { return }
        if first != last || (repeats == 1 && digitsAfter != 3) {
            if last == CSVLayout.decimalPoint { points += 1 } else { commas += 1 }
        } else if last == CSVLayout.decimalPoint {
            groupingPoints += 1
        }
    }

    /// The mark; `nil` if the amounts contradict one another.
    var decimal: UInt8? {
        if points > 0, commas > 0 { return nil }
        if commas > 0 { return CSVLayout.decimalComma }
        return points == 0 && groupingPoints > 0 ? CSVLayout.decimalComma : CSVLayout.decimalPoint
    }
}
