/// A survey of what the cells of each column have in common, over all rows that look like entries.
struct CSVSurvey {
    struct Column {
        /// The number of filled cells.
        var filled = 0
        /// The total size of all cells in bytes.
        var length = 0
        /// Whether every filled cell is an amount.
        var isAmount = true
        var decimals = DecimalChoice()
        var hasNegative = false
        var hasPositive = false
        /// Whether every positive amount has a plus sign or a mark after it.
        var marksPositives = true
        var hasMarks = false
        /// Filled cells that are not zero.
        var nonZero = 0
        var currency: CurrencyCode?
        var dates = DateChoice(DatePattern.known)
        var isDate = true
        /// The first values, until there are too many.
        var values: [Bytes] = []
        var hasManyValues = false

        static let mostValues = 16
    }

    let table: CSVTable
    private(set) var columns: [Column] = []
    /// The rows that look like entries.
    private(set) var rows = 0
    private let dateColumns: [Int]
    /// The rows with a date that state a balance or a total, in order.
    private(set) var balanceRows: [Int] = []

    init(
        _ reading: Reading, _ table: CSVTable, leaveOut: CSVLeaveOut = CSVLeaveOut()
    ) throws(StatementError) {
        self.table = table
        let names = table.columns
        dateColumns =
            table.headerRow == 0
            ? [] : [CSVRole.bookingDate, .plainDate, .transactionDate, .valueDate].flatMap { names.places($0) }
        columns = Array(repeating: Column(), count: max(names.names.count, 1))
        var scanner = CSVScanner(reading, delimiter: table.delimiter)
        while try scanner.next() {
            if scanner.row <= table.headerRow || scanner.isBlank || table.isHeader(scanner) { continue }
            if leaveOut.ends(at: scanner) { break }
            if leaveOut.kind(of: scanner) == nil { see(scanner) }
        }
    }

    /// Returns whether every row with a date in `columns` was looked at for balances and totals.
    func knowsBalances(ofDatesIn columns: [Int]) -> Bool { columns.allSatisfy { dateColumns.contains($0) } }

    /// The facts about the cells of a column, which are empty for a column that no row has.
    subscript(place: Int) -> Column { columns.indices.contains(place) ? columns[place] : Column() }

    /// Returns the ways in which the dates of a column may be read.
    func datePatterns(of column: Int, _ plan: CSVPlan) -> [DatePattern] {
        if let format = plan.dateFormat { return [format] }
        let choice = columns[column].dates
        return choice.isUndecided ? choice.candidates : Array(choice.candidates.prefix(1))
    }

    private mutating func see(_ row: CSVScanner) {
        var known: (column: Int, day: Day)?
        if !dateColumns.isEmpty {
            var isEntry = false
            for column in dateColumns where !isEntry && !row[column].bytes.isEmpty {
                switch columns[column].dates.fit(row[column].bytes) {
                case .none: break
                case .only(let day): (isEntry, known) = (true, (column, day))
                case .open: isEntry = true
                }
            }
            guard isEntry else { return }
            guard !CSVRows.isBalanceOrTotal(row) else {
                balanceRows.append(row.row)
                return
            }
        }
        rows += 1
        while columns.count < row.cells.count { columns.append(Column()) }
        for (index, cell) in row.cells.enumerated() where !cell.bytes.isEmpty {
            let day = known.flatMap { $0.column == index ? $0.day : nil }
            let mayBeDate = dateColumns.isEmpty || dateColumns.contains(index)
            columns[index].see(cell.bytes, row: row.row, mayBeDate: mayBeDate, day: day)
        }
    }
}

extension CSVSurvey.Column {
    /// - Parameter day: the day of the cell, where only one reading is left and it is known already.
    fileprivate mutating func see(_ cell: Bytes, row: Int, mayBeDate: Bool, day: Day?) {
        filled += 1
        length += cell.count
        // Most cells are texts, of which nothing more is to be found out.
        if hasManyValues, !isAmount, !(mayBeDate && isDate) { return }
        if mayBeDate, isDate {
            if let day { dates.see(day) } else if !dates.accepts(cell) { isDate = false }
        }
        if !hasManyValues, !values.contains(where: { $0.isSame(as: cell) }) {
            if values.count == CSVSurvey.Column.mostValues { hasManyValues = true } else { values.append(cell) }
        }
        guard isAmount else { return }
        switch AmountCell.content(cell) {
        case .none: filled -= 1
        case .other: isAmount = false
        case .amount(let amount):
            decimals.see(amount, row: row)
            if amount.mark != .none { hasMarks = true }
            if currency == nil { currency = amount.currency }
            guard !amount.isZero else { break }
            nonZero += 1
            if amount.isNegative {
                hasNegative = true
            } else {
                hasPositive = true
                if !amount.hasPlus, amount.mark == .none { marksPositives = false }
            }
        }
    }

    /// Whether every value is a word for a direction, and there are at most four.
    var directions: [AmountCell.Mark]? {
        guard !hasManyValues, (1...4).contains(values.count) else { return nil }
        let words = values.map { Phrases.direction(of: $0.text) }
        return words.contains { $0 == nil } ? nil : words.compactMap { $0 }
    }

    /// Whether every value is the code of a currency.
    var isCurrency: Bool {
        !hasManyValues && !values.isEmpty && values.allSatisfy { CurrencyCode($0.text.uppercased()) != nil }
    }
}
