/// Reads QIF: bank, cash and card accounts; category, class and security lists are passed over.
struct QIFReader {
    private var reading: Reading
    private var statements: [Statement] = []
    private var rows: [Row] = []
    private var account: String?
    private var section = Section.none
    private var sawOther = false
    private var record = Record()

    private enum Section {
        case none, transactions, account, skipped
    }

    private struct Row {
        var date: Bytes
        var amount: Amount
        var text: String
        var offset: Int
    }

    private struct Record {
        var offset: Int?
        var date: Bytes?
        var amount: Amount?
        var payee: Bytes?
        var memo: Bytes?
        var name: Bytes?
    }

    static func read(_ bytes: Bytes) throws(StatementError) -> [Statement] {
        var reader = QIFReader(reading: Reading(bytes))
        try reader.scan()
        return reader.statements
    }

    private init(reading: Reading) {
        self.reading = reading
    }

    private mutating func scan() throws(StatementError) {
        var position = reading.bytes.hasPrefix("\u{FEFF}") ? 3 : 0
        while position < reading.bytes.count {
            let start = position
            let line = reading.bytes.line(at: &position)
            switch line[0] {
            case UInt8(ascii: "!"): try header(line, at: start)
            case UInt8(ascii: "^"): try endRecord()
            case UInt8(ascii: "#"), 0: break
            default: try self.line(line, at: start)
            }
        }
        if let offset = record.offset, section == .transactions {
            throw reading.malformed("the last record is not closed by '^'; it is cut off, export it again", at: offset)
        }
        try finishStatement()
        guard !statements.isEmpty else {
            guard sawOther else {
                throw StatementError(.malformed, "no line '!Type:'; this is not a QIF file", line: 1)
            }
            throw StatementError(.unsupported, "no bank, cash or card account inside; export one of these")
        }
    }

    private mutating func header(_ line: Bytes, at offset: Int) throws(StatementError) {
        if let open = record.offset, section == .transactions {
            throw reading.malformed("this record is not closed by '^'; export the file again", at: open)
        }
        record = Record()
        let text = line.trimmed()
        if text.hasPrefixIgnoringCase("!Type:") {
            let type = text.dropping(6)
            let isAccount = ["Bank", "Cash", "CCard", "Oth A", "Oth L"].contains { (name: StaticString) in
                type.hasPrefixIgnoringCase(name)
            }
            if isAccount, section != .transactions || !rows.isEmpty { try finishStatement() }
            section = isAccount ? .transactions : .skipped
            sawOther = sawOther || !isAccount
        } else if text.hasPrefixIgnoringCase("!Account") {
            try finishStatement()
            section = .account
            sawOther = true
        }
    }

    private mutating func line(_ line: Bytes, at offset: Int) throws(StatementError) {
        guard section != .skipped, section != .none else {
            if section == .none, !line.trimmed().isEmpty {
                throw reading.malformed("\(line.quoted) stands before '!Type:'; this is not a QIF file", at: offset)
            }
            return
        }
        if line.trimmed().isEmpty { return }
        if record.offset == nil { record.offset = offset }
        let value = line.dropping(1).trimmed()
        switch line[0] {
        // A date inside a split follows the record's own.
        case UInt8(ascii: "D") where record.date == nil: record.date = value
        case UInt8(ascii: "T"), UInt8(ascii: "U"):
            guard section == .transactions else { break }
            guard let amount = QIFReader.amount(value) else {
                throw reading.malformed("\(value.quoted) is not an amount; export the file again", at: offset)
            }
            record.amount = amount
        case UInt8(ascii: "P"): record.payee = value
        case UInt8(ascii: "M"): record.memo = value
        case UInt8(ascii: "N"): record.name = value
        default: break
        }
    }

    private static func amount(_ value: Bytes) -> Amount? {
        let style = AmountStyle(decimal: UInt8(ascii: "."), grouped: true, decorated: false)
        if let amount = Amount(value, style: style) { return amount }
        guard !value.contains("."), let comma = value.firstIndex(of: UInt8(ascii: ",")), value.count - comma <= 3 else {
            return nil
        }
        return Amount(value, style: .plainComma)
    }

    private mutating func endRecord() throws(StatementError) {
        defer { record = Record() }
        if section == .account {
            account = record.name?.text
            return
        }
        guard section == .transactions, let offset = record.offset else { return }
        guard let date = record.date else {
            throw reading.malformed("the record that begins here has no date; export the file again", at: offset)
        }
        guard let amount = record.amount else {
            throw reading.malformed("the record that begins here has no amount; export the file again", at: offset)
        }
        try reading.countEntry()
        let text = [record.payee?.text, record.memo?.text].compactMap { $0 }.joined(separator: " ")
        rows.append(Row(date: date, amount: amount, text: text, offset: offset))
    }

    private mutating func finishStatement() throws(StatementError) {
        guard section == .transactions || !rows.isEmpty else { return }
        var choice = DateChoice(DatePattern.quicken)
        for row in rows { choice.see(row.date) }
        guard let pattern = choice.preferred(.month) else {
            let row = rows.first { choice.refuses($0.date) } ?? rows.first
            throw reading.malformed(
                "\(row?.date.quoted ?? "''") is not a date; export the file again", at: row?.offset ?? 0)
        }
        var statement = Statement(account: account)
        statement.entries = rows.map { Entry(day: pattern.day($0.date), amount: $0.amount, text: $0.text) }
        try reading.countStatement()
        statements.append(statement)
        rows = []
        section = .skipped
    }
}
