/// A reader of QIF: bank, cash and card accounts; category, class and security lists are skipped.
struct QIFReader {
    private var reading: Reading
    private var statements: [Statement] = []
    private var rows: [Row] = []
    private var account: String?
    private var accountType: AccountType?
    private var section = Section.none
    private var sawOther = false
    private var record = Record()

    private enum Section {
        case none, transactions, account, skipped
    }

    private struct Row {
        var date: Bytes
        var amount: AmountCell
        var text: String
        var offset: Int
        /// Whether it states the balance that the account was opened with.
        var isOpening = false
    }

    private struct Record {
        var offset: Int?
        var date: Bytes?
        var amount: AmountCell?
        var category: Bytes?
        var payee: Bytes?
        var memo: Bytes?
        var name: Bytes?
    }

    static func read(_ bytes: Bytes, settings: QIFSettings = QIFSettings()) throws(StatementError) -> [Statement] {
        var reader = QIFReader(reading: Reading(bytes), settings: settings)
        try reader.scan()
        return reader.statements
    }

    private let settings: QIFSettings

    private init(reading: Reading, settings: QIFSettings) {
        self.reading = reading
        self.settings = settings
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
            throw reading.malformed("this record is not closed by '^'; the record is damaged: export CSV", at: open)
        }
        record = Record()
        let text = line.trimmed()
        if text.hasPrefixIgnoringCase("!Type:") {
            let type = text.dropping(6)
            let isAccount = ["Bank", "Cash", "CCard", "Oth A", "Oth L"].contains { (name: StaticString) in
                type.hasPrefixIgnoringCase(name)
            }
            if isAccount, section != .transactions || !rows.isEmpty { try finishStatement() }
            if isAccount {
                accountType =
                    type.hasPrefixIgnoringCase("CCard")
                    ? .card
                    : type.hasPrefixIgnoringCase("Bank") ? .bank : type.hasPrefixIgnoringCase("Oth L") ? .loan : nil
            }
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
            guard case .amount(let amount) = AmountCell.content(value) else {
                throw reading.malformed(
                    "\(value.quoted) is not an amount: the record is damaged; export CSV", at: offset)
            }
            record.amount = amount
        // Splits have letters of their own.
        case UInt8(ascii: "L"): record.category = record.category ?? value
        case UInt8(ascii: "P"): record.payee = value
        case UInt8(ascii: "M"): record.memo = value
        case UInt8(ascii: "N"): record.name = value
        default: break
        }
    }

    private mutating func endRecord() throws(StatementError) {
        defer { record = Record() }
        if section == .account {
            account = record.name?.text
            return
        }
        guard section == .transactions, let offset = record.offset else { return }
        guard let date = record.date else {
            throw reading.malformed(
                "the record that begins here has no date; the record is damaged: export CSV", at: offset)
        }
        guard let amount = record.amount else {
            throw reading.malformed(
                "the record that begins here has no amount; the record is damaged: export CSV", at: offset)
        }
        try reading.countEntry()
        let text = [record.payee?.text, record.memo?.text].compactMap { $0 }.joined(separator: " ")
        var row = Row(date: date, amount: amount, text: text, offset: offset)
        row.isOpening = rows.isEmpty && opensAccount(record)
        rows.append(row)
    }

    private mutating func finishStatement() throws(StatementError) {
        guard section == .transactions || !rows.isEmpty else { return }
        let pattern = try datePattern()
        let decimal = try decimal()
        var statement = Statement(account: account)
        statement.accountType = accountType
        for row in rows {
            guard let amount = row.amount.value(decimal: decimal) else {
                throw reading.malformed("an amount is beyond 10^15; export CSV", at: row.offset)
            }
            let day = pattern.day(row.date)
            if row.isOpening {
                (statement.opening, statement.from) = (amount, day)
                statement.leftOut.balance += 1
                statement.evidence.append(Evidence("opening", amount.description, by: "opening record"))
            } else {
                statement.entries.append(Entry(day: day, amount: amount, text: row.text))
            }
        }
        try reading.countStatement()
        statements.append(statement)
        rows = []
        section = .skipped
    }

    /// Returns whether the first record of an account states its opening balance: an opening phrase, and a transfer to
    /// itself.
    private func opensAccount(_ record: Record) -> Bool {
        guard let payee = record.payee?.text, Phrases.kind(ofWhole: payee) == .opening else { return false }
        guard let category = record.category, category[0] == UInt8(ascii: "["), category.last == UInt8(ascii: "]")
        else {
            return false
        }
        return account == nil || category.part(1, category.count - 1).text == account
    }

    private func datePattern() throws(StatementError) -> DatePattern {
        var choice = DateChoice(DatePattern.quicken)
        for row in rows { choice.see(row.date) }
        guard !choice.isImpossible else {
            let row = rows.first { choice.refuses($0.date) } ?? rows.first
            throw reading.malformed(
                "\(row?.date.quoted ?? "''") is not a date: the record is damaged; export CSV", at: row?.offset ?? 0)
        }
        if let pattern = choice.decided(order: settings.dateOrder) { return pattern }
        let row = rows.first { choice.isDoubtful($0.date) } ?? rows.first
        throw reading.malformed(
            "\(choice.readings(of: row?.date ?? Bytes())), and nothing in the file decides; set qif.date_order: day or month",
            at: row?.offset ?? 0)
    }

    private func decimal() throws(StatementError) -> UInt8 {
        if let decimal = settings.decimal?.utf8.first { return decimal }
        var choice = DecimalChoice()
        for (index, row) in rows.enumerated() { choice.see(row.amount, row: index) }
        if let proven = choice.proven { return proven }
        guard !choice.isContradictory, let doubtful = choice.ambiguousRow else {
            if choice.isIndifferent { return DecimalChoice.point }
            throw reading.malformed(
                "amounts use both ',' and '.' for decimals; set qif.decimal: ',' or '.'",
                at: rows[choice.commaRow ?? 0].offset)
        }
        throw reading.malformed(
            "an amount has one mark before three digits, which may group thousands or begin decimals; set qif.decimal: ',' or '.'",
            at: rows[doubtful].offset)
    }
}
