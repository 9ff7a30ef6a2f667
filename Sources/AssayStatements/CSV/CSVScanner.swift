/// A scanner that reads the rows of a CSV file one by one, as RFC 4180 defines them, without copying bytes.
///
/// Packages that read CSV on Linux load every cell of the file as a string, which a file of a million rows forbids.
/// Line ends may be `\n`, `\r\n` or a lone `\r`. Blanks around a quoted cell are ignored.
struct CSVScanner {
    /// The longest row, in bytes, and the most cells of a row.
    static let longestRow = 1 << 20
    static let mostCells = 1000

    struct Cell {
        var bytes = Bytes()
        /// Whether the bytes still hold doubled quotes.
        var isEscaped = false

        var text: String {
            guard isEscaped else { return bytes.text }
            return bytes.text.split(separator: "\"\"", omittingEmptySubsequences: false).joined(separator: "\"")
        }
    }

    private let reading: Reading
    private let delimiter: UInt8
    /// Where the next row begins.
    private(set) var position: Int
    /// Where the row that was read last began.
    private(set) var rowOffset = 0
    /// The number of that row, counted from 1.
    private(set) var row = 0
    /// Up to where what was read is given back.
    private var givenBack = 0
    private static let keptBytes = 4 << 20
    /// Its cells.
    private(set) var cells: [Cell] = []

    init(_ reading: Reading, delimiter: UInt8) {
        self.reading = reading
        self.delimiter = delimiter
        position = reading.bytes.hasPrefix("\u{FEFF}") ? 3 : 0
    }

    /// The cell in `column`, empty where the row has none.
    subscript(column: Int) -> Cell { cells.indices.contains(column) ? cells[column] : Cell() }

    var isBlank: Bool { cells.allSatisfy { $0.bytes.isEmpty } }

    /// Moves to the next row; returns false at the end of the file.
    mutating func next() throws(StatementError) -> Bool {
        let bytes = reading.bytes
        guard position < bytes.count else { return false }
        if position - givenBack > CSVScanner.keptBytes {
            reading.giveBack(givenBack..<position)
            givenBack = position
        }
        rowOffset = position
        row += 1
        cells.removeAll(keepingCapacity: true)
        var atEnd = false
        while !atEnd {
            guard cells.count < CSVScanner.mostCells, position - rowOffset < CSVScanner.longestRow else {
                throw reading.malformed("a row has more than 1000 cells or 1 MiB; check the delimiter", at: rowOffset)
            }
            atEnd = try cell()
        }
        return true
    }

    /// Reads a cell and what ends it; true at the end of the row.
    private mutating func cell() throws(StatementError) -> Bool {
        let bytes = reading.bytes
        var start = position
        while bytes[start] == 0x20 { start += 1 }
        guard bytes[start] == UInt8(ascii: "\"") else {
            let end = endOfCell(from: start)
            var cell = bytes.part(start, end).trimmed()
            // Spreadsheets are kept from guessing with ="…".
            if cell[0] == UInt8(ascii: "="), cell.hasPrefix("=\""), cell.last == UInt8(ascii: "\""), cell.count > 3 {
                cell = cell.part(2, cell.count - 1).trimmed()
            }
            cells.append(Cell(bytes: cell))
            return endCell(at: end)
        }
        var isEscaped = false
        var search = start + 1
        while true {
            guard let quote = bytes.firstIndex(of: UInt8(ascii: "\""), from: search),
                quote - rowOffset < CSVScanner.longestRow
            else {
                throw reading.malformed("a quote is not closed; the file is cut off or damaged", at: rowOffset)
            }
            if bytes[quote + 1] == UInt8(ascii: "\"") {
                isEscaped = true
                search = quote + 2
                continue
            }
            var end = quote + 1
            while bytes[end] == 0x20 { end += 1 }
            guard end >= bytes.count || isEnd(bytes[end]) else {
                throw reading.malformed("text follows a closing quote; check the delimiter", at: rowOffset)
            }
            cells.append(Cell(bytes: bytes.part(start + 1, quote).trimmed(), isEscaped: isEscaped))
            return endCell(at: end)
        }
    }

    /// Returns the end of a cell without quotes.
    private func endOfCell(from start: Int) -> Int {
        let delimiter = delimiter
        return reading.bytes.withBuffer { buffer in
            var end = start
            while end < buffer.count {
                let byte = buffer[end]
                if byte == delimiter || byte == 0x0A || byte == 0x0D { break }
                end += 1
            }
            return end
        }
    }

    private func isEnd(_ byte: UInt8) -> Bool { byte == delimiter || byte == 0x0A || byte == 0x0D }

    private mutating func endCell(at end: Int) -> Bool {
        let bytes = reading.bytes
        position = end + 1
        guard end < bytes.count, bytes[end] == delimiter else {
            if bytes[end] == 0x0D, bytes[end + 1] == 0x0A { position = end + 2 }
            position = min(position, bytes.count)
            return true
        }
        // A delimiter that ends the file is followed by one more, empty cell.
        if position >= bytes.count {
            cells.append(Cell())
            return true
        }
        return false
    }
}
