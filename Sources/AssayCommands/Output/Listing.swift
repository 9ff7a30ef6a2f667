import Assay

/// Writes rows one after another: as a table, as one JSON object, or as JSON lines.
package struct Listing {
    private let console: Console
    private let opening: String
    private var table: TextTable
    private var isFirst = true

    /// A listing that is an object with `schema`, `facts`, and its rows under `key`.
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
    package mutating func add(_ cells: @autoclosure () -> [String], json: @autoclosure () throws -> JSONValue) throws {
        switch console.format {
        case .table: table.rows.append(cells())
        case .json:
            try console.write(json: (isFirst ? "\n" : ",\n") + json().json)
            isFirst = false
        case .jsonl: try console.write(json: json().json + "\n")
        case .none: break
        }
    }

    /// Ends the listing.
    ///
    /// - Parameter nothing: what is said in place of a table without rows.
    package func end(nothing: String) throws {
        switch console.format {
        case .table where table.rows.isEmpty: console.note(nothing)
        case .table: try console.write(table)
        case .json: try console.write(json: "\n]}\n")
        case .jsonl, .none: break
        }
    }
}

extension JSONValue {
    /// Text, or null.
    init(text: String?) { self = text.map { .string($0) } ?? .null }
    /// A whole number.
    init(count: Int) { self = .number(Number(count)) }
}
