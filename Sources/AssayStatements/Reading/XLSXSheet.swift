internal import Foundation

/// A sheet, written as CSV that can be read in only one way.
struct XLSXSheet {
    /// The rows so far.
    private(set) var csv: [UInt8] = []

    private let texts: [String]
    private let dateFormats: [Bool]
    private let has1904: Bool
    private var cells: [String] = []
    private var row = 0
    private var entriesLeft = Reading.mostEntries

    init(texts: [String], dateFormats: [Bool], has1904: Bool) {
        (self.texts, self.dateFormats, self.has1904) = (texts, dateFormats, has1904)
    }

    /// The cell that is being read.
    private struct Cell {
        var column = 0
        var type = ""
        var format = 0
        var value = ""
        var text = ""
    }

    mutating func read(_ content: [UInt8]) throws(StatementError) {
        try content.withUnsafeBufferPointer { buffer throws(StatementError) in try scan(Bytes(buffer)) }
    }

    private mutating func scan(_ bytes: Bytes) throws(StatementError) {
        var scanner = XMLScanner(Reading(bytes))
        var open: [Bytes] = []
        var cell = Cell()
        while true {
            switch try scanner.next() {
            case .open(let name, let attributes):
                open.append(name.localName)
                if open.last.map({ $0 == "row" }) == true {
                    let number = attributes.attribute("r").flatMap { Int($0.text) } ?? row + 1
                    guard number > row, number <= 2_000_000 else {
                        throw StatementError(
                            .malformed, "the rows of the sheet are out of order; save it as 'CSV UTF-8'")
                    }
                    // Rows that are not written are empty, so that rows keep their numbers; only the head may be
                    // sparse.
                    let skipped = min(number - row - 1, 1_000)
                    csv += [UInt8](repeating: 0x0A, count: skipped)
                    row = number
                    cells = []
                } else if open.last.map({ $0 == "c" }) == true {
                    let column = attributes.attribute("r").flatMap { Self.column($0.text) } ?? cells.count
                    cell = Cell(
                        column: column, type: attributes.attribute("t")?.text ?? "n",
                        format: attributes.attribute("s").flatMap { Int($0.text) } ?? 0)
                }
            case .text(let text):
                guard let name = open.last, open.count > 1 else { continue }
                if name == "v" { cell.value += XMLText.decoded(text) }
                if name == "t", open.contains(where: { $0 == "is" }) { cell.text += XMLText.decoded(text) }
            case .close:
                guard let name = open.popLast() else { continue }
                if name == "c" { try add(cell) }
                if name == "row" { try endRow() }
            case .end: return
            }
        }
    }

    private mutating func add(_ cell: Cell) throws(StatementError) {
        guard cell.column < CSVScanner.mostCells else {
            throw StatementError(.tooLarge, "row \(row) has more than 1000 cells; save the table alone as 'CSV UTF-8'")
        }
        while cells.count < cell.column { cells.append("") }
        let text = try self.text(of: cell)
        if cells.count == cell.column { cells.append(text) } else { cells[cell.column] = text }
    }

    private mutating func endRow() throws(StatementError) {
        entriesLeft -= 1
        guard entriesLeft >= 0 else {
            throw StatementError(.tooLarge, "more than \(Reading.mostEntries) rows; split the file by month")
        }
        let line = cells.map { cell in
            cell.utf8.contains { [0x2C, 0x22, 0x0A, 0x0D].contains($0) }
                ? "\"" + cell.replacing("\"", with: "\"\"") + "\"" : cell
        }.joined(separator: ",")
        csv += Array(line.utf8)
        csv.append(0x0A)
    }

    private func text(of cell: Cell) throws(StatementError) -> String {
        switch cell.type {
        case "s":
            guard let place = Int(cell.value), texts.indices.contains(place) else {
                throw StatementError(.malformed, "row \(row): a text is missing in the workbook; save it again")
            }
            return texts[place]
        case "inlineStr": return cell.text
        case "str": return cell.value
        case "b": return cell.value == "1" ? "true" : "false"
        case "d": return String(cell.value.prefix(10))
        case "e":
            throw StatementError(
                .malformed,
                "row \(row): a cell shows the error \(cell.value); mend it in the workbook and save it again")
        default: return try number(cell)
        }
    }

    private func number(_ cell: Cell) throws(StatementError) -> String {
        guard !cell.value.isEmpty else { return "" }
        if dateFormats.indices.contains(cell.format), dateFormats[cell.format] { return try day(cell.value) }
        guard let value = Decimal(string: cell.value, locale: nil) else {
            throw StatementError(
                .malformed, "row \(row): '\(cell.value.prefix(40))' is no number; save the workbook again")
        }
        return Self.plain(value) ?? cell.value
    }

    /// Returns a number as it is meant: what binary numbers add beyond the fifteenth digit is dropped, and three
    /// decimals get a
    /// fourth, so that no mark of theirs can group thousands.
    private static func plain(_ value: Decimal) -> String? {
        var (result, input) = (Decimal(), value)
        let whole = abs(value)
        var digits = 0
        var size = Decimal(1)
        while size <= whole, digits < 20 {
            size *= 10
            digits += 1
        }
        NSDecimalRound(&result, &input, max(0, min(9, 15 - digits)), .bankers)
        var text = "\(result)"
        guard let point = text.firstIndex(of: ".") else { return text }
        if text.distance(from: point, to: text.endIndex) == 4 { text += "0" }
        return text
    }

    /// Returns the day of a serial number; a time of day is ignored.
    private func day(_ text: String) throws(StatementError) -> String {
        guard let whole = text.split(separator: ".", omittingEmptySubsequences: false).first.flatMap({ Int($0) }),
            (0...200_000).contains(whole)
        else { throw StatementError(.malformed, "row \(row): '\(text.prefix(40))' is no day; save the workbook again") }
        // Day 60 of the calendar of 1900 is a 29 February that there never was.
        guard has1904 || whole > 60 else {
            throw StatementError(.malformed, "row \(row): a day before March 1900; check the column's format")
        }
        let origin = has1904 ? Day(year: 1904, month: 1, day: 1) : Day(year: 1900, month: 1, day: 1)
        guard let origin else { return "" }
        return "\(origin + (has1904 ? whole : whole - 2))"
    }

    /// Returns the column of a cell called `AB12`, from 0.
    private static func column(_ name: String) -> Int? {
        var result = 0
        for byte in name.utf8 {
            guard (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) else { break }
            result = result * 26 + Int(byte - UInt8(ascii: "A")) + 1
            if result > 20_000 { return nil }
        }
        return result > 0 ? result - 1 : nil
    }
}
