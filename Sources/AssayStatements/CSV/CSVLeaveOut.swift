/// The rows that a profile leaves out, and where it ends the table.
struct CSVLeaveOut {
    /// The reason a row is left out.
    enum Kind: String {
        case pending, refused, balance, total, text
    }

    /// Columns and the value that a row has there.
    struct Condition {
        var column: Int
        var matches: (String) -> Bool
        var kind: Kind
    }

    var conditions: [Condition] = []
    /// Only rows with one of the values are booked.
    var booked: (column: Int, values: [String])?
    /// The text that begins the footer.
    var endAt: String?
    /// The number of the first row of the footer.
    var footer: Int?
    /// Whether the text of rows without date and amount continues the entry above.
    var continuation: CSVProfile.Continuation?

    func kind(of row: CSVScanner) -> Kind? {
        for condition in conditions where condition.matches(row[condition.column].text) { return condition.kind }
        if let booked, !booked.values.contains(row[booked.column].text.lowercased()) { return .pending }
        return nil
    }

    func ends(at row: CSVScanner) -> Bool {
        if let footer, row.row >= footer { return true }
        guard let endAt else { return false }
        return row.cells.contains { $0.text.hasPrefix(endAt) }
    }
}

extension CSVLeaveOut {
    init(_ profile: CSVProfile, _ table: CSVTable, in reading: Reading) throws(StatementError) {
        for rule in profile.leaveOut {
            guard let column = try table.place(rule.column) else { continue }
            guard let kind = Kind(rawValue: rule.kind) else { continue }
            let test = rule.test
            conditions.append(Condition(column: column, matches: { test.matches($0) }, kind: kind))
        }
        if let values = profile.bookedValues, let column = try table.place(values.column) {
            booked = (column, values.are.map { $0.lowercased() })
        }
        endAt = profile.endAt
        continuation = profile.continuation
        if let count = profile.footerRows, count > 0 { footer = try CSVLeaveOut.footer(count, table, reading) }
    }

    /// Returns the first of the last `count` rows that are not blank.
    private static func footer(
        _ count: Int, _ table: CSVTable, _ reading: Reading
    ) throws(StatementError) -> Int {
        var last: [Int] = []
        var scanner = CSVScanner(reading, delimiter: table.delimiter)
        while try scanner.next() {
            if scanner.row <= table.headerRow || scanner.isBlank { continue }
            last.append(scanner.row)
            if last.count > 2 * count { last.removeFirst(last.count - count) }
        }
        return last.suffix(count).first ?? Int.max
    }
}
