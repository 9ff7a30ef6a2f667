/// The state that the readers of all formats share.
struct Reading {
    /// The most entries that are read from one file.
    static let mostEntries = 2_000_000

    /// The most statements that are read from one file.
    static let mostStatements = 100_000

    let bytes: Bytes
    private let content: FileBytes
    private var statementsLeft = Reading.mostStatements
    private var entriesLeft = Reading.mostEntries

    init(_ bytes: Bytes) {
        self.init(FileBytes(bytes))
    }

    init(_ content: FileBytes) {
        (self.content, bytes) = (content, content.bytes)
    }

    /// Gives back what was read of the file.
    func giveBack(_ part: Range<Int>) { content.giveBack(part) }

    /// Counts one more entry.
    ///
    /// - Throws: ``StatementError`` `too_large` beyond ``mostEntries``.
    mutating func countEntry() throws(StatementError) {
        entriesLeft -= 1
        if entriesLeft < 0 {
            throw StatementError(.tooLarge, "more than \(Reading.mostEntries) entries; split the file by month")
        }
    }

    /// Counts one more statement.
    ///
    /// - Throws: ``StatementError`` `too_large` beyond ``mostStatements``.
    mutating func countStatement() throws(StatementError) {
        statementsLeft -= 1
        if statementsLeft < 0 {
            throw StatementError(.tooLarge, "more than \(Reading.mostStatements) statements; split the file by account")
        }
    }

    /// Returns an error at a place of the file.
    func malformed(_ reason: String, at offset: Int) -> StatementError {
        StatementError(.malformed, reason, line: line(at: offset))
    }

    /// Returns the line, counted from 1, of a place in the file.
    func line(at offset: Int) -> Int {
        bytes.part(0, offset).withBuffer { $0.reduce(1) { $1 == 0x0A ? $0 + 1 : $0 } }
    }

    /// - Throws: ``StatementError`` `malformed` if `from` lies after `to`.
    static func checkPeriod(_ from: Day?, _ to: Day?) throws(StatementError) {
        if let from, let to, from > to {
            throw StatementError(.malformed, "the period ends on \(to), before it begins on \(from); check the dates")
        }
    }
}
