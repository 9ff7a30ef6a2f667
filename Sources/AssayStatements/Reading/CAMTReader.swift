/// Reads ISO 20022 account reports and statements (camt.052, camt.053) of every version, by their local names.
struct CAMTReader {
    static func read(_ bytes: Bytes) throws(StatementError) -> [Statement] {
        let reading = Reading(bytes)
        try checkEncoding(reading)
        var scanner = XMLScanner(reading)
        var collector = CAMTCollector(reading)
        while true {
            collector.offset = scanner.position
            switch try scanner.next() {
            case .open(let name, let attributes): try collector.open(name, attributes)
            case .text(let text): collector.text(text)
            case .close: try collector.close()
            case .end:
                guard !collector.statements.isEmpty else {
                    throw StatementError(.empty, "no Stmt or Rpt inside; download the statement again")
                }
                return collector.statements
            }
        }
    }

    /// Only encodings that extend ASCII are read; text that calls itself UTF-8 must be.
    private static func checkEncoding(_ reading: Reading) throws(StatementError) {
        let head = reading.bytes.part(0, 200)
        guard let start = head.firstRange(of: "encoding=") else {
            try checkUTF8(reading)
            return
        }
        let quote = head[start + 9]
        let end = head.firstIndex(of: quote, from: start + 10) ?? start
        let name = head.part(start + 10, end)
        let text = name.text.lowercased()
        if ["utf-8", "utf8", "us-ascii", "ascii"].contains(text) {
            try checkUTF8(reading)
            return
        }
        if ["iso-8859-1", "iso-8859-15", "windows-1252"].contains(text) { return }
        throw StatementError(.unsupported, "the encoding \(name.quoted); export the file as UTF-8", line: 1)
    }

    private static func checkUTF8(_ reading: Reading) throws(StatementError) {
        guard let bad = reading.bytes.firstInvalidUTF8 else { return }
        throw reading.malformed("bytes that are not UTF-8; download the file again", at: bad)
    }
}

/// Collects statements from the elements of one document.
private struct CAMTCollector {
    private var reading: Reading
    private(set) var statements: [Statement] = []
    /// Where the present event stands in the file.
    var offset = 0
    private var path: [String] = []
    private var content = ""
    private var statement: Statement?
    private var balance = Balance()
    private var entry = PartialEntry()

    private struct Balance {
        var code = ""
        var amount: Amount?
        var currency: String?
        var isDebit = false
        var day: Day?
    }

    private struct PartialEntry {
        var amount: Amount?
        var currency: String?
        var isDebit = false
        var status = ""
        var booked: Day?
        var value: Day?
        var texts: [String] = []
        var family = ""
    }

    private var opening: (code: String, balance: Balance)?
    private var closing: Balance?

    init(_ reading: Reading) {
        self.reading = reading
    }

    mutating func open(_ qualified: Bytes, _ attributes: Bytes) throws(StatementError) {
        let colon = qualified.firstIndex(of: UInt8(ascii: ":")) ?? -1
        let name = qualified.dropping(colon + 1).text
        path.append(name)
        content = ""
        switch name {
        case "Stmt", "Rpt":
            guard statement == nil else { throw failure("a statement begins inside another; download the file again") }
            statement = Statement()
            (opening, closing) = (nil, nil)
        case "Bal" where parent(1) == "Stmt" || parent(1) == "Rpt": balance = Balance()
        case "Ntry" where parent(1) == "Stmt" || parent(1) == "Rpt": entry = PartialEntry()
        case "Amt":
            if parent(1) == "Bal" { balance.currency = attributes.attribute("Ccy")?.text }
            if parent(1) == "Ntry" { entry.currency = attributes.attribute("Ccy")?.text }
        default: break
        }
    }

    mutating func text(_ text: Bytes) {
        guard statement != nil else { return }
        content = content.isEmpty ? text.text : content + text.text
    }

    mutating func close() throws(StatementError) {
        defer {
            if !path.isEmpty { path.removeLast() }
            content = ""
        }
        guard statement != nil else { return }
        if path.contains("Ntry") {
            try entryElement()
        } else if path.contains("Bal") {
            try balanceElement()
        } else {
            try statementElement()
        }
    }

    /// The element that many levels above the present one.
    private func parent(_ level: Int) -> String { path.count > level ? path[path.count - 1 - level] : "" }

    private func failure(_ reason: String) -> StatementError { reading.malformed(reason, at: offset) }

    // MARK: Elements

    private mutating func statementElement() throws(StatementError) {
        switch (parent(1), parent(0)) {
        case ("Id", "IBAN") where parent(2) == "Acct", ("Othr", "Id") where parent(3) == "Acct":
            let account = clean
            statement?.account = account
        case ("Acct", "Ccy"):
            let currency = clean
            statement?.currency = currency
        case ("FrToDt", "FrDtTm"), ("FrToDt", "FrDt"):
            let from = try day()
            statement?.from = from
        case ("FrToDt", "ToDtTm"), ("FrToDt", "ToDt"):
            let to = try day()
            statement?.to = to
        case (_, "Stmt"), (_, "Rpt"): try endStatement()
        default: break
        }
    }

    private mutating func balanceElement() throws(StatementError) {
        switch (parent(1), parent(0)) {
        case ("CdOrPrtry", "Cd"): balance.code = clean
        case ("Bal", "Amt"): balance.amount = try amount()
        case ("Bal", "CdtDbtInd"): balance.isDebit = clean == "DBIT"
        case ("Dt", "Dt") where parent(2) == "Bal", ("Dt", "DtTm") where parent(2) == "Bal": balance.day = try day()
        case (_, "Bal"): endBalance()
        default: break
        }
    }

    private mutating func endBalance() {
        if balance.isDebit { balance.amount = balance.amount.map { -$0 } }
        if balance.code == "CLBD" { closing = balance }
        // The previous closing balance opens the statement where no opening balance is given.
        if balance.code == "OPBD" && opening?.code != "OPBD" || balance.code == "PRCD" && opening == nil {
            opening = (balance.code, balance)
        }
    }

    private mutating func entryElement() throws(StatementError) {
        switch (parent(1), parent(0)) {
        case ("Ntry", "Amt"): entry.amount = try amount()
        case ("Ntry", "CdtDbtInd"):
            guard clean == "DBIT" || clean == "CRDT" else {
                throw failure("\(place) is neither CRDT nor DBIT; export the file again")
            }
            entry.isDebit = clean == "DBIT"
        case ("Ntry", "Sts"): if !clean.isEmpty { entry.status = clean }
        case ("Sts", "Cd"): entry.status = clean
        case ("BookgDt", "Dt"), ("BookgDt", "DtTm"): entry.booked = try day()
        case ("ValDt", "Dt"), ("ValDt", "DtTm"): if parent(2) == "Ntry" { entry.value = try day() }
        case ("Dbtr", "Nm"), ("Cdtr", "Nm"): if (parent(1) == "Cdtr") == entry.isDebit { note() }
        case ("Pty", "Nm"): if parent(2) == (entry.isDebit ? "Cdtr" : "Dbtr") { note() }
        case ("RmtInf", "Ustrd"), (_, "AddtlTxInf"), (_, "AddtlNtryInf"): note()
        case ("Fmly", "SubFmlyCd"): entry.family = clean
        case (_, "Ntry"): try endEntry()
        default: break
        }
    }

    private mutating func note() {
        if !clean.isEmpty, entry.texts.count < 16 { entry.texts.append(clean) }
    }

    private mutating func endEntry() throws(StatementError) {
        guard let amount = entry.amount else {
            throw failure("\(place) has no Amt; export the file again")
        }
        if ["PDNG", "INFO", "FUTR"].contains(entry.status) { return }
        if let currency = entry.currency {
            if let expected = statement?.currency, expected != currency {
                throw failure("\(place) is in \(currency), the account in \(expected); give one file for each currency")
            }
            statement?.currency = currency
        }
        try reading.countEntry()
        let kind: Entry.Kind =
            entry.family == "INTR" ? .interest : ["CHRG", "FEES", "COMM"].contains(entry.family) ? .fee : .other
        var text = entry.texts.joined(separator: " ")
        text = text.withUTF8 { Bytes($0).text }
        statement?.entries.append(
            Entry(
                day: entry.booked ?? entry.value, valueDay: entry.value, amount: entry.isDebit ? -amount : amount,
                text: text, kind: kind))
    }

    private mutating func endStatement() throws(StatementError) {
        guard var done = statement else { return }
        statement = nil
        done.opening = opening?.balance.amount
        done.closing = closing?.amount
        done.currency = done.currency ?? opening?.balance.currency ?? closing?.currency
        if done.from == nil || done.to == nil {
            (done.from, done.to) = (opening?.balance.day, closing?.day)
        }
        try Reading.checkPeriod(done.from, done.to)
        try reading.countStatement()
        statements.append(done)
    }

    // MARK: Values

    private var place: String { "entry \((statement?.entries.count ?? 0) + 1)" }

    /// The text of the present element, its references replaced; one that is not known leaves it as it stands.
    private var clean: String {
        var text = XMLText.unescaped(content) ?? content
        return text.withUTF8 { Bytes($0).text }
    }

    private func amount() throws(StatementError) -> Amount {
        let text = clean
        if let amount = Amount(text) { return amount }
        throw failure(
            "\(path.contains("Ntry") ? place : "a balance"): '\(text.prefix(40))' is not an amount; export the file again"
        )
    }

    private func day() throws(StatementError) -> Day {
        let text = clean
        if let day = Day(text.prefix(10)) { return day }
        throw failure(
            "\(path.contains("Ntry") ? place : "the statement"): '\(text.prefix(40))' is not a date; export the file again"
        )
    }
}
