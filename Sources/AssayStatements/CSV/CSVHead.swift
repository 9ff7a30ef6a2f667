/// The rows above a CSV file's entries.
struct CSVHead {
    private var rows: [[CSVScanner.Cell]] = []

    init(_ reading: Reading, delimiter: UInt8, rows count: Int) throws(StatementError) {
        var scanner = CSVScanner(reading, delimiter: delimiter)
        while rows.count < min(count, 1000), try scanner.next() { rows.append(scanner.cells) }
    }

    private func cells(_ row: Int) -> [CSVScanner.Cell] { rows.indices.contains(row - 1) ? rows[row - 1] : [] }

    func names(row: Int) -> [String] { cells(row).map(\.text) }

    /// Returns the amount in the last cell of a row; `nil` where no row is asked for.
    func amount(row: Int?, style: AmountStyle) throws(StatementError) -> Amount? {
        guard let row else { return nil }
        guard let cell = cells(row).last(where: { !$0.bytes.isEmpty }), let amount = Amount(cell.bytes, style: style)
        else {
            throw StatementError(.malformed, "there is no total at the end of this row; check summary_rows", line: row)
        }
        return amount
    }

    /// Returns the days written anywhere in `rows`, in order.
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
