/// Reads OFX and QFX: bank and card statements of versions 1 (SGML) and 2 (XML), any number of accounts.
///
/// One tag scanner serves both versions, because banks put an XML declaration over SGML bodies with unclosed tags.
/// Entities beyond the five of XML and character numbers are left as they stand; document types are refused.
struct OFXReader {
    private var reading: Reading
    private var statements: [Statement] = []
    private var statement: Statement?
    private var entry = PartialEntry()
    private var open: [Aggregate] = []
    private var status = Status()
    private var sawInvestments = false

    private struct PartialEntry {
        var day: Day?
        var amount: Amount?
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
        case root, status, response, account, list, entry, payee, ledgerBalance, other
    }

    static func read(_ bytes: Bytes) throws(StatementError) -> [Statement] {
        var reader = OFXReader(reading: Reading(bytes))
        try reader.scan()
        return reader.statements
    }

    private init(reading: Reading) {
        self.reading = reading
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
        case 8: name == "CCSTMTRS" ? .response : name == "AVAILBAL" || name == "CURRENCY" ? .other : nil
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
        guard open.last == kind else {
            throw reading.malformed(
                "\(name.quoted) is closed where it is not open; download the file again", at: offset)
        }
        open.removeLast()
        switch kind {
        case .entry: try endEntry(at: offset)
        case .response:
            if let statement { statements.append(statement) }
            statement = nil
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
        case .entry: try entryLeaf(name, value, at: offset)
        case .payee where name == "NAME": entry.name = value
        case .list where name == "DTSTART":
            let from = try day(value, at: offset)
            statement?.from = from
        case .list where name == "DTEND":
            let to = try day(value, at: offset)
            statement?.to = to
        case .response where name == "CURDEF":
            let code = value.part(0, 3).text.uppercased()
            statement?.currency = code.utf8.allSatisfy(\.isUpper) && code.utf8.count == 3 ? code : nil
        case .account where name == "ACCTID" && statement != nil: statement?.account = value.text
        case .ledgerBalance where name == "BALAMT":
            let closing = try amount(value, at: offset)
            statement?.closing = closing
        case .ledgerBalance where name == "DTASOF":
            let day = try day(value, at: offset)
            statement?.closingDay = day
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
        case 6 where name == "TRNAMT": entry.amount = try amount(value, at: offset)
        case 7 where name == "TRNTYPE":
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
        let complete = Entry(day: day, amount: amount, text: description, kind: entry.kind)
        statement?.entries.append(complete)
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

    private func amount(_ value: Bytes, at offset: Int) throws(StatementError) -> Amount {
        if let amount = Amount(value, style: .plain) { return amount }
        if let comma = value.firstIndex(of: UInt8(ascii: ",")) {
            let style =
                value.contains(".")
                ? AmountStyle(decimal: UInt8(ascii: "."), grouped: true, decorated: false) : .plainComma
            // One comma before exactly three digits could be either mark.
            let ambiguous = style == .plainComma && value.count - comma == 4
            if !ambiguous, let amount = Amount(value, style: style) { return amount }
        }
        throw reading.malformed("\(value.quoted) is not an amount; export the file again", at: offset)
    }

    private static func unescape(_ value: Bytes) -> String {
        var text = value.text
        guard value.firstIndex(of: UInt8(ascii: "&")) != nil else { return text }
        for (name, character) in [
            ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&nbsp;", " "), ("&amp;", "&"),
        ] {
            text = text.split(separator: name, omittingEmptySubsequences: false).joined(separator: character)
        }
        return text
    }

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
        for index in statements.indices {
            try Reading.checkPeriod(statements[index].from, statements[index].to)
            let last = statements[index].entries.compactMap(\.day).max()
            guard statements[index].closing != nil, let asOf = statements[index].closingDay else { continue }
            statements[index].derivesOpening = last.map { asOf >= $0 } ?? true
        }
    }
}
