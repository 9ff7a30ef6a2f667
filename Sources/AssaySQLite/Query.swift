import Assay

/// The columns of a table in the one order in which its rows are written and read, which its seal depends on.
struct Columns: CustomStringConvertible {
    let description: String
    /// A place for a value per column, numbered from 1.
    let marks: String

    init(_ names: String) {
        description = names
        let count = names.split(separator: ",").count
        marks = (1...count).map { "?\($0)" }.joined(separator: ", ")
    }
}

/// A question whose conditions depend on what is asked for; columns come from the program, values are bound.
struct Query {
    private enum Value {
        case text(String)
        case whole(Int64)
    }

    private var sql: String
    private var conditions: [String] = []
    private var values: [Value] = []

    /// Everything that `sql`, which has no conditions of its own, selects.
    init(_ sql: String) { self.sql = sql }

    /// Narrows to rows with `text` in `column`; `nil` does not narrow.
    mutating func add(_ column: String, _ text: String?) {
        guard let text else { return }
        conditions.append("\(column) = ?")
        values.append(.text(text))
    }

    /// Narrows to rows whose `column` stands in `relation` to `text`, byte by byte; `nil` does not narrow.
    mutating func add(_ column: String, _ relation: String, _ text: String?) {
        guard let text else { return }
        conditions.append("\(column) \(relation) ?")
        values.append(.text(text))
    }

    /// Narrows to rows with `text` in `column`, or for which `subquery`, whose last condition is about the same text,
    /// finds something.
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

    /// Narrows to rows whose `column` stands in `relation` to `number`; `nil` does not narrow.
    mutating func add(_ column: String, _ relation: String, _ number: Int64?) {
        guard let number else { return }
        conditions.append("\(column) \(relation) ?")
        values.append(.whole(number))
    }

    /// The rows in the order of `ending`, as `read` makes them.
    func all<Row>(_ ending: String, in connection: Connection, _ read: (SQLStatement) throws -> Row) throws -> [Row] {
        try statement(ending, in: connection).all(read)
    }

    /// Calls `body` with every row in the order of `ending`.
    func forEach(_ ending: String, in connection: Connection, _ body: (SQLStatement) throws -> Void) throws {
        try statement(ending, in: connection).forEach(body)
    }

    /// Carries out what selects nothing; the answer is how many rows it changed or deleted.
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
