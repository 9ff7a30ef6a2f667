internal import Foundation

/// Days of the Umm al-Qura calendar.
enum Hijri {
    private static func calendar() -> Calendar {
        var calendar = Calendar(identifier: .islamicUmmAlQura)
        calendar.timeZone = TimeZone(secondsFromGMT: 0) ?? .current
        return calendar
    }

    /// Returns the day of that date; `nil` if there is none.
    static func day(year: Int, month: Int, day: Int) -> Day? {
        guard (1300...1600).contains(year), (1...12).contains(month), (1...30).contains(day) else { return nil }
        let calendar = calendar()
        guard let date = calendar.date(from: DateComponents(year: year, month: month, day: day)) else { return nil }
        let parts = calendar.dateComponents([.year, .month, .day], from: date)
        guard parts.year == year, parts.month == month, parts.day == day else { return nil }
        return Day(number: Int32((date.timeIntervalSince1970 / 86_400).rounded(.down)))
    }

    /// Returns the year of a day.
    static func year(of day: Day) -> Int {
        let date = Date(timeIntervalSince1970: Double(day.number) * 86_400)
        return calendar().dateComponents([.year], from: date).year ?? 1400
    }
}
