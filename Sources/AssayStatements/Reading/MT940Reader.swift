/// Reads SWIFT MT940 statements and MT942 interim reports, with or without their envelope.
struct MT940Reader {
    private var reading: Reading
    private var statements: [Statement] = []
    private var current: Partial?
    private var field = Field.none
    private var details: [Bytes] = []

    /// A statement that has begun with `:20:`.
    private struct Partial {
        var statement = Statement()
        var offset: Int
        var isInterim = false
        var declared: [(isCredit: Bool, count: Int, total: Amount)] = []
    }

    /// The field that continuation lines belong to.
    private enum Field {
        case none, entry, details, other
    }

    static func read(_ bytes: Bytes) throws(StatementError) -> [Statement] {
        var reader = MT940Reader(reading: Reading(bytes))
        try reader.scan()
        return reader.statements
    }

    private init(reading: Reading) {
        self.reading = reading
    }

    private mutating func scan() throws(StatementError) {
        var position = 0
        while position < reading.bytes.count {
            let start = position
            var line = reading.bytes.line(at: &position)
            if line[0] == UInt8(ascii: "{") {
                field = .none
                guard let text = line.firstRange(of: "{4:") else { continue }
                line = line.dropping(text + 3)
            }
            if line[0] == UInt8(ascii: ":"), let end = line.part(1, 5).firstIndex(of: UInt8(ascii: ":")), end >= 2 {
                endDetails()
                try tag(line.part(1, end + 1), line.dropping(end + 2), at: start)
            } else if line[0] == UInt8(ascii: "-"), line.count == 1 || line[1] == UInt8(ascii: "}") || line[1] < 0x20 {
                endDetails()
                field = .none
            } else if field == .details || field == .entry, details.count < 64 {
                details.append(line)
            }
        }
        endDetails()
        try finishStatement()
        guard !statements.isEmpty else {
            throw StatementError(.malformed, "no field ':20:' inside; this is not an MT940 file", line: 1)
        }
    }

    private mutating func tag(_ tag: Bytes, _ value: Bytes, at offset: Int) throws(StatementError) {
        if tag == "20" {
            try finishStatement()
            current = Partial(offset: offset)
            field = .other
            return
        }
        let wasEntry = field == .entry
        field = .other
        guard current != nil else {
            throw reading.malformed("a field stands before ':20:'; export the file again", at: offset)
        }
        if tag == "25" || tag == "25P" {
            current?.statement.account = value.text
        } else if tag == "60F" || tag == "60M" {
            let balance = try balance(value, at: offset)
            current?.statement.opening = balance.amount
            current?.statement.from = balance.day
            current?.statement.currency = balance.currency
        } else if tag == "62F" || tag == "62M" {
            let balance = try balance(value, at: offset)
            current?.statement.closing = balance.amount
            current?.statement.to = balance.day
        } else if tag == "61" {
            try entry(value, at: offset)
        } else if tag == "86" || tag == "NS" {
            if wasEntry {
                details = [value]
                field = .details
            }
        } else if tag == "34F" || tag == "13D" || tag == "13" {
            current?.isInterim = true
        } else if tag == "90D" || tag == "90C", (current?.declared.count ?? 0) < 8 {
            let declared = try declaredTotal(tag, value, at: offset)
            current?.declared.append(declared)
        }
    }

    // MARK: Fields

    private func balance(
        _ value: Bytes, at offset: Int
    ) throws(StatementError) -> (amount: Amount, day: Day, currency: String?) {
        let hasCurrency = value[7].isUpper && value[8].isUpper && value[9].isUpper
        guard value[0] == UInt8(ascii: "C") || value[0] == UInt8(ascii: "D"),
            let day = Day(digits: value, year: 1, 2, month: 3, day: 5),
            let amount = Amount(value.dropping(hasCurrency ? 10 : 7), style: .plainComma)
        else {
            throw reading.malformed("\(value.quoted) is not a balance; export the file again", at: offset)
        }
        let signed = value[0] == UInt8(ascii: "D") ? -amount : amount
        return (signed, day, hasCurrency ? value.part(7, 10).text : nil)
    }

    private mutating func entry(_ value: Bytes, at offset: Int) throws(StatementError) {
        let valueDay = Day(digits: value, year: 0, 2, month: 2, day: 4)
        guard let shortYear = value.number(at: 0, digits: 2), let month = value.number(at: 2, digits: 2),
            let dayOfMonth = value.number(at: 4, digits: 2),
            // Thirty-day interest calendars have a 29th and 30th of February.
            valueDay != nil || (month == 2 && (29...30).contains(dayOfMonth))
        else {
            throw reading.malformed("\(value.part(0, 6).quoted) is not a date; export the file again", at: offset)
        }
        var index = 6
        var day = valueDay
        if let entryMonth = value.number(at: 6, digits: 2), let entryDay = value.number(at: 8, digits: 2) {
            day = bookingDay(entryMonth, entryDay, near: valueDay, year: Day.fullYear(shortYear)) ?? valueDay
            index = 10
        } else if value[6] == 0x20 {
            while value[index] == 0x20, index < 10 { index += 1 }
        }
        let reversed = value[index] == UInt8(ascii: "R")
        let expected = value[index] == UInt8(ascii: "E")
        if reversed || expected { index += 1 }
        let isDebit = value[index] == UInt8(ascii: "D")
        guard isDebit || value[index] == UInt8(ascii: "C") else {
            throw reading.malformed("an entry is neither C nor D; export the file again", at: offset)
        }
        index += 1
        if value[index].isLetter { index += 1 }
        var end = index
        while value[end].isDigit || value[end] == UInt8(ascii: ",") { end += 1 }
        guard end > index, value[end].isLetter, let amount = Amount(value.part(index, end), style: .plainComma) else {
            let text = value.part(index, max(end, index + 1)).quoted
            throw reading.malformed("\(text) is not an amount; export the file again", at: offset)
        }
        field = .entry
        details = []
        if expected { return }
        try reading.countEntry()
        let code = value.part(end + 1, end + 4)
        let kind: Entry.Kind = code == "INT" ? .interest : code == "CHG" || code == "COM" ? .fee : .other
        current?.statement.entries.append(
            Entry(
                day: day, valueDay: valueDay, amount: isDebit != reversed ? -amount : amount,
                text: value.dropping(end).text, kind: kind))
    }

    /// The booking date, in the year that puts it nearest the value date.
    private func bookingDay(_ month: Int, _ day: Int, near valueDay: Day?, year: Int) -> Day? {
        guard let valueDay else { return Day(year: year, month: month, day: day) }
        return (year - 1...year + 1).compactMap { Day(year: $0, month: month, day: day) }
            .min { abs($0 - valueDay) < abs($1 - valueDay) }
    }

    private func declaredTotal(
        _ tag: Bytes, _ value: Bytes, at offset: Int
    ) throws(StatementError) -> (isCredit: Bool, count: Int, total: Amount) {
        var digits = 0
        while value[digits].isDigit { digits += 1 }
        guard let count = value.number(at: 0, digits: digits),
            let total = Amount(value.dropping(digits + 3), style: .plainComma)
        else {
            throw reading.malformed("\(value.quoted) is not a count and a total; export the file again", at: offset)
        }
        return (tag == "90C", count, total)
    }

    /// Gives the collected lines to the last entry as its text.
    private mutating func endDetails() {
        defer { details = [] }
        guard let last = current?.statement.entries.indices.last, !details.isEmpty else { return }
        if field == .details || field == .entry {
            current?.statement.entries[last].text = MT940Reader.join(details)
        }
    }

    /// The lines as one text: a line of full length goes on without a blank, German subfield marks become blanks.
    private static func join(_ lines: [Bytes]) -> String {
        if lines.count == 1, lines[0].firstIndex(of: UInt8(ascii: "?")) == nil { return lines[0].text }
        var joined: [UInt8] = []
        for line in lines where joined.count < 2 * Bytes.longestText {
            let next = line.part(0, Bytes.longestText)
            next.withBuffer { joined.append(contentsOf: $0) }
            if line.count < 65 { joined.append(0x20) }
        }
        if joined.count > 6, joined[3] == UInt8(ascii: "?"), joined[0..<3].allSatisfy(\.isDigit) {
            joined.removeFirst(3)
        }
        for index in joined.indices.dropLast(2)
        where joined[index] == UInt8(ascii: "?") && joined[index + 1].isDigit && joined[index + 2].isDigit {
            joined.replaceSubrange(index...index + 2, with: [0x20, 0x20, 0x20])
        }
        return joined.withUnsafeBufferPointer { Bytes($0).text }
    }

    // MARK: The end of a statement

    private mutating func finishStatement() throws(StatementError) {
        guard var done = current else { return }
        current = nil
        let statement = done.statement
        if statement.closing == nil, statement.opening != nil || !done.isInterim {
            throw reading.malformed(
                "the statement that begins here ends before its closing balance ':62F:'; it is cut off, download it again",
                at: done.offset)
        }
        try Reading.checkPeriod(statement.from, statement.to)
        for declared in done.declared {
            let matching = statement.entries.filter { declared.isCredit ? $0.amount > .zero : $0.amount < .zero }
            let total = matching.reduce(Amount.zero) { $0 + $1.amount.magnitude }
            if matching.count != declared.count || total != declared.total { done.statement.contradictsTotals = true }
        }
        try reading.countStatement()
        statements.append(done.statement)
    }
}
