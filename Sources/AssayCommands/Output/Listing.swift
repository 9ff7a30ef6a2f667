package import Assay

/// A writer of rows one after another: as a table, as one JSON object, or as JSON lines.
package struct Listing {
    private let console: Console
    private let opening: String
    private var table: TextTable
    private var widths: [Int]?
    private var isFirst = true

    /// The number of table rows that are laid out together. The first page determines the widths of columns.
    private static let page = 1_000

    /// Creates a listing that is an object with `schema`, `facts`, and its rows under `key`.
    package init(
        _ console: Console, schema: String, key: String, facts: JSONObject = [:], columns: [TextTable.Column]
    ) throws {
        self.console = console
        table = TextTable(columns)
        var parts = ["\"schema\":\(JSONValue.string(schema).json)"]
        for member in facts.members { parts.append("\(JSONValue.string(member.key).json):\(member.value.json)") }
        opening = "{\(parts.joined(separator: ",")),\(JSONValue.string(key).json):["
        if console.format == .json { try console.write(json: opening) }
    }

    /// Adds a row.
    package mutating func add(_ cells: @autoclosure () throws -> [String], json: @autoclosure () throws -> JSONValue)
        throws
    {
        switch console.format {
        case .table:
            try table.rows.append(cells())
            if table.rows.count == Self.page { try writePage() }
        case .json:
            try console.write(json: (isFirst ? "\n" : ",\n") + json().json)
            isFirst = false
        case .jsonl: try console.write(json: json().json + "\n")
        case .none: break
        }
    }

    private mutating func writePage() throws {
        let widths = self.widths ?? table.widths(in: console.columns)
        let head = self.widths == nil ? [table.head(widths, console.paint)] : []
        try console.write(lines: head + table.body(widths, cutting: console.columns != nil))
        self.widths = widths
        table.rows.removeAll(keepingCapacity: true)
    }

    /// Ends the listing.
    ///
    /// - Parameter nothing: the note in place of a table without rows.
    package mutating func end(nothing: String) throws {
        switch console.format {
        case .table where table.rows.isEmpty && widths == nil: console.note(nothing)
        case .table: try writePage()
        case .json: try console.write(json: "\n]}\n")
        case .jsonl, .none: break
        }
    }
}

extension JSONValue {
    /// Creates a text, or null.
    init(text: String?) { self = text.map { .string($0) } ?? .null }
    /// Creates a whole number.
    init(count: Int) { self = .number(Number(count)) }
}
