/// A reader of BAI2 balance reports: one statement for each account record, dated by its group's as-of date.
///
/// The control totals and counts of the records 49, 98 and 99 must add up, or the file is refused.
struct BAI2Reader {
    private var reading: Reading
    private var statements: [Statement] = []
    private var pending = PendingRecord()
    private var file: Level?
    private var group: Level?
    private var account: Level?
    private var asOf: Day?
    private var groupCurrency: String?
    private var statement = Statement()
    private var decimals = 2
    /// The first code of the account's summary that only a loan has, and the first of an entry that only a current
    /// account has.
    private var loanCode: String?
    private var currentCode: Int?
    private var isComplete = false
    /// Where the present account begins, to read it once more.
    private var before: Before?
    /// Why it was refused with its lines cut at what looks like records; while set, lines are not cut.
    private var refusal: StatementError?
    /// Whether the present account has come to its trailer.
    private var isAtTrailer = false

    /// The state of the reader where an account begins.
    private struct Before {
        var position: Int
        var reading: Reading
        var file: Level?
        var group: Level?
        var pending: PendingRecord
        var hasCuts = false
    }

    /// The sums that a trailer must repeat.
    private struct Level {
        var total: Int128 = 0
        var members = 0
        var records = 0
    }

    /// A record, with what its continuations add.
    private struct PendingRecord {
        var code = 0
        var content: [UInt8] = []
        var offset = 0
        /// The record and its continuations, which trailers count one by one.
        var lines = 1
    }

    static func read(_ bytes: Bytes) throws(StatementError) -> [Statement] {
        var reader = BAI2Reader(reading: Reading(bytes))
        try reader.scan()
        return reader.statements
    }

    private init(reading: Reading) {
        self.reading = reading
    }

    // MARK: Records

    private mutating func scan() throws(StatementError) {
        var position = reading.bytes.hasPrefix("\u{FEFF}") ? 3 : 0
        while position < reading.bytes.count {
            let start = position
            let line = reading.bytes.line(at: &position).trimmed()
            if BAI2Reader.recordCode(line) == 3 {
                before = Before(position: start, reading: reading, file: file, group: group, pending: pending)
            }
            do throws(StatementError) { try records(line, at: start) } catch {
                // What looked like a record within a line may be text: then the trailer agrees only without that cut.
                guard let before, before.hasCuts, refusal == nil else { throw isAtTrailer ? error : refusal ?? error }
                refusal = error
                position = before.position
                (reading, file, group, pending) = (before.reading, before.file, before.group, before.pending)
                account = nil
            }
        }
        try process()
        guard isComplete else {
            throw StatementError(.malformed, "the file ends before its trailer 99; it is cut off, download it again")
        }
    }

    /// Reads the records of a line: some banks put several on one, each closed by a slash.
    private mutating func records(_ line: Bytes, at start: Int) throws(StatementError) {
        var line = line
        // Trailers hold no text.
        while refusal == nil || BAI2Reader.recordCode(line) ?? 0 == 49, let end = BAI2Reader.endOfFirstRecord(line) {
            before?.hasCuts = true
            try physicalRecord(line.part(0, end), at: start)
            line = line.dropping(end).trimmed()
        }
        if !line.isEmpty { try physicalRecord(line, at: start) }
    }

    /// Returns the place after the slash that another record follows on the same line.
    private static func endOfFirstRecord(_ line: Bytes) -> Int? {
        var search = 0
        while let slash = line.firstIndex(of: UInt8(ascii: "/"), from: search) {
            search = slash + 1
            var next = search
            while line[next] == 0x20 { next += 1 }
            if next > search, recordCode(line.dropping(next)) != nil { return search }
        }
        return nil
    }

    private static func recordCode(_ line: Bytes) -> Int? {
        guard let code = line.number(at: 0, digits: 2), line[2] == UInt8(ascii: ",") else { return nil }
        return [1, 2, 3, 16, 49, 88, 98, 99].contains(code) ? code : nil
    }

    private mutating func physicalRecord(_ line: Bytes, at offset: Int) throws(StatementError) {
        guard let code = BAI2Reader.recordCode(line) else {
            // A text that wraps without a record 88 belongs to the entry above.
            guard pending.code == 16, line.number(at: 0, digits: 2) == nil || line[2] != UInt8(ascii: ",") else {
                throw reading.malformed(
                    "\(line.part(0, 10).quoted) is not a BAI2 record; ask the bank to send it again", at: offset)
            }
            append(line, separator: 0x20)
            return
        }
        if isComplete {
            // Several files in one.
            guard code == 1 else {
                throw reading.malformed(
                    "a record follows the trailer 99: the file was edited; ask the bank to send it again", at: offset)
            }
            try process()
            (file, isComplete) = (nil, false)
        }
        if code == 88 {
            guard pending.code == 3 || pending.code == 16 else {
                throw reading.malformed("a record 88 continues nothing; ask the bank to send it again", at: offset)
            }
            pending.lines += 1
            append(line.dropping(3), separator: UInt8(ascii: ","))
            return
        }
        try process()
        pending = PendingRecord(code: code, content: [], offset: offset)
        append(line.dropping(3), separator: nil)
        // No continuation follows a trailer.
        if code == 49 || code == 98 || code == 99 { try process() }
    }

    private mutating func append(_ line: Bytes, separator: UInt8?) {
        guard pending.content.count < 1 << 16 else { return }
        if let separator { pending.content.append(separator) }
        let end = line.last == UInt8(ascii: "/") ? line.count - 1 : line.count
        line.part(0, end).withBuffer { pending.content.append(contentsOf: $0) }
    }

    private mutating func process() throws(StatementError) {
        guard pending.code != 0 else { return }
        let record = pending
        pending = PendingRecord()
        let fields = Fields(record.content)
        file?.records += record.lines
        group?.records += record.lines
        account?.records += record.lines
        switch record.code {
        case 1: file = Level(records: record.lines)
        case 2: try beginGroup(fields, lines: record.lines, at: record.offset)
        case 3: try beginAccount(fields, lines: record.lines, at: record.offset)
        case 16: try transaction(fields, at: record.offset)
        case 49: try endAccount(fields, at: record.offset)
        case 98: try endGroup(fields, at: record.offset)
        case 99: try endFile(fields, at: record.offset)
        default: break
        }
    }

    private mutating func beginGroup(_ fields: Fields, lines: Int, at offset: Int) throws(StatementError) {
        guard file != nil, group == nil else {
            throw reading.malformed(
                "a group begins outside a file or inside a group; ask the bank to send it again", at: offset)
        }
        guard let day = fields[3].withBytes({ Day(digits: $0, year: 0, 2, month: 2, day: 4) }) else {
            throw reading.malformed("the group's as-of date is not a date; ask the bank to send it again", at: offset)
        }
        asOf = day
        let currency = fields[5].text
        groupCurrency = currency.utf8.count == 3 ? currency : nil
        group = Level(records: lines)
    }

    private mutating func beginAccount(_ fields: Fields, lines: Int, at offset: Int) throws(StatementError) {
        guard group != nil, account == nil else {
            throw reading.malformed(
                "an account begins outside a group or inside an account; ask the bank to send it again", at: offset)
        }
        let number = fields[0].text
        let currency = fields[1].text
        statement = Statement(
            account: number.isEmpty ? nil : number, currency: currency.isEmpty ? groupCurrency ?? "USD" : currency)
        decimals = CurrencyCode.decimals(of: statement.currency ?? "USD")
        (statement.from, statement.to) = (asOf, asOf)
        (account, isAtTrailer) = (Level(records: lines), false)
        (loanCode, currentCode) = (nil, nil)
        var index = 2
        while index < fields.count {
            let code = fields[index].text
            let value = fields[index + 1]
            index += 3
            index = try skipFunds(fields, from: index, at: offset)
            guard !value.isEmpty else { continue }
            let amount = try minor(value, at: offset)
            account?.total += amount
            if code.utf8.count == 3, code.utf8.first == UInt8(ascii: "7") { loanCode = loanCode ?? code }
            if code == "010" { statement.opening = try self.amount(amount, at: offset) }
            if code == "015" { statement.closing = try self.amount(amount, at: offset) }
        }
    }

    private mutating func transaction(_ fields: Fields, at offset: Int) throws(StatementError) {
        guard account != nil else {
            throw reading.malformed("an entry stands outside an account; ask the bank to send it again", at: offset)
        }
        guard let code = fields[0].withBytes({ $0.number(at: 0, digits: 3) }), fields[0].count == 3 else {
            throw reading.malformed("'\(fields[0].text)' is not a type code; ask the bank to send it again", at: offset)
        }
        let size = fields[1].isEmpty ? 0 : try minor(fields[1], at: offset)
        account?.total += size
        let textIndex = try skipFunds(fields, from: 2, at: offset) + 2
        let isCredit: Bool
        switch code {
        case 100...399, 920...959: isCredit = true
        case 400...699, 960...999: isCredit = false
        default: return  // status and loan information moves no money
        }
        if BAI2Reader.codesOfCurrentAccounts.contains(code), size > 0 { currentCode = currentCode ?? code }
        let amount = try amount(size, at: offset)
        let text = fields.text(from: textIndex)
        let kind = BAI2Reader.kind(of: code, text: text)
        try reading.countEntry()
        statement.entries.append(
            Entry(day: asOf, amount: isCredit ? amount : -amount, text: text, kind: kind))
    }

    /// The codes of what only a current account pays: checks, debits of the clearing house and wires.
    private static let codesOfCurrentAccounts: Set<Int> = [451, 455, 470, 472, 474, 475, 495]

    /// Returns the kind of movement that a type code names.
    private static func kind(of code: Int, text: String) -> Entry.Kind {
        switch code {
        case 255: text.uppercased().contains("STOP") ? .unknownReturn : .insufficientFundsReturn
        case 257, 266: .unknownReturn
        case 354: .interest
        case 555, 557: .returnedDeposit
        case 564: .overdraftFee
        case 698: .fee
        default: .other
        }
    }

    /// Returns the index after a funds type at `index` and its own fields.
    private func skipFunds(_ fields: Fields, from index: Int, at offset: Int) throws(StatementError) -> Int {
        switch fields[index].first {
        case UInt8(ascii: "S"): return index + 4
        case UInt8(ascii: "V"): return index + 3
        case UInt8(ascii: "D"):
            guard let count = Int(fields[index + 1].text), (0...99).contains(count) else {
                throw reading.malformed(
                    "a distribution of funds has no count; ask the bank to send it again", at: offset)
            }
            return index + 2 + 2 * count
        default: return index + 1
        }
    }

    // MARK: Trailers

    private mutating func endAccount(_ fields: Fields, at offset: Int) throws(StatementError) {
        guard let level = account else {
            throw reading.malformed("a trailer 49 closes no account; ask the bank to send it again", at: offset)
        }
        isAtTrailer = true
        try check(fields, total: level.total, counts: [level.records], at: offset)
        if let loanCode {
            statement.take(.loan, by: "summary code \(loanCode)")
        } else {
            statement.take(currentCode == nil ? nil : .bank, by: currentCode.map { "type code \($0) of an entry" })
        }
        try reading.countStatement()
        statements.append(statement)
        group?.total += level.total
        group?.members += 1
        account = nil
        (before, refusal) = (nil, nil)
    }

    private mutating func endGroup(_ fields: Fields, at offset: Int) throws(StatementError) {
        guard let level = group, account == nil else {
            throw reading.malformed("a trailer 98 closes no group; ask the bank to send it again", at: offset)
        }
        // Some banks leave the number of accounts out; the one count is then that of the records.
        let isShort = fields.count == 2 || (fields.count == 3 && fields[2].isEmpty)
        let counts = isShort && Int(fields[1].text) == level.records ? [level.records] : [level.members, level.records]
        try check(fields, total: level.total, counts: counts, at: offset)
        file?.total += level.total
        file?.members += 1
        group = nil
    }

    private mutating func endFile(_ fields: Fields, at offset: Int) throws(StatementError) {
        guard let level = file, group == nil else {
            throw reading.malformed("a trailer 99 closes no file; ask the bank to send it again", at: offset)
        }
        try check(fields, total: level.total, counts: [level.members, level.records], at: offset)
        isComplete = true
    }

    private func check(_ fields: Fields, total: Int128, counts: [Int], at offset: Int) throws(StatementError) {
        guard try minor(fields[0], at: offset) == total else {
            throw reading.malformed(
                "the records add up to \(total), the trailer says \(fields[0].text): cut or edited; ask the bank to send it again",
                at: offset)
        }
        for (index, count) in counts.enumerated() where !fields[index + 1].isEmpty {
            guard Int(fields[index + 1].text) == count else {
                throw reading.malformed(
                    "there are \(count) records or members, the trailer says \(fields[index + 1].text): cut or edited; ask the bank to send it again",
                    at: offset)
            }
        }
    }

    // MARK: Values

    private func minor(_ field: Field, at offset: Int) throws(StatementError) -> Int128 {
        let amount = field.withBytes { bytes in
            bytes.firstIndex(of: UInt8(ascii: ".")) == nil ? Amount(bytes, style: .plain) : nil
        }
        guard let amount else {
            throw reading.malformed("'\(field.text)' is not an amount; ask the bank to send it again", at: offset)
        }
        return amount.billionths / Amount.one
    }

    private func amount(_ minor: Int128, at offset: Int) throws(StatementError) -> Amount {
        guard let amount = Amount(minor: minor, places: decimals) else {
            throw reading.malformed("an amount is beyond 10^15; ask the bank to send it again", at: offset)
        }
        return amount
    }

    /// One field of a record.
    private struct Field {
        var content: ArraySlice<UInt8> = []

        var isEmpty: Bool { content.isEmpty }
        var count: Int { content.count }
        var first: UInt8? { content.first }
        var text: String { withBytes { $0.text } }

        func withBytes<Result>(_ body: (Bytes) -> Result) -> Result {
            content.withUnsafeBufferPointer { body(Bytes($0)) }
        }
    }

    /// The fields of a record, empty beyond its end.
    private struct Fields {
        private let content: [UInt8]
        private let starts: [Int]

        init(_ content: [UInt8]) {
            self.content = content
            var starts = [0]
            for (index, byte) in content.enumerated() where byte == UInt8(ascii: ",") { starts.append(index + 1) }
            self.starts = starts
        }

        var count: Int { starts.count }

        subscript(index: Int) -> Field {
            guard starts.indices.contains(index) else { return Field() }
            let end = index + 1 < starts.count ? starts[index + 1] - 1 : content.count
            var field = content[starts[index]..<end]
            while field.first == 0x20 { field.removeFirst() }
            while field.last == 0x20 { field.removeLast() }
            return Field(content: field)
        }

        /// Returns everything from field `index` on: a text may contain commas.
        func text(from index: Int) -> String {
            guard starts.indices.contains(index) else { return "" }
            return Field(content: content[starts[index]...]).text
        }
    }
}
