import Assay
import GRDB
import GRDBSQLite

/// A prepared statement that binds values and reads columns one after the other.
///
/// It calls SQLite directly: a row of a dozen values costs a fraction of what boxed arguments would. All values are
/// also added to a ``RowSeal``, so a table whose last column is the seal of the others needs only ``bindSeal()`` and
/// ``sealed(_:_:)``.
final class SQLStatement {
    private let statement: GRDB.Statement
    private let raw: OpaquePointer
    private var position: Int32 = 0
    private var seal = RowSeal()

    // SQLite copies bound values before the call returns.
    private static let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    init(_ statement: GRDB.Statement) {
        self.statement = statement
        raw = statement.sqliteStatement
    }

    // MARK: Binding

    private func next() -> Int32 {
        position += 1
        return position
    }

    func bind(_ number: Int64) {
        seal.add(number)
        sqlite3_bind_int64(raw, next(), number)
    }

    func bind(_ number: Int) { bind(Int64(number)) }

    func bind(_ number: Int64?) {
        if let number { bind(number) } else { bindNull() }
    }

    func bind(_ number: Double) {
        seal.add(Int64(bitPattern: number.bitPattern))
        sqlite3_bind_double(raw, next(), number)
    }

    func bind(_ text: String) {
        var text = text
        text.withUTF8 { bind(UnsafeRawBufferPointer($0)) }
    }

    func bind(_ text: String?) {
        if let text { bind(text) } else { bindNull() }
    }

    /// Binds JSON as text.
    func bind(json bytes: [UInt8]) { bytes.withUnsafeBytes { bind($0) } }

    func bind(json bytes: [UInt8]?) {
        if let bytes { bind(json: bytes) } else { bindNull() }
    }

    /// Binds bytes that are not text.
    func bind(blob bytes: [UInt8]) {
        bytes.withUnsafeBytes { seal.add($0) }
        // A null pointer would bind NULL instead of no bytes.
        guard !bytes.isEmpty else {
            sqlite3_bind_zeroblob(raw, next(), 0)
            return
        }
        sqlite3_bind_blob(raw, next(), bytes, Int32(bytes.count), Self.copied)
    }

    func bindNull() {
        seal.addNull()
        sqlite3_bind_null(raw, next())
    }

    /// Leaves a column null and out of the seal.
    func skip() { sqlite3_bind_null(raw, next()) }

    /// Binds JSON that is part of the seal only if it is present.
    func bind(jsonIfThere bytes: [UInt8]?) {
        if let bytes { bind(json: bytes) } else { skip() }
    }

    /// Binds the seal of everything bound before.
    func bindSeal() { sqlite3_bind_int64(raw, next(), seal.value) }

    private func bind(_ bytes: UnsafeRawBufferPointer) {
        seal.add(bytes)
        // A null pointer would bind NULL instead of an empty text.
        let start = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
        if let start {
            sqlite3_bind_text(raw, next(), start, Int32(bytes.count), Self.copied)
        } else {
            sqlite3_bind_text(raw, next(), "", 0, Self.copied)
        }
    }

    // MARK: Running

    /// Runs a statement that returns no rows.
    ///
    /// - Returns: the number of rows that it inserted, changed or deleted.
    @discardableResult
    func run() throws -> Int {
        defer { reset() }
        guard try !step() else { throw failure(SQLITE_MISUSE) }
        return Int(sqlite3_changes(sqlite3_db_handle(raw)))
    }

    /// Returns the first row, converted by `read`, if there is one.
    func first<Value>(_ read: (SQLStatement) throws -> Value) throws -> Value? {
        defer { reset() }
        return try step() ? read(self) : nil
    }

    /// Returns every row, converted by `read`.
    func all<Value>(_ read: (SQLStatement) throws -> Value) throws -> [Value] {
        var rows: [Value] = []
        try forEach { rows.append(try read($0)) }
        return rows
    }

    /// Calls `body` with every row.
    func forEach(_ body: (SQLStatement) throws -> Void) throws {
        defer { reset() }
        while try step() { try body(self) }
    }

    private func step() throws -> Bool {
        position = 0
        switch sqlite3_step(raw) {
        case SQLITE_ROW:
            seal = RowSeal()
            return true
        case SQLITE_DONE: return false
        case let code: throw failure(code)
        }
    }

    private func reset() {
        sqlite3_reset(raw)
        position = 0
        seal = RowSeal()
    }

    private func failure(_ code: Int32) -> DatabaseError {
        let message = sqlite3_errmsg(sqlite3_db_handle(raw)).map { String(cString: $0) }
        return DatabaseError(resultCode: ResultCode(rawValue: code), message: message, sql: statement.sql)
    }

    // MARK: Reading

    private func nextColumn() -> Int32 {
        defer { position += 1 }
        return position
    }

    func integer() -> Int64 {
        let number = sqlite3_column_int64(raw, nextColumn())
        seal.add(number)
        return number
    }

    func int() -> Int { Int(integer()) }

    func double() -> Double {
        let number = sqlite3_column_double(raw, nextColumn())
        seal.add(Int64(bitPattern: number.bitPattern))
        return number
    }

    func optionalInteger() -> Int64? {
        guard sqlite3_column_type(raw, position) != SQLITE_NULL else { return null() }
        return integer()
    }

    func text() -> String { bytes { String(decoding: $0, as: UTF8.self) } }

    func optionalText() -> String? {
        guard sqlite3_column_type(raw, position) != SQLITE_NULL else { return null() }
        return text()
    }

    /// Reads bytes that are not text.
    func blob() -> [UInt8] {
        let column = nextColumn()
        let start = sqlite3_column_blob(raw, column)
        let bytes = UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(raw, column)))
        seal.add(bytes)
        return Array(bytes)
    }

    func json() throws -> JSONValue { try bytes { try JSONValue(json: $0.bindMemory(to: UInt8.self)) } }

    /// Reads JSON text that is parsed only when its value is needed.
    func optionalJSONText() -> [UInt8]? {
        guard sqlite3_column_type(raw, position) != SQLITE_NULL else { return null() }
        return bytes { Array($0) }
    }

    func optionalJSON() throws -> JSONValue? {
        guard sqlite3_column_type(raw, position) != SQLITE_NULL else { return null() }
        return try json()
    }

    /// Skips a column that is not part of the seal.
    func skipped<Value>() -> Value? {
        position += 1
        return nil
    }

    /// Reads the JSON of a column that is part of the seal only if it is present.
    func jsonIfThere() throws -> JSONValue? {
        guard sqlite3_column_type(raw, position) != SQLITE_NULL else { return skipped() }
        return try json()
    }

    /// Returns the row, converted by `read`, which must read every column except the seal.
    ///
    /// - Throws: ``ProcessingError`` with code `store` when the row is not as it was written, or `read` fails on it.
    func sealed<Value>(_ what: @autoclosure () -> String, _ read: (SQLStatement) throws -> Value?) throws -> Value {
        guard let value = try? read(self), seal.value == sqlite3_column_int64(raw, position) else {
            throw ProcessingError.damaged(what())
        }
        return value
    }

    private func null<Value>() -> Value? {
        position += 1
        seal.addNull()
        return nil
    }

    private func bytes<Value>(_ read: (UnsafeRawBufferPointer) throws -> Value) rethrows -> Value {
        let column = nextColumn()
        let start = sqlite3_column_text(raw, column)
        let bytes = UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(raw, column)))
        seal.add(bytes)
        return try read(bytes)
    }
}
