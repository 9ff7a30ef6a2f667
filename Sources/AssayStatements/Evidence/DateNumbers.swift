/// A way of writing dates as three numbers with one mark between them, which is read at once.
struct DateNumbers: Hashable, Sendable {
    private enum Part { case year, month, day }

    private let first: Part
    private let second: Part
    private let third: Part
    private let mark: UInt8
    private let yearDigits: Int
    private let hasRest: Bool

    enum Found {
        case day(Day), none
        /// Blanks surround the marks; only the pattern itself can read that.
        case unknown
    }

    /// - Returns: `nil` where the parts of a pattern are others.
    init?(_ all: [DatePattern.Part]) {
        let parts = all.filter { $0 != .rest }
        guard parts.count == 5, case .literal(let mark) = parts[1], parts[3] == .literal(mark), mark != 0x20,
            let first = DateNumbers.part(parts[0]), let second = DateNumbers.part(parts[2]),
            let third = DateNumbers.part(parts[4])
        else { return nil }
        (self.first, self.second, self.third, self.mark) = (first, second, third, mark)
        yearDigits = parts.contains(.year2) ? 2 : 4
        hasRest = all.contains(.rest)
    }

    private static func part(_ part: DatePattern.Part) -> Part? {
        switch part {
        case .year4, .year2: .year
        case .month: .month
        case .day: .day
        default: nil
        }
    }

    /// Returns the day that is the whole of `text`.
    func read(_ text: Bytes) -> Found {
        var index = 0
        var (year, month, day) = (0, 0, 0)
        for place in 0..<3 {
            if place > 0 {
                if text[index] != mark { return text[index] == 0x20 ? .unknown : .none }
                index += 1
                if text[index] == 0x20 { return .unknown }
            }
            let part = place == 0 ? first : place == 1 ? second : third
            let digits = part == .year ? yearDigits : text[index + 1].isDigit ? 2 : 1
            guard let number = text.number(at: index, digits: digits) else { return .none }
            index += digits
            switch part {
            case .year: year = digits == 2 ? Day.fullYear(number) : number
            case .month: month = number
            case .day: day = number
            }
        }
        if index < text.count {
            guard hasRest, text[index] == 0x20 || text[index] == UInt8(ascii: "T"), text.count - index < 40 else {
                return .none
            }
        }
        return Day(year: year, month: month, day: day).map { .day($0) } ?? .none
    }
}
