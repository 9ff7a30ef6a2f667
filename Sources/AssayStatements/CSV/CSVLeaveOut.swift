/// The rows that a profile leaves out, and where it ends the table.
struct CSVLeaveOut {
    /// What a row is left out as.
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

    func kind(of row: CSVScanner) -> Kind? {
        for condition in conditions where condition.matches(row[condition.column].text) { return condition.kind }
        if let booked, !booked.values.contains(row[booked.column].text.lowercased()) { return .pending }
        return nil
    }

    func ends(at row: CSVScanner) -> Bool {
        guard let endAt else { return false }
        return row.cells.contains { $0.text.hasPrefix(endAt) }
    }
}
