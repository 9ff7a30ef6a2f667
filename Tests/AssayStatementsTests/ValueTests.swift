import AssayStatements
import Foundation
import Testing

@Suite("Amounts") struct AmountTests {
    @Test(
        "show at least two decimals and no further zeros",
        arguments: [
            ("5", "5.00"), ("0.1", "0.10"), ("0.0375", "0.0375"), ("0", "0.00"), ("-12.5", "-12.50"),
            ("-0.005", "-0.005"),
        ])
    func description(text: String, shown: String) { #expect(Amount(text)?.description == shown) }

    @Test(
        "refuse what is no exact amount",
        arguments: [
            "", "-", ".", "1.2.3", "12..34", "NaN", "1e5", "$5", "1,000", "0.0000000001", "10000000000000001", "٣",
        ])
    func refusals(text: String) { #expect(Amount(text) == nil) }

    @Test(
        "divide rounding half to even",
        arguments: [
            ("0.05", 2, "0.02"), ("0.15", 2, "0.08"), ("-0.05", 2, "-0.02"), ("10", 3, "3.33"),
            ("9555.08", 10, "955.51"),
        ])
    func division(text: String, count: Int, result: String) {
        #expect(Amount(text)?.divided(by: count)?.description == result)
    }

    @Test(
        "survive JSON exactly",
        arguments: ["0.1", "1.005", "999999999999999.999999999", "-0.000000001", "3.133", "100"])
    func roundTrip(text: String) throws {
        let amount = try #require(Amount(text))
        let data = try JSONEncoder().encode([amount])
        #expect(try JSONDecoder().decode([Amount].self, from: data) == [amount])
        #expect(String(decoding: data, as: UTF8.self) == "[\(text)]")
    }
}

@Suite("Days") struct DayTests {
    @Test(
        "are those of the calendar",
        arguments: ["1970-01-01", "2000-02-29", "2024-12-31", "1900-01-01", "2199-12-31", "2025-03-01"])
    func roundTrip(text: String) { #expect(Day(text)?.description == text) }

    @Test(
        "do not exist otherwise",
        arguments: [
            "2025-02-29", "1900-02-29", "2025-13-01", "2025-00-10", "2025-1-1", "2025-04-31", "1899-12-31", "",
            "2025/01/01",
        ])
    func refusals(text: String) { #expect(Day(text) == nil) }

    @Test("follow each other without a break from 1900 to 2199")
    func sequence() throws {
        var day = try #require(Day("1900-01-01"))
        var expected = (1900, 1, 1)
        while day.description != "2199-12-31" {
            day = day + 1
            expected.2 += 1
            if Day(year: expected.0, month: expected.1, day: expected.2) == nil {
                expected = (expected.0, expected.1 + 1, 1)
            }
            if expected.1 == 13 { expected = (expected.0 + 1, 1, 1) }
            guard day.date == expected else { break }
        }
        #expect(day.description == "2199-12-31")
    }
}
