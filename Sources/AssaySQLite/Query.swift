import Assay

/// The columns of a table in the fixed order in which its rows are written and read; their seals depend on it.
struct Columns: CustomStringConvertible {
    let description: String
    /// A placeholder per column, numbered from 1.
    let marks: String

    init(_ names: String) {
        description = names
        let count = names.split(separator: ",").count
        marks = (1...count).map { "?\($0)" }.joined(separator: ", ")
    }
}

/// A query with variable conditions. Column names come from the program; values are bound.
struct Query {
    private enum Value {
        case text(String)
        case whole(Int64)
    }

    private var sql: String
    private var conditions: [String] = []
    private var values: [Value] = []

    /// Creates a query for everything that `sql` selects; `sql` must have no conditions of its own.
    init(_ sql: String) { self.sql = sql }

    /// Narrows to rows with `text` in `column`; `nil` does not narrow.
    mutating func add(_ column: String, _ text: String?) {
        guard let text else { return }
        conditions.append("\(column) = ?")
        values.append(.text(text))
    }

    /// Narrows to rows whose `column` has `relation` to `text`, compared byte by byte; `nil` does not narrow.
    mutating func add(_ column: String, _ relation: String, _ text: String?) {
        guard let text else { return }
        conditions.append("\(column) \(relation) ?")
        values.append(.text(text))
    }

    /// Narrows to rows with `text` in `column`, or for which `subquery` finds something; its last condition compares
    /// with the same text.
    mutating func add(_ column: String, orMatching subquery: String, _ text: String) {
        conditions.append("(\(column) = ? OR EXISTS (\(subquery) = ?))")
        values += [.text(text), .text(text)]
    }

    /// Narrows to rows with one of `texts` in `column`; `nil` does not narrow.
    mutating func add(_ column: String, oneOf texts: [String]?) {
        guard let texts else { return }
        conditions.append("\(column) IN (\(texts.map { _ in "?" }.joined(separator: ", ")))")
        values += texts.map(Value.text)
    }

    /// Narrows to rows whose `column` has `relation` to `number`; `nil` does not narrow.
    mutating func add(_ column: String, _ relation: String, _ number: Int64?) {
        guard let number else { return }
        conditions.append("\(column) \(relation) ?")
        values.append(.whole(number))
    }

    /// Returns the rows in the order of `ending`, converted by `read`.
    func all<Row>(_ ending: String, in connection: Connection, _ read: (SQLStatement) throws -> Row) throws -> [Row] {
        try statement(ending, in: connection).all(read)
    }

    /// Calls `body` with every row in the order of `ending`.
    func forEach(_ ending: String, in connection: Connection, _ body: (SQLStatement) throws -> Void) throws {
        try statement(ending, in: connection).forEach(body)
    }

    /// Runs a statement that selects nothing, and returns the number of rows that it changed or deleted.
    func run(in connection: Connection) throws -> Int { try statement("", in: connection).run() }

    private func statement(_ ending: String, in connection: Connection) throws -> SQLStatement {
        let filter = conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
        let statement = try connection.prepare(sql + filter + " " + ending)
        for value in values {
            switch value {
            case .text(let text): statement.bind(text)
            case .whole(let number): statement.bind(number)
            }
        }
        return statement
    }
}
