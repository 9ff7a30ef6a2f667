/// A moment in UTC to the millisecond, written as RFC 3339: `2025-03-03T09:15:00Z`.
public struct Timestamp: Hashable, Sendable, Comparable {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    public let milliseconds: Int64

    /// Creates the moment `milliseconds` after 1970 began.
    public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// Creates the moment that `text` writes: a date, or a date and time with `Z` or an offset; `nil` if it is neither.
    ///
    /// A date without time means 00:00 UTC.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int64? {
            guard range.upperBound <= bytes.count else { return nil }
            return bytes[range].reduce(Int64?(0)) { value, byte in
                byte &- 48 < 10 ? value.map { $0 * 10 + Int64(byte &- 48) } : nil
            }
        }
        func mark(_ index: Int, _ allowed: String) -> Bool {
            index < bytes.count && allowed.utf8.contains(bytes[index])
        }
        guard let year = number(0..<4), mark(4, "-"), let month = number(5..<7), mark(7, "-"),
            let day = number(8..<10), (1...12).contains(month), (1...Self.days(in: month, of: year)).contains(day)
        else { return nil }
        let midnight = Self.days(year: year, month: month, day: day) * 86_400_000
        guard bytes.count > 10 else {
            self.init(milliseconds: midnight)
            return
        }
        guard mark(10, "Tt "), let hour = number(11..<13), mark(13, ":"), let minute = number(14..<16),
            mark(16, ":"), let second = number(17..<19), hour < 24, minute < 60, second < 61
        else { return nil }
        var index = 19
        var fraction: Int64 = 0
        if mark(index, ".") {
            let digits = bytes[20...].prefix { $0 &- 48 < 10 }
            guard !digits.isEmpty else { return nil }
            for place in 0..<3 {
                fraction = fraction * 10 + (place < digits.count ? Int64(digits[digits.startIndex + place] &- 48) : 0)
            }
            index = digits.endIndex
        }
        var offset: Int64 = 0
        if mark(index, "Zz") {
            index += 1
        } else if mark(index, "+-"), let hours = number(index + 1..<index + 3), mark(index + 3, ":"),
            let minutes = number(index + 4..<index + 6), hours < 24, minutes < 60
        {
            offset = (hours * 60 + minutes) * (bytes[index] == UInt8(ascii: "-") ? -60_000 : 60_000)
            index += 6
        } else {
            return nil
        }
        guard index == bytes.count else { return nil }
        self.init(milliseconds: midnight + (hour * 3_600 + minute * 60 + second) * 1_000 + fraction - offset)
    }

    /// Returns the moment `duration` later.
    public func advanced(by duration: Duration) -> Timestamp {
        Timestamp(milliseconds: milliseconds + duration.milliseconds)
    }

    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.milliseconds < right.milliseconds }

    // Days of the proleptic Gregorian calendar in eras of 400 years, after Howard Hinnant's `days_from_civil`.
    static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func days(in month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    static func civil(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth + (shiftedMonth < 10 ? 3 : -9)
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}

extension Timestamp: CustomStringConvertible {
    public var description: String {
        let day = (milliseconds >= 0 ? milliseconds : milliseconds - 86_399_999) / 86_400_000
        let rest = milliseconds - day * 86_400_000
        let date = Self.civil(days: day)
        var bytes: [UInt8] = []
        func append(_ value: Int64, _ width: Int) {
            let digits = Array(String(value).utf8)
            bytes += repeatElement(48, count: max(0, width - digits.count)) + digits
        }
        append(date.year, 4)
        for (mark, value) in [("-", date.month), ("-", date.day), ("T", rest / 3_600_000)] {
            bytes += mark.utf8
            append(value, 2)
        }
        for value in [rest / 60_000 % 60, rest / 1_000 % 60] {
            bytes += ":".utf8
            append(value, 2)
        }
        if rest % 1_000 != 0 {
            bytes += ".".utf8
            append(rest % 1_000, 3)
        }
        bytes += "Z".utf8
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension Timestamp: Codable, JSONRepresentable {
    public var jsonValue: JSONValue { .string(description) }

    public init?(jsonValue json: JSONValue) {
        guard let moment = json.string.flatMap({ Timestamp($0) }) else { return nil }
        self = moment
    }

    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let moment = Timestamp(text) else {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(codingPath: decoder.codingPath, debugDescription: "'\(text)' is not a time"))
        }
        self = moment
    }

    public func encode(to encoder: any Encoder) throws { try description.encode(to: encoder) }
}

extension Duration {
    /// Whole milliseconds, rounded down.
    public var milliseconds: Int64 {
        components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
    }

    /// The seconds as text for messages: `2.5 s`, `60 s`.
    var secondsText: String {
        let number = Number(unchecked: Int128(milliseconds), -3).reduced
        return "\(number) s"
    }
}
