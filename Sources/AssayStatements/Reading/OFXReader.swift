/// A reader of OFX and QFX: bank and card statements of versions 1 (SGML) and 2 (XML), any number of accounts.
///
/// One tag scanner serves both versions, because banks put an XML declaration over SGML bodies with unclosed tags.
/// Entities beyond the five of XML and character numbers are left as they are; document types are refused.
struct OFXReader {
    var reading: Reading
    var statements: [Statement] = []
    var statement: Statement?
    private var entry = PartialEntry()
    private var open: [Aggregate] = []
    private var status = Status()
    private var sawInvestments = false

    /// The amounts of the open statement, as they are written: one for each entry.
    var cells: [AmountCell] = []
    var details: [EntryDetails] = []
    var balance = PartialBalance()
    private var rate = PartialRate()
    var isCard = false
    let settings: OFXSettings

    /// The facts that decide the sign and the currency of an entry.
    struct EntryDetails {
        var type: Bytes
        var offset: Int
        var rate: PartialRate?
    }

    struct PartialBalance {
        var amount: AmountCell?
        var day: Day?
        var offset = 0
    }

    struct PartialRate {
        var rate: Amount?
        var currency: CurrencyCode?
    }

    private struct PartialEntry {
        var day: Day?
        var amount: AmountCell?
        var type = Bytes()
        var id: Bytes?
        var rate: PartialRate?
        var name: Bytes?
        var memo: Bytes?
        var kind = Entry.Kind.other
    }

    private struct Status {
        var code = Bytes()
        var isError = false
        var message = Bytes()
    }

    /// The nested parts that give a leaf its meaning; `other` hides the leaves inside it.
    private enum Aggregate {
        case root, status, response, account, list, entry, pendingEntry, payee, currency, ledgerBalance, other
    }

    static func read(_ bytes: Bytes, settings: OFXSettings = OFXSettings()) throws(StatementError) -> [Statement] {
        var reader = OFXReader(reading: Reading(bytes), settings: settings)
        try reader.scan()
        return reader.statements
    }

    private init(reading: Reading, settings: OFXSettings) {
        self.reading = reading
        self.settings = settings
    }

    private mutating func scan() throws(StatementError) {
        let bytes = reading.bytes
        var position = bytes.firstIndex(of: UInt8(ascii: "<")) ?? bytes.count
        var closed = false
        while position < bytes.count {
            if bytes[position + 1] == UInt8(ascii: "!") || bytes[position + 1] == UInt8(ascii: "?") {
                position = try skipMarkup(at: position)
                continue
            }
            guard let end = bytes.firstIndex(of: UInt8(ascii: ">"), from: position) else {
                throw reading.malformed("a tag is not closed; the file is cut off, download it again", at: position)
            }
            if bytes[position + 1] == UInt8(ascii: "/") {
                closed = try close(bytes.part(position + 2, end).trimmed(), at: position) || closed
                position = bytes.firstIndex(of: UInt8(ascii: "<"), from: end) ?? bytes.count
                continue
            }
            let name = bytes.part(position + 1, end)
            var value = Bytes()
            var next = bytes.firstIndex(of: UInt8(ascii: "<"), from: end) ?? bytes.count
            if bytes.part(next, next + 9) == "<![CDATA[" {
                guard let stop = bytes.firstRange(of: "]]>", from: next) else {
                    throw reading.malformed("a CDATA section is not closed; download the file again", at: next)
                }
                value = bytes.part(next + 9, stop)
                next = bytes.firstIndex(of: UInt8(ascii: "<"), from: stop) ?? bytes.count
            } else {
                value = bytes.part(end + 1, next).trimmed()
            }
            if name.last != UInt8(ascii: "/") { try leafOrOpen(name, value, at: position) }
            position = next
        }
        guard closed else {
            throw StatementError(.malformed, "the file ends before </OFX>: it is cut off; download it again")
        }
        try finish()
    }

    private func skipMarkup(at position: Int) throws(StatementError) -> Int {
        let bytes = reading.bytes
        let rest = bytes.dropping(position)
        if rest.hasPrefixIgnoringCase("<!DOCTYPE") || rest.hasPrefixIgnoringCase("<!ENTITY") {
            throw reading.malformed("document types and entities are refused; export plain OFX", at: position)
        }
        let end =
            rest.hasPrefix("<!--")
            ? bytes.firstRange(of: "-->", from: position) : bytes.firstIndex(of: UInt8(ascii: ">"), from: position)
        guard let end else { throw reading.malformed("markup is not closed; download the file again", at: position) }
        return bytes.firstIndex(of: UInt8(ascii: "<"), from: end) ?? bytes.count
    }

    // MARK: Tags

    private static func aggregate(_ name: Bytes) -> Aggregate? {
        switch name.count {
        case 3: name == "OFX" || name == "ofx" ? .root : nil
        case 5: name == "PAYEE" ? .payee : nil
        case 6: name == "STATUS" ? .status : name == "STMTRS" ? .response : nil
        case 7: name == "STMTTRN" ? .entry : nil
        case 8:
            name == "CCSTMTRS"
                ? .response
                : name == "STMTTRNP"
                    ? .pendingEntry : name == "CURRENCY" ? .currency : name == "AVAILBAL" ? .other : nil
        case 9: name == "LEDGERBAL" ? .ledgerBalance : nil
        case 10: name == "CCACCTFROM" ? .account : name == "BANKACCTTO" ? .other : nil
        case 12:
            name == "BANKACCTFROM"
                ? .account
                : name == "BANKTRANLIST" ? .list : name == "ORIGCURRENCY" ? .other : nil
        default: nil
        }
    }

    private mutating func leafOrOpen(_ name: Bytes, _ value: Bytes, at offset: Int) throws(StatementError) {
        if !value.isEmpty {
            try leaf(name, value, at: offset)
            return
        }
        let kind = OFXReader.aggregate(name)
        if kind == nil, name.hasPrefix("INVSTMTRS") || name.hasPrefix("INVSTMTMSGS") { sawInvestments = true }
        guard open.count < 64 || kind == nil else {
            throw reading.malformed("tags are nested more than 64 deep; this is not a bank's file", at: offset)
        }
        switch kind {
        case .response:
            if statement != nil {
                throw reading.malformed("a statement begins inside another; download the file again", at: offset)
            }
            try reading.countStatement()
            statement = Statement()
            isCard = name.count == 8
            balance = PartialBalance()
        case .currency: rate = PartialRate()
        case .ledgerBalance: balance = PartialBalance(offset: offset)
        case .pendingEntry: entry = PartialEntry()
        case .entry:
            if open.contains(.entry) {
                throw reading.malformed("an entry begins inside another; download the file again", at: offset)
            }
            entry = PartialEntry()
        case .status: status = Status()
        case nil: return
        default: break
        }
        if let kind { open.append(kind) }
    }

    /// Handles a closing tag; true if it closes the whole file.
    private mutating func close(_ name: Bytes, at offset: Int) throws(StatementError) -> Bool {
        guard let kind = OFXReader.aggregate(name) else { return false }
        // A closing tag that matches no open one is ignored: some banks close what they never opened.
        guard open.last == kind else {
            guard kind == .entry || kind == .list || open.last == .entry, kind != .payee, kind != .other else {
                return kind == .root && !open.contains(.root)
            }
            throw reading.malformed(
                "\(name.quoted) is closed where it is not open: the file is damaged; download it again", at: offset)
        }
        open.removeLast()
        switch kind {
        case .entry: try endEntry(at: offset)
        case .pendingEntry:
            statement?.leftOut.addPending(entry.amount?.value(decimal: DecimalChoice.point))
        case .currency:
            if open.last == .entry { entry.rate = rate }
        case .response: try endStatement(at: offset)
        case .status:
            guard status.isError else { break }
            let text = status.message.isEmpty ? "" : " '\(status.message.text)'"
            throw StatementError(
                .serverError, "the bank answered with status \(status.code.text)\(text); download the statement again",
                line: reading.line(at: offset))
        default: break
        }
        return kind == .root
    }

    private mutating func leaf(_ name: Bytes, _ value: Bytes, at offset: Int) throws(StatementError) {
        switch open.last {
        case .entry, .pendingEntry: try entryLeaf(name, value, at: offset)
        case .payee where name == "NAME": entry.name = value
        case .list where name == "DTSTART":
            let from = try optionalDay(value, at: offset)
            statement?.from = from
        case .list where name == "DTEND":
            let to = try optionalDay(value, at: offset)
            statement?.to = to
        case .response where name == "CURDEF":
            let code = value.part(0, 3).text.uppercased()
            statement?.currency = code.utf8.allSatisfy(\.isUpper) && code.utf8.count == 3 ? code : nil
        case .account where name == "ACCTID" && statement != nil: statement?.account = value.text
        case .account where name == "ACCTTYPE": statement?.accountType = OFXReader.accountType(value)
        case .currency where name == "CURRATE": rate.rate = AmountCell.amount(value)
        case .currency where name == "CURSYM": rate.currency = CurrencyCode(value.text.uppercased())
        case .ledgerBalance where name == "BALAMT": balance.amount = try cell(value, at: offset)
        case .ledgerBalance where name == "DTASOF": balance.day = try optionalDay(value, at: offset)
        case .status where name == "CODE": status.code = value
        case .status where name == "SEVERITY": status.isError = value.hasPrefixIgnoringCase("ERROR")
        case .status where name == "MESSAGE": status.message = value
        default: break
        }
    }

    private mutating func entryLeaf(_ name: Bytes, _ value: Bytes, at offset: Int) throws(StatementError) {
        switch name.count {
        case 4 where name == "NAME": entry.name = value
        case 4 where name == "MEMO": entry.memo = value
        case 5 where name == "FITID": entry.id = value
        case 5 where name == "PAYEE": entry.name = entry.name ?? value
        case 6 where name == "TRNAMT": entry.amount = try cell(value, at: offset)
        case 7 where name == "TRNTYPE":
            entry.type = value
            if value == "INT" || value == "DIV" { entry.kind = .interest }
            if value == "FEE" || value == "SRVCHG" { entry.kind = .fee }
        case 8 where name == "DTPOSTED": entry.day = try day(value, at: offset)
        default: break
        }
    }

    private mutating func endEntry(at offset: Int) throws(StatementError) {
        guard statement != nil else { return }
        let number = (statement?.entries.count ?? 0) + 1
        guard let day = entry.day else {
            throw reading.malformed("entry \(number) has no DTPOSTED; export the file again", at: offset)
        }
        guard let amount = entry.amount else {
            throw reading.malformed("entry \(number) has no TRNAMT; export the file again", at: offset)
        }
        try reading.countEntry()
        var complete = Entry(day: day, amount: .zero, text: description, kind: entry.kind)
        complete.id = entry.id.map(\.text).flatMap { $0.isEmpty ? nil : $0 }
        statement?.entries.append(complete)
        cells.append(amount)
        details.append(EntryDetails(type: entry.type, offset: offset, rate: entry.rate))
    }

    /// NAME and MEMO, without saying twice what MEMO repeats of a NAME that was cut short.
    private var description: String {
        guard let memo = entry.memo else { return OFXReader.unescape(entry.name ?? Bytes()) }
        guard let name = entry.name else { return OFXReader.unescape(memo) }
        let (short, long) = (OFXReader.unescape(name), OFXReader.unescape(memo))
        if long.hasPrefix(short) { return long }
        return short.hasPrefix(long) ? short : short + " " + long
    }

    // MARK: Values

    private func day(_ value: Bytes, at offset: Int) throws(StatementError) -> Day {
        guard let day = Day(digits: value, year: 0, 4, month: 4, day: 6) else {
            throw reading.malformed("\(value.quoted) is not a date; export the file again", at: offset)
        }
        return day
    }

    /// Returns a date that some banks fill with zeros.
    private func optionalDay(_ value: Bytes, at offset: Int) throws(StatementError) -> Day? {
        if value.withBuffer({ $0.allSatisfy { $0 == 0x30 } }) { return nil }
        return try day(value, at: offset)
    }

    /// Returns an amount, which OFX writes without currencies, brackets and blanks.
    private func cell(_ value: Bytes, at offset: Int) throws(StatementError) -> AmountCell {
        let isPlain = value.withBuffer { $0.allSatisfy { $0.isDigit || "+-.,' ".utf8.contains($0) || $0 >= 0x80 } }
        if isPlain, case .amount(let cell) = AmountCell.content(value) { return cell }
        throw reading.malformed(
            "\(value.quoted) is not an amount; the file is damaged: download it again, or export CSV", at: offset)
    }

    private static func accountType(_ value: Bytes) -> AccountType? {
        switch value.text.uppercased() {
        case "CHECKING": .bank
        case "SAVINGS", "MONEYMRKT", "CD": .savings
        case "CREDITLINE": .loan
        default: nil
        }
    }

    private static func unescape(_ value: Bytes) -> String {
        var text = value.text
        guard value.firstIndex(of: UInt8(ascii: "&")) != nil else { return text }
        return text.withUTF8 { buffer in
            let bytes = Bytes(buffer)
            var result: [UInt8] = []
            result.reserveCapacity(bytes.count)
            var index = 0
            while index < bytes.count {
                let rest = bytes[index] == UInt8(ascii: "&") ? bytes.part(index, index + 6) : Bytes()
                let reference = references.first { rest.hasPrefix($0.name) }
                result.append(reference?.character ?? bytes[index])
                index += reference?.name.utf8CodeUnitCount ?? 1
            }
            return String(decoding: result, as: UTF8.self)
        }
    }

    private static let references: [(name: StaticString, character: UInt8)] = [
        ("&lt;", UInt8(ascii: "<")), ("&gt;", UInt8(ascii: ">")), ("&quot;", UInt8(ascii: "\"")),
        ("&apos;", UInt8(ascii: "'")), ("&nbsp;", 0x20), ("&amp;", UInt8(ascii: "&")),
    ]

    private mutating func finish() throws(StatementError) {
        guard open.isEmpty else {
            throw StatementError(.malformed, "a part of the file is not closed: it is cut off; download it again")
        }
        guard !statements.isEmpty else {
            if sawInvestments {
                throw StatementError(.unsupported, "an investment statement; give bank or card statements")
            }
            throw StatementError(.empty, "no bank or card statement inside; download it again")
        }
    }
}
