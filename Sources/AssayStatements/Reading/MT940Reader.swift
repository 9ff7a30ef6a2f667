/// A reader of SWIFT MT940 statements and MT942 interim reports, with or without their envelope.
struct MT940Reader {
    private var reading: Reading
    private var statements: [Statement] = []
    private var current: Partial?
    private var field = Field.none
    private var details: [Bytes] = []
    /// Whether the entry that was read last is only expected, so that no entry takes its text.
    private var isExpected = false

    private let settings: MT940Settings
    private let today: Day?

    /// A statement that has begun.
    private struct Partial {
        var statement = Statement()
        /// Whether its closing balance has been read.
        var isClosed = false
        var offset: Int
        var isInterim = false
        /// The first code of an entry that only a current account has.
        var currentCode: String?
        var declared: [(isCredit: Bool, count: Int, total: Amount)] = []
    }

    /// The field that continuation lines belong to.
    private enum Field {
        case none, entry, details, other
    }

    /// - Parameter today: the day of reading, after which no statement can begin.
    static func read(
        _ bytes: Bytes, settings: MT940Settings = MT940Settings(), today: Day? = nil
    ) throws(StatementError) -> [Statement] {
        var reader = MT940Reader(reading: Reading(bytes), settings: settings, today: today)
        try reader.scan()
        return reader.statements
    }

    private init(reading: Reading, settings: MT940Settings, today: Day?) {
        self.reading = reading
        self.settings = settings
        self.today = today
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
            // A line that is a colon alone begins the tag of the next line.
            if line.trimmed() == ":", reading.bytes[position].isDigit {
                line = reading.bytes.line(at: &position)
                try field(of: line, tagLength: MT940Reader.tagLength(line, from: 0), from: 0, at: start, &position)
                continue
            }
            if line[0] == UInt8(ascii: ":") {
                try field(of: line, tagLength: MT940Reader.tagLength(line, from: 1), from: 1, at: start, &position)
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
            throw StatementError(.malformed, "no field ':20:' or ':25:' inside; this is not an MT940 file", line: 1)
        }
    }

    /// Returns the length of the tag that ends with a colon; `nil` if none does.
    private static func tagLength(_ line: Bytes, from start: Int) -> Int? {
        guard let end = line.part(start, start + 4).firstIndex(of: UInt8(ascii: ":")), end >= 2,
            line[start].isDigit && line[start + 1].isDigit || line.part(start, start + end) == "NS"
        else { return nil }
        return end
    }

    /// Reads a line that may begin a field, or continue the text of the one above.
    private mutating func field(
        of line: Bytes, tagLength: Int?, from start: Int, at offset: Int, _ position: inout Int
    ) throws(StatementError) {
        guard let tagLength, begins(line.part(start, start + tagLength), line.dropping(start + tagLength + 1), position)
        else {
            if field == .details || field == .entry, details.count < 64 { details.append(line) }
            return
        }
        endDetails()
        let tag = line.part(start, start + tagLength)
        let value = line.dropping(start + tagLength + 1)
        if tag == "61", !MT940Reader.hasAmount(value), reading.bytes[position].isDigit {
            // Some banks break lines inside the field.
            var joined: [UInt8] = []
            value.withBuffer { joined.append(contentsOf: $0) }
            reading.bytes.line(at: &position).withBuffer { joined.append(contentsOf: $0) }
            try joined.withUnsafeBufferPointer { buffer throws(StatementError) in
                try self.tag(tag, Bytes(buffer), at: offset)
            }
            return
        }
        try self.tag(tag, value, at: offset)
    }

    /// Returns whether the amount of a field 61 is on its line.
    private static func hasAmount(_ value: Bytes) -> Bool {
        var index = 6
        while value[index].isDigit || value[index] == 0x20 { index += 1 }
        while value[index].isLetter { index += 1 }
        return value[index].isDigit || value[index] == UInt8(ascii: ",")
    }

    /// Returns whether such a tag begins a field here, and is not text that continues on a new line.
    private func begins(_ tag: Bytes, _ value: Bytes, _ next: Int) -> Bool {
        guard field == .details || field == .entry, let current, !current.isClosed else { return true }
        if tag == "61" { return value.number(at: 0, digits: 6) != nil }
        if tag == "86" || tag == "NS" { return field == .entry || value.count >= 3 }
        if tag == "20" {
            var position = next
            let following = reading.bytes.line(at: &position)
            return following.hasPrefix(":25") || following.hasPrefix(":21:") || following.hasPrefix(":28")
        }
        if tag == "90D" || tag == "90C" { return value[0].isDigit }
        let isBalance =
            tag == "62F" || tag == "62M" || tag == "64" || tag == "65" || tag == "60F" || tag == "60M"
        return isBalance && (value[0] == UInt8(ascii: "C") || value[0] == UInt8(ascii: "D"))
            && value.number(at: 1, digits: 6) != nil
    }

    private mutating func tag(_ tag: Bytes, _ value: Bytes, at offset: Int) throws(StatementError) {
        if tag == "20" {
            try finishStatement()
            current = Partial(offset: offset)
            field = .other
            return
        }
        // Some banks leave ':20:' out.
        let isFirst = tag == "25" || tag == "25P" || tag == "28" || tag == "28C"
        if isFirst, current.map(\.isClosed) ?? true {
            try finishStatement()
            current = Partial(offset: offset)
        }
        let wasEntry = field == .entry
        field = .other
        guard current != nil else {
            throw reading.malformed(
                "field ':\(tag.text):' stands before ':20:' or ':25:': the beginning is missing; download the file again",
                at: offset)
        }
        if tag == "61" {
            try entry(value, at: offset)
        } else if tag == "86" || tag == "NS" {
            if wasEntry {
                details = [value]
                field = .details
            }
        } else if tag == "25" || tag == "25P" {
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
            current?.isClosed = true
        } else if tag == "34F" || tag == "13D" || tag == "13" {
            current?.isInterim = true
        } else if tag == "90D" || tag == "90C", (current?.declared.count ?? 0) < 8 {
            let declared = try declaredTotal(tag, value, at: offset)
            current?.declared.append(declared)
        }
    }

    // MARK: Fields

    /// Returns the day of such digits, in the calendar of the file; a day beyond the month's end is its last one.
    private func day(_ value: Bytes, at start: Int, corrected: inout Bool) -> Day? {
        guard let year = value.number(at: start, digits: 2), let month = value.number(at: start + 2, digits: 2),
            let day = value.number(at: start + 4, digits: 2)
        else { return nil }
        if settings.calendar == .hijri { return Hijri.day(year: 1400 + year, month: month, day: day) }
        let full = Day.fullYear(year)
        if let found = Day(year: full, month: month, day: day) { return found }
        // Interest is computed with months of thirty days.
        guard (1...12).contains(month), (29...31).contains(day) else { return nil }
        corrected = true
        return Day(year: full, month: month, day: Day.length(ofMonth: month, in: full))
    }

    private mutating func balance(
        _ value: Bytes, at offset: Int
    ) throws(StatementError) -> (amount: Amount, day: Day, currency: String?) {
        var isCorrected = false
        let hasCurrency = value[7].isUpper && value[8].isUpper && value[9].isUpper
        guard value[0] == UInt8(ascii: "C") || value[0] == UInt8(ascii: "D"),
            let day = day(value, at: 1, corrected: &isCorrected),
            let amount = Amount(value.dropping(hasCurrency ? 10 : 7), style: .plainComma)
        else {
            throw reading.malformed(
                "\(value.quoted) is not a balance; the field is damaged: download the file again", at: offset)
        }
        if isCorrected { current?.statement.flags.insert(.datesCorrected) }
        let signed = value[0] == UInt8(ascii: "D") ? -amount : amount
        return (signed, day, hasCurrency ? value.part(7, 10).text : nil)
    }

    private mutating func entry(_ value: Bytes, at offset: Int) throws(StatementError) {
        // A day that no calendar has is not shown as a value date.
        var isCorrected = false
        let found = day(value, at: 0, corrected: &isCorrected)
        if isCorrected { current?.statement.flags.insert(.datesCorrected) }
        guard let valueDay = found else {
            throw reading.malformed(
                "\(value.part(0, 6).quoted) is not a date: the field is damaged; download the file again", at: offset)
        }
        var index = 6
        var day = valueDay
        if let entryMonth = value.number(at: 6, digits: 2), let entryDay = value.number(at: 8, digits: 2) {
            day = bookingDay(entryMonth, entryDay, near: valueDay) ?? valueDay
            index = 10
        } else if value[6] == 0x20 {
            while value[index] == 0x20, index < 10 { index += 1 }
        }
        let reversed = value[index] == UInt8(ascii: "R")
        let expected = value[index] == UInt8(ascii: "E")
        if reversed || expected { index += 1 }
        let isDebit = value[index] == UInt8(ascii: "D")
        guard isDebit || value[index] == UInt8(ascii: "C") else {
            throw reading.malformed(
                "an entry is neither C nor D; the field is damaged: download the file again", at: offset)
        }
        index += 1
        if value[index].isLetter { index += 1 }
        var end = index
        while value[index] == 0x20 { index += 1 }
        end = max(end, index)
        while value[end].isDigit || value[end] == UInt8(ascii: ",") { end += 1 }
        guard end > index, value[end].isLetter, let amount = Amount(value.part(index, end), style: .plainComma) else {
            let text = value.part(index, max(end, index + 1)).quoted
            throw reading.malformed(
                "\(text) is not an amount; the field is damaged: download the file again", at: offset)
        }
        field = .entry
        details = []
        isExpected = expected
        if expected {
            current?.statement.leftOut.addPending(isDebit ? -amount : amount)
            return
        }
        try reading.countEntry()
        let code = value.part(end + 1, end + 4)
        if isDebit, !reversed, current?.currentCode == nil, MT940Reader.codesOfCurrentAccounts.contains(code.text) {
            current?.currentCode = code.text
        }
        let kind: Entry.Kind = code == "INT" ? .interest : code == "CHG" || code == "COM" ? .fee : .other
        current?.statement.entries.append(
            Entry(
                day: day, valueDay: isCorrected ? nil : valueDay, amount: isDebit != reversed ? -amount : amount,
                text: value.dropping(end).text, kind: kind))
    }

    /// The codes of what only a current account pays: checks, direct debits and standing orders; German banks number
    /// them.
    private static let codesOfCurrentAccounts: Set<String> = [
        "CHK", "DDT", "STO", "001", "004", "005", "008", "101", "104", "105", "107", "111", "117",
    ]

    /// Returns the booking date, in the year that puts it nearest the value date.
    private func bookingDay(_ month: Int, _ day: Int, near valueDay: Day) -> Day? {
        let candidates: [Day]
        if settings.calendar == .hijri {
            let year = Hijri.year(of: valueDay)
            candidates = (year - 1...year + 1).compactMap { Hijri.day(year: $0, month: month, day: day) }
        } else {
            let year = valueDay.date.year
            // One of the same year and half is the nearest.
            if let same = Day(year: year, month: month, day: day), abs(same - valueDay) < 180 { return same }
            candidates = (year - 1...year + 1).compactMap { Day(year: $0, month: month, day: day) }
        }
        return candidates.min { abs($0 - valueDay) < abs($1 - valueDay) }
    }

    private func declaredTotal(
        _ tag: Bytes, _ value: Bytes, at offset: Int
    ) throws(StatementError) -> (isCredit: Bool, count: Int, total: Amount) {
        var digits = 0
        while value[digits].isDigit { digits += 1 }
        guard let count = value.number(at: 0, digits: digits),
            let total = Amount(value.dropping(digits + 3), style: .plainComma)
        else {
            throw reading.malformed(
                "\(value.quoted) is not a count and a total; the field is damaged: download the file again", at: offset)
        }
        return (tag == "90C", count, total)
    }

    /// Gives the collected lines to the last entry as its text.
    private mutating func endDetails() {
        defer { details = [] }
        guard let last = current?.statement.entries.indices.last, !details.isEmpty else { return }
        if field == .details || field == .entry, !isExpected {
            current?.statement.entries[last].text = MT940Reader.join(details)
        }
    }

    /// Returns the lines as one text: a line of full length continues without a blank, German subfield marks become
    /// blanks.
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
        if statement.closing == nil {
            guard done.isInterim else {
                throw reading.malformed(
                    "the statement that begins here ends before its closing balance ':62F:'; it is cut off, download it again",
                    at: done.offset)
            }
            done.statement.flags.insert(.interim)
            done.statement.isProvisional = true
        }
        let first = statement.from ?? statement.entries.compactMap(\.day).min()
        if let today, let first, first > today + 7, settings.calendar == nil {
            throw reading.malformed(
                "the dates lie in \(first.date.year): if they are Hijri (1438), set mt940.calendar: hijri",
                at: done.offset)
        }
        try Reading.checkPeriod(statement.from, statement.to)
        for declared in done.declared {
            let matching = statement.entries.filter { declared.isCredit ? $0.amount > .zero : $0.amount < .zero }
            let total = matching.reduce(Amount.zero) { $0 + $1.amount.magnitude }
            if matching.count != declared.count || total != declared.total { done.statement.contradictsTotals = true }
        }
        done.statement.take(
            done.currentCode == nil ? nil : .bank, by: done.currentCode.map { "type code \($0) of an entry" })
        try reading.countStatement()
        statements.append(done.statement)
    }
}
