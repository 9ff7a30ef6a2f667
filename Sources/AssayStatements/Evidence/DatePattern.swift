/// A way of writing dates, such as `%d/%m/%Y`.
struct DatePattern: Hashable, Sendable {
    enum Part: Hashable, Sendable {
        /// A year of one digit, after the year 2000.
        case year1
        case year4, year2, month, day, monthName, literal(UInt8), ignoredNumber
        /// Whatever follows a blank or a `T`, such as a time.
        case rest
    }

    let parts: [Part]
    /// What it comes to where it is three numbers with one mark between them, as nearly all are.
    private let numbers: DateNumbers?

    /// Reads `format`, with `%Y %y %m %d %b %B %H %M %S %f`; `nil` for other letters after a percent sign.
    init?(_ format: String) {
        guard let parts = DatePattern.parts(of: format), parts.contains(.day) else { return nil }
        self.init(parts: parts)
    }

    private static func parts(of format: String) -> [Part]? {
        var parts: [Part] = []
        var percent = false
        for byte in format.utf8 {
            guard percent else {
                if byte == UInt8(ascii: "%") { percent = true } else { parts.append(.literal(byte)) }
                continue
            }
            percent = false
            switch byte {
            case UInt8(ascii: "Y"): parts.append(.year4)
            case UInt8(ascii: "y"): parts.append(.year2)
            case UInt8(ascii: "m"): parts.append(.month)
            case UInt8(ascii: "d"), UInt8(ascii: "e"): parts.append(.day)
            case UInt8(ascii: "b"), UInt8(ascii: "B"): parts.append(.monthName)
            case UInt8(ascii: "H"), UInt8(ascii: "I"), UInt8(ascii: "M"), UInt8(ascii: "S"), UInt8(ascii: "f"):
                parts.append(.ignoredNumber)
            default: return nil
            }
        }
        return percent ? nil : parts
    }

    private init(known format: StaticString) {
        self.init(parts: (DatePattern.parts(of: format.description) ?? []) + [.rest])
    }

    private init(parts: [Part]) {
        self.parts = parts
        numbers = DateNumbers(parts)
    }

    /// The part that comes first.
    var order: DateOrder {
        let year = parts.firstIndex { $0 == .year4 || $0 == .year2 || $0 == .year1 } ?? parts.count
        let day = parts.firstIndex(of: .day) ?? 0
        let month = parts.firstIndex { $0 == .month || $0 == .monthName } ?? 0
        return year < min(day, month) ? .year : day < month ? .day : .month
    }

    /// The pattern of the date alone, for dates within a text.
    var withoutRest: DatePattern { DatePattern(parts: parts.filter { $0 != .rest }) }

    /// The patterns that are tried on a file that does not say which one it uses.
    static let known: [DatePattern] = [
        DatePattern(known: "%Y-%m-%d"), DatePattern(known: "%Y/%m/%d"), DatePattern(known: "%Y.%m.%d"),
        DatePattern(known: "%d.%m.%Y"), DatePattern(known: "%d.%m.%y"), DatePattern(known: "%m/%d/%Y"),
        DatePattern(known: "%d/%m/%Y"), DatePattern(known: "%m/%d/%y"), DatePattern(known: "%d/%m/%y"),
        DatePattern(known: "%m-%d-%Y"), DatePattern(known: "%d-%m-%Y"), DatePattern(known: "%Y%m%d"),
        DatePattern(known: "%d-%b-%Y"), DatePattern(known: "%d %b %Y"), DatePattern(known: "%b %d, %Y"),
        DatePattern(known: "%d-%b-%y"), DatePattern(known: "%d %b %y"), DatePattern(known: "%d/%b/%Y"),
        DatePattern(known: "%d. %b %Y"), DatePattern(known: "%b %d %Y"), DatePattern(known: "%d.%m.%Y."),
    ]

    /// The patterns of QIF, where an apostrophe may precede the year.
    static let quicken: [DatePattern] =
        known + [
            DatePattern(known: "%m/%d'%Y"), DatePattern(known: "%d/%m'%Y"), DatePattern(known: "%m/%d'%y"),
            DatePattern(known: "%d/%m'%y"), DatePattern(known: "%d.%m'%Y"), DatePattern(known: "%d.%m'%y"),
            DatePattern(parts: [.month, .literal(UInt8(ascii: "/")), .day, .literal(UInt8(ascii: "'")), .year1]),
            DatePattern(parts: [.day, .literal(UInt8(ascii: "/")), .month, .literal(UInt8(ascii: "'")), .year1]),
        ]

    /// Returns the day written by the whole of `text`, ignoring blanks around it.
    func day(_ text: Bytes, defaultYear: Int? = nil) -> Day? {
        let text = text.trimmed()
        if let numbers, defaultYear == nil {
            switch numbers.read(text) {
            case .day(let day): return day
            case .none: return nil
            case .unknown: break
            }
        }
        guard let (day, end) = scan(text, from: 0, defaultYear: defaultYear), end == text.count else { return nil }
        return day
    }

    /// Returns the day written at `start`, and where its writing ends; without a year it is one of `defaultYear`.
    func scan(_ text: Bytes, from start: Int, defaultYear: Int? = nil) -> (day: Day, end: Int)? {
        var index = start
        var year: Int?
        var month: Int?
        var day: Int?
        for part in parts {
            switch part {
            case .year4:
                year = text.number(at: index, digits: 4)
                index += 4
            case .year2:
                year = text.number(at: index, digits: 2).map(Day.fullYear)
                index += 2
            case .year1:
                guard !text[index + 1].isDigit else { return nil }
                year = text.number(at: index, digits: 1).map { 2000 + $0 }
                index += 1
            case .month: month = DatePattern.shortNumber(text, &index)
            case .day: day = DatePattern.shortNumber(text, &index)
            case .monthName: month = DatePattern.monthName(text, &index)
            case .ignoredNumber: while text[index].isDigit { index += 1 }
            case .literal(let byte):
                // Quicken pads days and months with blanks.
                while byte != 0x20, text[index] == 0x20 { index += 1 }
                guard text[index] == byte else { return nil }
                index += 1
                while byte != 0x20, text[index] == 0x20 { index += 1 }
            case .rest:
                guard index < text.count else { break }
                guard text[index] == 0x20 || text[index] == UInt8(ascii: "T"), text.count - index < 40 else {
                    return nil
                }
                index = text.count
            }
        }
        guard let year = year ?? defaultYear, let month, let day, let result = Day(year: year, month: month, day: day)
        else { return nil }
        return (result, index)
    }

    private static func shortNumber(_ text: Bytes, _ index: inout Int) -> Int? {
        let digits = text[index + 1].isDigit ? 2 : 1
        defer { index += digits }
        return text.number(at: index, digits: digits)
    }

    private static func monthName(_ text: Bytes, _ index: inout Int) -> Int? {
        let start = index
        while text[index].isLetter || text[index] >= 0x80 { index += 1 }
        let word = text.part(start, index)
        if text[index] == UInt8(ascii: ".") { index += 1 }
        return MonthNames.month(word)
    }
}

/// A choice of the one pattern that fits all dates of a file.
struct DateChoice {
    private var patterns: [DatePattern]
    private var isSorted: [Bool]
    private var previous: [Day?]
    private var rising: [Int]
    /// How often the day changed, at least.
    private var distinct: [Int]
    /// Whether two patterns read some date as different days.
    private(set) var isDoubtful = false

    init(_ patterns: [DatePattern]) {
        self.patterns = patterns
        isSorted = patterns.map { _ in true }
        previous = patterns.map { _ in nil }
        rising = patterns.map { _ in 0 }
        distinct = patterns.map { _ in 0 }
    }

    /// Drops the patterns that do not fit `text`; false, and nothing changes, if none does.
    mutating func accepts(_ text: Bytes) -> Bool {
        guard patterns.count == 1, let day = patterns[0].day(text) else {
            guard patterns.count > 1, fits(text) else { return false }
            see(text)
            return true
        }
        see(day, at: 0)
        return true
    }

    /// Records a day, read with the only pattern that is left.
    mutating func see(_ day: Day) { see(day, at: 0) }

    private mutating func see(_ day: Day, at index: Int) {
        if let before = previous[index] {
            if before != day {
                let direction = day > before ? 1 : -1
                if rising[index] == -direction { isSorted[index] = false }
                rising[index] = direction
                distinct[index] += 1
            }
        } else {
            distinct[index] = 1
        }
        previous[index] = day
    }

    /// Drops the patterns that do not fit `text`.
    mutating func see(_ text: Bytes, defaultYear: Int? = nil) {
        var kept = 0
        var first: Day?
        var differs = false
        for index in patterns.indices {
            guard let day = patterns[index].day(text, defaultYear: defaultYear) else { continue }
            if let first { differs = differs || first != day } else { first = day }
            see(day, at: index)
            (patterns[kept], isSorted[kept], rising[kept]) = (patterns[index], isSorted[index], rising[index])
            (previous[kept], distinct[kept]) = (day, distinct[index])
            kept += 1
        }
        isDoubtful = kept > 1 && (isDoubtful || differs)
        guard kept < patterns.count else { return }
        patterns.removeLast(patterns.count - kept)
        isSorted.removeLast(isSorted.count - kept)
        rising.removeLast(rising.count - kept)
        previous.removeLast(previous.count - kept)
        distinct.removeLast(distinct.count - kept)
        if kept == 1 { isDoubtful = false }
    }

    /// The result of matching a text against the patterns that are still possible.
    enum Fit {
        case none
        /// The only pattern reads this day.
        case only(Day)
        /// One of several does.
        case open
    }

    /// Matches `text` against the patterns that are still possible.
    func fit(_ text: Bytes) -> Fit {
        guard patterns.count == 1 else { return fits(text) ? .open : .none }
        return patterns[0].day(text).map { .only($0) } ?? .none
    }

    /// Returns whether a pattern that is still possible fits `text`.
    func fits(_ text: Bytes) -> Bool { patterns.contains { $0.day(text) != nil } }

    /// Returns whether no known pattern fits `text`.
    func refuses(_ text: Bytes) -> Bool { DatePattern.quicken.allSatisfy { $0.day(text) == nil } }

    /// Returns the pattern that is beyond doubt: the only one that fits, the one of that order, or the only one that
    /// keeps
    /// three or more different days in order; also where all of them read every date alike.
    func decided(order: DateOrder?) -> DatePattern? {
        guard patterns.count > 1 else { return patterns.first }
        if let order, let ordered = patterns.first(where: { $0.order == order }) { return ordered }
        if !isDoubtful { return patterns.first }
        let sorted = patterns.indices.filter { isSorted[$0] && distinct[$0] >= 3 }
        let anySorted = patterns.indices.filter { isSorted[$0] && distinct[$0] >= 2 }
        return sorted.count == 1 && anySorted.count == 1 ? patterns[sorted[0]] : nil
    }

    /// Returns whether the patterns read `text` as different days.
    func isDoubtful(_ text: Bytes) -> Bool { Set(patterns.compactMap { $0.day(text) }).count > 1 }

    /// Returns both readings of a date, for an error.
    func readings(of text: Bytes) -> String {
        let days = patterns.compactMap { $0.day(text) }
        guard let first = days.first(where: { _ in true }), let second = days.first(where: { $0 != first }) else {
            return "\(text.quoted) can be read in two ways"
        }
        let ordered = patterns.first?.order == .day ? (first, second) : (second, first)
        return "\(text.quoted) is \(MonthNames.written(ordered.0)) or \(MonthNames.written(ordered.1))"
    }

    /// The patterns that fit all dates.
    var candidates: [DatePattern] { patterns }
    var isUndecided: Bool { patterns.count > 1 && isDoubtful }
    var isImpossible: Bool { patterns.isEmpty }
}
