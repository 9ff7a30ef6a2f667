/// The position and the columns of the table of entries in a CSV file.
struct CSVTable {
    var delimiter: UInt8
    /// The row of the header, counted from 1; 0 if there is none.
    var headerRow = 0
    var columns: CSVColumns
    /// The cells of the header as the file writes them, to know it when it is repeated.
    var header: [String] = []

    /// The rows that are searched for a header.
    static let mostRowsAbove = 60
    /// The bytes that are searched for marks between cells.
    private static let headLength = 1 << 16
    static let delimiters = [",", ";", "\t", "|"].compactMap(\.utf8.first)

    /// Finds the header by its names; `nil` if no row is one.
    static func find(in reading: Reading) -> CSVTable? {
        var best: (table: CSVTable, known: Int)?
        // A mark that the beginning of a file does not hold parts no cells.
        let head = reading.bytes.part(0, headLength)
        for delimiter in delimiters where head.firstIndex(of: delimiter) != nil {
            var scanner = CSVScanner(reading, delimiter: delimiter)
            // A row that cannot be read this way rules the delimiter out, or lies below the header.
            while scanner.row < mostRowsAbove, (try? scanner.next()) == true {
                guard (2..<200).contains(scanner.cells.count), !holdsValues(scanner) else { continue }
                let header = scanner.cells.map(\.text)
                let columns = CSVColumns(header)
                guard columns.isTable else { continue }
                let known = columns.knownCount
                if best.map({ known > $0.known }) ?? true {
                    best = (
                        CSVTable(delimiter: delimiter, headerRow: scanner.row, columns: columns, header: header), known
                    )
                }
                break
            }
        }
        return best?.table
    }

    /// Returns whether a row holds an amount, which no header does.
    private static func holdsValues(_ row: CSVScanner) -> Bool {
        row.cells.contains { cell in
            guard !cell.bytes.isEmpty, case .amount = AmountCell.content(cell.bytes) else { return false }
            return true
        }
    }

    /// Returns whether the row repeats the header.
    func isHeader(_ row: CSVScanner) -> Bool {
        guard headerRow > 0, row.cells.count == header.count, row.cells[0].bytes.count == header[0].utf8.count else {
            return false
        }
        return zip(row.cells, header).allSatisfy { $0.text == $1 }
    }
}
