/// A reader of ISO 20022 account reports and statements (camt.052, camt.053) of every version, by local names.
struct CAMTReader {
    static func read(_ bytes: Bytes) throws(StatementError) -> [Statement] {
        if let text = try XMLEncoding.transcoded(bytes) {
            return try text.withUnsafeBufferPointer { buffer throws(StatementError) in try scan(Bytes(buffer)) }
        }
        return try scan(bytes)
    }

    private static func scan(_ bytes: Bytes) throws(StatementError) -> [Statement] {
        let reading = Reading(bytes)
        try checkUTF8(reading)
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
                    throw StatementError(.empty, "no Stmt or Rpt inside; give the camt.053 or camt.052 of the account")
                }
                return collector.statements
            }
        }
    }

    private static func checkUTF8(_ reading: Reading) throws(StatementError) {
        guard let bad = reading.bytes.firstInvalidUTF8 else { return }
        throw reading.malformed("bytes that are not UTF-8; download the file again", at: bad)
    }
}

/// A collector of statements from the elements of one document.
private struct CAMTCollector {
    private var reading: Reading
    private(set) var statements: [Statement] = []
    /// The offset of the present event in the file.
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
        var isReversal = false
        var reason = ""
        var id: String?
        var status = ""
        var booked: Day?
        var value: Day?
        var texts: [String] = []
        /// The bank's code of the movement: its family, and what it is within that.
        var family = ""
        var subfamily = ""
    }

    private var balances: [Balance] = []
    /// The entries in other currencies than the account's, by currency.
    private var foreign: [(currency: String, entry: Entry)] = []
    /// The code of the account's type, and the first code of an entry that only a current account has.
    private var accountCode: String?
    private var currentCode: String?
    /// The places of entries that are marked as reversals.
    private var reversals: [Int] = []

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
            statement?.isProvisional = name == "Rpt"
            (balances, foreign, reversals, accountCode, currentCode) = ([], [], [], nil, nil)
        case "Ntfctn" where path.count == 3:
            throw StatementError(
                .unsupported,
                "camt.054 lists details of entries; give the camt.053 or camt.052 of the same days", line: 1)
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

    /// Returns the element that many levels above the present one.
    private func parent(_ level: Int) -> String { path.count > level ? path[path.count - 1 - level] : "" }

    private func failure(_ reason: String) -> StatementError { reading.malformed(reason, at: offset) }

    // MARK: Elements

    private mutating func statementElement() throws(StatementError) {
        switch (parent(1), parent(0)) {
        case ("Id", "IBAN") where parent(2) == "Acct", ("Othr", "Id") where parent(3) == "Acct":
            let account = clean
            statement?.account = account
        case ("Tp", "Cd") where parent(2) == "Acct": accountCode = clean
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
        balances.append(balance)
    }

    private mutating func entryElement() throws(StatementError) {
        switch (parent(1), parent(0)) {
        case ("Ntry", "Amt"): entry.amount = try amount()
        case ("Ntry", "CdtDbtInd"):
            guard clean == "DBIT" || clean == "CRDT" else {
                throw failure("\(place) is neither CRDT nor DBIT; the file is damaged, download it again")
            }
            entry.isDebit = clean == "DBIT"
        case ("Ntry", "Sts"): if !clean.isEmpty { entry.status = clean }
        case ("Sts", "Cd"): entry.status = clean
        case ("BookgDt", "Dt"), ("BookgDt", "DtTm"): entry.booked = try day()
        case ("ValDt", "Dt"), ("ValDt", "DtTm"): if parent(2) == "Ntry" { entry.value = try day() }
        case ("Dbtr", "Nm"), ("Cdtr", "Nm"): if (parent(1) == "Cdtr") == entry.isDebit { note() }
        case ("Pty", "Nm"): if parent(2) == (entry.isDebit ? "Cdtr" : "Dbtr") { note() }
        case ("RmtInf", "Ustrd"), (_, "AddtlTxInf"), (_, "AddtlNtryInf"): note()
        case ("Fmly", "Cd"): entry.family = clean
        case ("Fmly", "SubFmlyCd"): entry.subfamily = clean
        case ("Ntry", "RvslInd"): entry.isReversal = clean == "true" || clean == "1"
        case ("Ntry", "AcctSvcrRef"): if !clean.isEmpty { entry.id = clean }
        case ("Rsn", "Cd"), ("Rsn", "Prtry"): if path.contains("RtrInf") { entry.reason = clean }
        case (_, "Ntry"): try endEntry()
        default: break
        }
    }

    private mutating func note() {
        if !clean.isEmpty, entry.texts.count < 16 { entry.texts.append(clean) }
    }

    private mutating func endEntry() throws(StatementError) {
        guard let amount = entry.amount else {
            throw failure("\(place) has no Amt; the file is damaged, download it again")
        }
        let signed = entry.isDebit ? -amount : amount
        if ["PDNG", "INFO", "FUTR"].contains(entry.status) {
            statement?.leftOut.addPending(signed)
            return
        }
        try reading.countEntry()
        var text = entry.texts.joined(separator: " ")
        text = text.withUTF8 { Bytes($0).text }
        var done = Entry(
            day: entry.booked ?? entry.value, valueDay: entry.value, amount: signed, text: text, kind: kind)
        done.id = entry.id
        if let currency = entry.currency {
            if let expected = statement?.currency, expected != currency {
                foreign.append((currency, done))
                return
            }
            statement?.currency = currency
        }
        if currentCode == nil, entry.isDebit, !entry.isReversal { currentCode = codeOfCurrentAccount }
        if entry.isReversal { reversals.append(statement?.entries.count ?? 0) }
        statement?.entries.append(done)
    }

    /// What the codes of the present entry say it is; the sign decides whose item came back.
    private var kind: Entry.Kind {
        let reason = entry.reason
        if reason == "AM04" || reason == "R01" || reason == "R09" {
            return entry.isDebit ? .returnedDeposit : .insufficientFundsReturn
        }
        if !reason.isEmpty { return entry.isDebit ? .returnedDeposit : .unknownReturn }
        if entry.subfamily == "INTR" { return .interest }
        return ["CHRG", "FEES", "COMM"].contains(entry.subfamily) ? .fee : .other
    }

    /// The code of an entry that moves money as only a current account can: a transfer that is no booking within the
    /// bank, a
    /// direct debit that was paid, or a check.
    private var codeOfCurrentAccount: String? {
        switch (entry.family, entry.subfamily) {
        case ("ICDT", "ESCT"), ("ICDT", "ISCT"), ("ICDT", "XBCT"), ("ICDT", "DMCT"), ("ICDT", "SALA"), ("ICDT", "STDO"),
            ("RDDT", _), ("RCHQ", _):
            "\(entry.family)/\(entry.subfamily) of an entry"
        default: nil
        }
    }

    /// Takes the kind of account from its code or from the code of an entry.
    private func takeType(_ statement: inout Statement) {
        let type: AccountType? =
            switch accountCode {
            case "CACC", "SLRY", "TRAN": .bank
            case "SVGS", "LLSV", "MOMA": .savings
            case "CARD": .card
            case "LOAN", "MGLD": .loan
            default: nil
            }
        if let type, let accountCode {
            statement.take(type, by: "Acct/Tp \(accountCode)")
        } else {
            statement.take(currentCode == nil ? nil : .bank, by: currentCode)
        }
    }

    private mutating func endStatement() throws(StatementError) {
        guard var done = statement else { return }
        statement = nil
        let (opening, closing) = ends(of: done)
        done.opening = opening?.amount
        done.closing = closing?.amount
        done.currency = done.currency ?? opening?.currency ?? closing?.currency
        if done.from == nil || done.to == nil { (done.from, done.to) = (opening?.day, closing?.day) }
        takeType(&done)
        turnReversals(&done)
        done.flagRepeatedIds()
        try Reading.checkPeriod(done.from, done.to)
        try reading.countStatement()
        statements.append(done)
        var order: [String] = []
        for (currency, _) in foreign where !order.contains(currency) { order.append(currency) }
        for currency in order {
            var other = Statement(account: done.account, currency: currency)
            (other.accountType, other.from, other.to) = (done.accountType, done.from, done.to)
            other.entries = foreign.filter { $0.currency == currency }.map(\.entry)
            try reading.countStatement()
            statements.append(other)
        }
    }

    /// Returns the balances that open and close a statement.
    ///
    /// The previous closing balance opens where no opening balance is given. An interim balance replaces the end
    /// that is missing, and two of them for both ends, if they add up.
    private func ends(of statement: Statement) -> (opening: Balance?, closing: Balance?) {
        let interim = balances.filter { $0.code == "ITBD" }
        var opening = balances.first { $0.code == "OPBD" } ?? balances.first { $0.code == "PRCD" }
        var closing = balances.last { $0.code == "CLBD" }
        if opening == nil, closing == nil, interim.count >= 2 {
            let sum = statement.entries.reduce(Amount.zero) { $0 + $1.amount }
            if let first = interim[0].amount, let last = interim[interim.count - 1].amount, first + sum == last {
                return (interim[0], interim[interim.count - 1])
            }
            return (nil, nil)
        }
        if opening == nil, closing != nil { opening = interim.first }
        if closing == nil, opening != nil { closing = interim.last }
        return (opening, closing)
    }

    /// Turns reversals if only then the balances add up: some banks give the direction of the reversed entry.
    private func turnReversals(_ statement: inout Statement) {
        guard !reversals.isEmpty, statement.balanceCheck == .mismatch else { return }
        var turned = statement
        for place in reversals {
            turned.entries[place].amount = -turned.entries[place].amount
            turned.entries[place].kind =
                turned.entries[place].kind == .other ? .unknownReturn : turned.entries[place].kind
        }
        guard turned.balanceCheck == .ok else { return }
        turned.flags.insert(.reversalTurned)
        turned.evidence.append(Evidence("direction", "entries with RvslInd are turned", by: "balances"))
        statement = turned
    }

    // MARK: Values

    private var place: String { "entry \((statement?.entries.count ?? 0) + 1)" }

    /// The text of the present element, its references replaced; an unknown one is left as it is.
    private var clean: String {
        var text = XMLText.unescaped(content) ?? content
        return text.withUTF8 { Bytes($0).text }
    }

    private func amount() throws(StatementError) -> Amount {
        let text = clean
        if let amount = Amount(text) { return amount }
        throw failure(
            "\(path.contains("Ntry") ? place : "a balance"): '\(text.prefix(40))' is not an amount; the file is damaged, download it again"
        )
    }

    private func day() throws(StatementError) -> Day {
        let text = clean
        if let day = Day(text.prefix(10)) { return day }
        throw failure(
            "\(path.contains("Ntry") ? place : "the statement"): '\(text.prefix(40))' is not a date; the file is damaged, download it again"
        )
    }
}
