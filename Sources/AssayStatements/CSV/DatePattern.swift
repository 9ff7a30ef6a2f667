/// A way of writing dates, such as `%d/%m/%Y`.
struct DatePattern: Hashable, Sendable {
    enum Part: Hashable, Sendable {
        case year4, year2, month, day, monthName, literal(UInt8), ignoredNumber
        /// Whatever follows a blank or a `T`, such as a time.
        case rest
    }

    var parts: [Part]

    /// Reads `format`, with `%Y %y %m %d %b %B %H %M %S %f`; `nil` for other letters after a percent sign.
    init?(_ format: String) {
        parts = []
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
        if percent || !parts.contains(.day) { return nil }
    }

    private init(known format: StaticString) {
        self = DatePattern(format.description) ?? DatePattern(parts: [])
        parts.append(.rest)
    }

    private init(parts: [Part]) { self.parts = parts }

    /// Whether the day of the month is written before the month.
    var dayFirst: Bool {
        let day = parts.firstIndex(of: .day) ?? 0
        return day < (parts.firstIndex(of: .month) ?? parts.firstIndex(of: .monthName) ?? 0)
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
        DatePattern(known: "%d-%b-%y"), DatePattern(known: "%d %b %y"),
    ]

    /// The patterns of QIF, where an apostrophe may stand before the year.
    static let quicken: [DatePattern] =
        known + [
            DatePattern(known: "%m/%d'%Y"), DatePattern(known: "%d/%m'%Y"), DatePattern(known: "%m/%d'%y"),
            DatePattern(known: "%d/%m'%y"), DatePattern(known: "%d.%m'%Y"), DatePattern(known: "%d.%m'%y"),
        ]

    /// The day written by the whole of `text`, blanks around it aside.
    func day(_ text: Bytes) -> Day? {
        let text = text.trimmed()
        guard let (day, end) = scan(text, from: 0), end == text.count else { return nil }
        return day
    }

    /// The day written at `start`, and where its writing ends.
    func scan(_ text: Bytes, from start: Int) -> (day: Day, end: Int)? {
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
        guard let year, let month, let day, let result = Day(year: year, month: month, day: day) else { return nil }
        return (result, index)
    }

    private static func shortNumber(_ text: Bytes, _ index: inout Int) -> Int? {
        let digits = text[index + 1].isDigit ? 2 : 1
        defer { index += digits }
        return text.number(at: index, digits: digits)
    }

    private static let names: [StaticString] = [
        "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
    ]

    private static func monthName(_ text: Bytes, _ index: inout Int) -> Int? {
        let start = index
        while text[index].isLetter { index += 1 }
        if text[index] == UInt8(ascii: ".") { index += 1 }
        let word = text.part(start, start + 3)
        return names.firstIndex { word.hasPrefixIgnoringCase($0) }.map { $0 + 1 }
    }
}

/// Decides over all of a file's dates which pattern it uses.
struct DateChoice {
    /// What is written first where both readings fit.
    enum First {
        case day, month
    }

    private var patterns: [DatePattern]
    private var isSorted: [Bool]
    private var previous: [Day?]
    private var rising: [Int]

    init(_ patterns: [DatePattern]) {
        self.patterns = patterns
        isSorted = patterns.map { _ in true }
        previous = patterns.map { _ in nil }
        rising = patterns.map { _ in 0 }
    }

    /// Drops the patterns that do not fit `text`.
    mutating func see(_ text: Bytes) {
        var kept = 0
        for index in patterns.indices {
            guard let day = patterns[index].day(text) else { continue }
            if let before = previous[index], before != day {
                let direction = day > before ? 1 : -1
                if rising[index] == -direction { isSorted[index] = false }
                rising[index] = direction
            }
            (patterns[kept], isSorted[kept], rising[kept]) = (patterns[index], isSorted[index], rising[index])
            previous[kept] = day
            kept += 1
        }
        guard kept < patterns.count else { return }
        patterns.removeLast(patterns.count - kept)
        isSorted.removeLast(isSorted.count - kept)
        rising.removeLast(rising.count - kept)
        previous.removeLast(previous.count - kept)
    }

    /// Whether no pattern that is still possible fits `text`.
    func refuses(_ text: Bytes) -> Bool { DatePattern.quicken.allSatisfy { $0.day(text) == nil } }

    /// The only pattern that fits; of two, the one that keeps the dates in order, then the one that is `preferred`.
    func preferred(_ first: First?) -> DatePattern? {
        guard patterns.count > 1 else { return patterns.first }
        let sorted = patterns.indices.filter { isSorted[$0] && rising[$0] != 0 }
        if sorted.count == 1 { return patterns[sorted[0]] }
        guard let first else { return nil }
        return patterns.first { $0.dayFirst == (first == .day) }
    }

    var isUndecided: Bool { patterns.count > 1 }
    var isImpossible: Bool { patterns.isEmpty }
}
