/// Reads CSV files, as a profile says or with columns and writing found in the file itself.
struct CSVReader {
    private var reading: Reading
    private let layout: CSVLayout
    private var statement: Statement
    private var balances: [Amount] = []

    static func read(_ bytes: Bytes, profile: CSVProfile?) throws(StatementError) -> [Statement] {
        try checkEncoding(bytes, named: profile?.encoding)
        let reading = Reading(bytes)
        let layout: CSVLayout
        if let profile {
            layout = try CSVLayout(profile, in: reading)
        } else {
            layout = try CSVDetection.layout(of: reading)
        }
        var reader = CSVReader(reading, layout)
        try reader.scan()
        return [try reader.finished()]
    }

    private init(_ reading: Reading, _ layout: CSVLayout) {
        self.reading = reading
        self.layout = layout
        statement = Statement(account: layout.account, currency: layout.currency)
    }

    private static func checkEncoding(_ bytes: Bytes, named encoding: String?) throws(StatementError) {
        guard let bad = bytes.firstInvalidUTF8 else { return }
        switch encoding?.lowercased() {
        case "latin-1", "latin1", "iso-8859-1", "iso-8859-15", "windows-1252", "cp1252": return
        case nil:
            // Older exports are Windows-1252, but none writes these bytes; UTF-8 never has them either.
            let isDamaged = bytes.withBuffer { $0.contains { $0 >= 0xFE || $0 == 0x81 || $0 == 0x8D || $0 == 0x90 } }
            if !isDamaged { return }
        case "utf-8", "utf8", "utf-8-sig", "ascii", "us-ascii": break
        case let name?:
            throw StatementError(.unsupported, "csv.encoding '\(name)' is not utf-8, latin-1 or windows-1252")
        }
        throw Reading(bytes).malformed("bytes that are not UTF-8; export the file again as UTF-8", at: bad)
    }

    // MARK: Rows

    private mutating func scan() throws(StatementError) {
        var scanner = CSVScanner(reading, delimiter: layout.delimiter)
        while try scanner.next() {
            if scanner.row <= layout.skipRows || scanner.isBlank { continue }
            if layout.skipsSummaries, layout.hasNoAmount(scanner), CSVWords.isSummary(scanner) { continue }
            try entry(scanner)
        }
    }

    private mutating func entry(_ row: CSVScanner) throws(StatementError) {
        guard row.cells.count > layout.lastColumn else {
            throw reading.malformed(
                "row \(row.row) has \(row.cells.count) cells, needed are \(layout.lastColumn + 1); the file is cut off or the profile wrong",
                at: row.rowOffset)
        }
        if let status = layout.status, CSVWords.isPending(row[status]) { return }
        let dateCell = row[layout.date].bytes
        guard let day = layout.dates.day(dateCell) else {
            throw reading.malformed(
                "row \(row.row): \(dateCell.quoted) is not a date; check csv.date_format", at: row.rowOffset)
        }
        let amount = try amount(of: row)
        try reading.countEntry()
        let text = layout.description.map { row[$0].text } ?? ""
        statement.entries.append(Entry(day: day, amount: amount, text: text))
        if let column = layout.balance {
            // Some banks leave the balance out of all but one row a day; the chain is then unknown.
            guard !row[column].bytes.isEmpty else { return }
            balances.append(try value(row, column))
        }
    }

    private func amount(of row: CSVScanner) throws(StatementError) -> Amount {
        if let column = layout.amount {
            let amount = try value(row, column)
            guard let type = layout.type else { return amount }
            return layout.creditValues.contains(row[type].text.lowercased()) ? amount.magnitude : -amount.magnitude
        }
        let debit = try optionalValue(row, layout.debit)
        let credit = try optionalValue(row, layout.credit)
        if debit == nil, credit == nil {
            throw reading.malformed(
                "row \(row.row) has neither a debit nor a credit; check the profile", at: row.rowOffset)
        }
        // A debit column holds what went out, with or without a minus sign.
        return (credit ?? .zero) - (debit ?? .zero).magnitude
    }

    private func optionalValue(_ row: CSVScanner, _ column: Int?) throws(StatementError) -> Amount? {
        guard let column, !row[column].bytes.isEmpty else { return nil }
        return try value(row, column)
    }

    private func value(_ row: CSVScanner, _ column: Int) throws(StatementError) -> Amount {
        let bytes = row[column].bytes
        if let amount = Amount(bytes, style: layout.style) { return amount }
        throw reading.malformed(
            "row \(row.row): \(bytes.quoted) is not an amount; check csv.decimal", at: row.rowOffset)
    }

    // MARK: The whole

    private mutating func finished() throws(StatementError) -> Statement {
        statement.from = layout.from
        statement.to = layout.to
        try Reading.checkPeriod(layout.from, layout.to)
        putInOrder()
        let sums = statement.entries.reduce(into: (credits: Amount.zero, debits: Amount.zero)) { sums, entry in
            if entry.amount > .zero { sums.credits += entry.amount } else { sums.debits += entry.amount }
        }
        if let credits = layout.credits, credits.magnitude != sums.credits { statement.contradictsTotals = true }
        if let debits = layout.debits, debits.magnitude != sums.debits.magnitude { statement.contradictsTotals = true }
        if let opening = layout.opening {
            if let chained = statement.opening, chained != opening { statement.contradictsTotals = true }
            statement.opening = opening
        }
        if let closing = layout.closing {
            if let chained = statement.closing, chained != closing { statement.contradictsTotals = true }
            statement.closing = closing
        }
        return statement
    }

    /// Puts the entries oldest first: by the running balance where it chains, else by the dates.
    private mutating func putInOrder() {
        let count = statement.entries.count
        guard layout.balance != nil, balances.count == count, count > 0 else {
            sortByDay()
            return
        }
        let entries = statement.entries
        let links = count - 1
        let oldestFirst = (1..<max(count, 1)).count { balances[$0] - entries[$0].amount == balances[$0 - 1] }
        let newestFirst = (1..<max(count, 1)).count { balances[$0 - 1] - entries[$0 - 1].amount == balances[$0] }
        guard max(oldestFirst, newestFirst) * 2 >= links else {
            statement.contradictsTotals = true
            sortByDay()
            return
        }
        let isNewestFirst = newestFirst > oldestFirst || (newestFirst == oldestFirst && datesFall)
        if isNewestFirst {
            statement.entries.reverse()
            balances.reverse()
        }
        if max(oldestFirst, newestFirst) < links { statement.contradictsTotals = true }
        if let first = balances.first, let last = balances.last, let amount = statement.entries.first?.amount {
            statement.opening = first - amount
            statement.closing = last
        }
    }

    private var datesFall: Bool {
        guard let first = statement.entries.first?.day, let last = statement.entries.last?.day else { return false }
        return last < first || (last == first && layout.order == .newestFirst)
    }

    private mutating func sortByDay() {
        if datesFall { statement.entries.reverse() }
        let days = statement.entries.compactMap(\.day)
        let isSorted = zip(days, days.dropFirst()).allSatisfy { $0 <= $1 }
        if !isSorted {
            let order = statement.entries.indices.sorted {
                (statement.entries[$0].day ?? Day(number: 0), $0) < (statement.entries[$1].day ?? Day(number: 0), $1)
            }
            statement.entries = order.map { statement.entries[$0] }
        }
    }
}
