#if canImport(Glibc)
    internal import Glibc
#else
    internal import Foundation
#endif

/// A day of the calendar, held as the number of days since 1970-01-01.
public struct Day: Hashable, Comparable, Sendable {
    /// The number of days since 1970-01-01; negative before it.
    public var number: Int32

    /// Makes a value of its parts.
    public init(number: Int32) {
        self.number = number
    }

    /// Makes the day of a date in the Gregorian calendar; `nil` if there is none between the years 1900 and 2199.
    public init?(year: Int, month: Int, day: Int) {
        guard (1900...2199).contains(year), (1...12).contains(month), day >= 1,
            day <= Day.length(ofMonth: month, in: year)
        else { return nil }
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        self.number = Int32(era * 146_097 + dayOfEra - 719_468)
    }

    /// Returns the number of days of a month from 1 to 12.
    static func length(ofMonth month: Int, in year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// The day's year, month (1 to 12) and day of the month.
    public var date: (year: Int, month: Int, day: Int) {
        let shifted = Int(number) + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * monthIndex + 2) / 5 + 1)
    }

    /// The day of the clock, in UTC.
    static var now: Day { Day(number: Int32(clamping: Int(time(nil)) / 86_400)) }

    /// Whether the day is a Monday to Friday.
    public var isWeekday: Bool {
        let weekday = ((Int(number) % 7) + 7 + 3) % 7  // 1970-01-01 was a Thursday; 0 is Monday
        return weekday < 5
    }

    /// Orders by size.
    public static func < (left: Day, right: Day) -> Bool { left.number < right.number }
    /// Returns the exact sum; of days, the day so many days later.
    public static func + (day: Day, days: Int) -> Day { Day(number: Int32(clamping: Int(day.number) + days)) }
    /// Returns the number of days from `right` to `left`.
    public static func - (left: Day, right: Day) -> Int { Int(left.number) - Int(right.number) }
}

extension Day: CustomStringConvertible {
    /// The day as `2025-03-01`.
    public var description: String {
        let (year, month, day) = date
        return "\(year)-\(month < 10 ? "0" : "")\(month)-\(day < 10 ? "0" : "")\(day)"
    }

    /// Reads `2025-03-01`; `nil` for anything else.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard bytes.count == 10, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-") else { return nil }
        let parsed = bytes.withUnsafeBufferPointer { Day(digits: Bytes($0), year: 0, 4, month: 5, day: 8) }
        guard let parsed else { return nil }
        self = parsed
    }

    /// Reads the digits at those places of `bytes`; a year of two digits is the one from 1970 to 2069.
    init?(digits bytes: Bytes, year: Int, _ yearDigits: Int, month: Int, day: Int) {
        guard let shortYear = bytes.number(at: year, digits: yearDigits),
            let month = bytes.number(at: month, digits: 2),
            let day = bytes.number(at: day, digits: 2)
        else { return nil }
        self.init(year: yearDigits == 2 ? Day.fullYear(shortYear) : shortYear, month: month, day: day)
    }

    static func fullYear(_ short: Int) -> Int { short < 70 ? 2000 + short : 1900 + short }
}

extension Day: Codable {
    /// Decodes what was encoded.
    ///
    /// - Throws: `DecodingError`.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let day = Day(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "'\(text.prefix(20))' is not a day written as 2025-03-01")
        }
        self = day
    }

    /// Encodes the value as the report shows it.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
