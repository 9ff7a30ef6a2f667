import AssayStatements
import Foundation

extension SeededNumbers {
    /// True once in so many times.
    mutating func isOnce(in count: Int) -> Bool { Int.random(in: 0..<count, using: &self) == 0 }

    mutating func one<Value>(of values: [Value]) -> Value { values[Int.random(in: values.indices, using: &self)] }
}

/// How a bank writes lines, days and amounts in formats that are no tables.
struct WrittenText {
    var end: String
    var isComma = false
    /// The mark between thousands.
    var group = ""
    var hasPlus = false

    init(using numbers: inout SeededNumbers) {
        end = numbers.one(of: ["\n", "\r\n", "\n"])
    }

    func amount(_ cents: Int) -> String {
        let size = abs(cents)
        var units = String(size / 100)
        if units.count > 3 { units.insert(contentsOf: group, at: units.index(units.endIndex, offsetBy: -3)) }
        return (cents < 0 ? "-" : hasPlus ? "+" : "") + units + (isComma ? "," : ".") + WrittenText.two(size % 100)
    }

    /// The text in Windows-1252, which is Latin-1 for all letters that are used here.
    static func latin(_ text: String) -> [UInt8] { text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) } }

    static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    /// The parts of a day: the year, and month and day of two digits.
    static func parts(_ day: Day) -> (year: String, month: String, day: String) {
        let date = day.date
        return ("\(date.year)", two(date.month), two(date.day))
    }

    static func compact(_ day: Day) -> String {
        let parts = parts(day)
        return parts.year + parts.month + parts.day
    }

    static func iso(_ day: Day) -> String {
        let parts = parts(day)
        return "\(parts.year)-\(parts.month)-\(parts.day)"
    }
}

/// A file that was written from a model.
struct WrittenFile {
    var bytes: [UInt8]
    /// How many entries in it are not booked.
    var pending = 0
    /// Whether every entry has the text of its movement.
    var hasTexts = true
    /// Whether its days have no year.
    var mayBeUndated = false
    /// The reader with what a person would say where the file leaves it open.
    var told = StatementReader()
}
