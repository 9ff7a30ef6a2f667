import Assay
import AssayStatements

/// Rows of figures under keys, for other programs: as CSV, as one JSON object or as JSON lines.
struct ExportRows {
    let schema: String
    /// The key of the list in the JSON object.
    let list: String
    let keys: [String]
    var rows: [[JSONValue]] = []

    /// Writes the rows in the user's format. The caller writes tables.
    func write(_ format: ExportFormat, to console: Console) throws {
        switch format {
        case .table, .none: break
        case .json:
            try console.write(json: "{\"schema\":\(JSONValue.string(schema).json),\"\(list)\":[")
            for (index, row) in rows.enumerated() { try console.write(json: (index == 0 ? "\n" : ",\n") + json(row)) }
            try console.write(json: "\n]}\n")
        case .jsonl: for row in rows { try console.write(json: json(row) + "\n") }
        case .csv:
            // On a terminal, text from a bank must not move the cursor.
            let isSafe = console.columns != nil
            try console.write(text: line(keys))
            for row in rows { try console.write(text: line(row.map { isSafe ? Self.cell($0).safe : Self.cell($0) })) }
        }
    }

    private func json(_ row: [JSONValue]) -> String {
        var object = JSONObject()
        for (key, value) in zip(keys, row) { object[key] = value }
        return JSONValue.object(object).json
    }

    /// Returns a row in the format of RFC 4180.
    private func line(_ cells: [String]) -> String {
        cells.map { cell in
            let isPlain = !cell.utf8.contains { [0x2C, 0x22, 0x0A, 0x0D].contains($0) }
            return isPlain ? cell : "\"" + cell.replacing("\"", with: "\"\"") + "\""
        }.joined(separator: ",") + "\r\n"
    }

    /// Returns a value as a cell. An apostrophe precedes a text that a spreadsheet would take for a formula.
    private static func cell(_ value: JSONValue) -> String {
        switch value {
        case .null: return ""
        case .number, .bool: return value.json
        case .array(let elements): return cell(.string(elements.map(\.brief).joined(separator: "; ")))
        case .object: return value.json
        case .string(let text):
            guard let first = text.utf8.first, "=+-@\t\r".utf8.contains(first), Number(text) == nil else { return text }
            return "'" + text
        }
    }
}

/// The format of figures.
enum ExportFormat: String, CaseIterable, Sendable {
    /// Tables for people.
    case table
    /// Comma-separated values.
    case csv
    /// One JSON object.
    case json
    /// One JSON object per line.
    case jsonl
    /// No data.
    case none
}

extension JSONValue {
    /// Creates an amount, or null.
    init(_ amount: Amount?) { self = amount?.jsonValue ?? .null }
    /// Creates a day, or null.
    init(_ day: Day?) { self = day?.jsonValue ?? .null }
    /// Creates a count, or null.
    init(_ count: Int?) { self = count.map { JSONValue(count: $0) } ?? .null }
}
