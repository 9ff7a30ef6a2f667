import Foundation

/// An exact amount of the store's currency, held in billionths; never negative beyond what sums need.
///
/// A single amount is at most 1,000,000, a sum at most 9,000,000,000; nothing is ever rounded on the way.
public struct Money: Hashable, Sendable, Comparable {
    /// The amount in billionths of the currency's unit.
    public let billionths: Int64

    static let unit: Int64 = 1_000_000_000
    static let largestAmount = Money(billionths: 1_000_000 * unit)
    static let largestSum = Money(billionths: 9_000_000_000 * unit)

    /// Nothing.
    public static let zero = Money(billionths: 0)

    /// An amount of `billionths` billionths of a unit, unchecked: for sums and for what a store kept.
    package init(billionths: Int64) { self.billionths = billionths }

    /// The amount that `number` writes.
    ///
    /// - Throws: ``ProcessingError`` with code `cost` for more than 9 decimals, a negative amount, or more than
    ///   1,000,000.
    public init(_ number: Number) throws(ProcessingError) {
        let reduced = number.reduced
        guard reduced.coefficient >= 0 else { throw Self.refused(number, "must not be negative") }
        guard reduced.exponent >= -9 else { throw Self.refused(number, "must be a number of at most 9 decimals") }
        guard let scaled = reduced.coefficient.scaled(byPowerOfTen: reduced.exponent + 9),
            scaled <= Int128(Self.largestAmount.billionths)
        else { throw Self.refused(number, "must be at most 1,000,000") }
        billionths = Int64(scaled)
    }

    /// The amount that `text` writes, such as `0.10`.
    ///
    /// - Throws: ``ProcessingError`` with code `cost` for a text that is no number, and as ``init(_:)-(Number)``.
    public init(_ text: String) throws(ProcessingError) {
        guard let number = Number(text) else {
            throw ProcessingError(.cost, "an amount must be a number such as 0.10, found '\(text)'")
        }
        try self.init(number)
    }

    private static func refused(_ number: Number, _ rule: String) -> ProcessingError {
        ProcessingError(.cost, "an amount \(rule), found \(number)")
    }

    /// The sum of both.
    ///
    /// - Throws: ``ProcessingError`` with code `cost` beyond 9,000,000,000.
    public func adding(_ other: Money) throws(ProcessingError) -> Money {
        let (sum, overflow) = billionths.addingReportingOverflow(other.billionths)
        guard !overflow, sum <= Self.largestSum.billionths else {
            throw ProcessingError(.cost, "a sum of costs is above 9,000,000,000")
        }
        return Money(billionths: sum)
    }

    /// The amount times an exact quantity.
    ///
    /// - Throws: ``ProcessingError`` with code `cost` when the product needs more than 9 decimals or is too large.
    public func times(_ quantity: Number) throws(ProcessingError) -> Money {
        let quantity = quantity.reduced
        let (product, overflow) = Int128(billionths).multipliedReportingOverflow(by: quantity.coefficient)
        guard !overflow, let number = Number(coefficient: product, exponent: quantity.exponent - 9) else {
            throw ProcessingError(.cost, "\(self) × \(quantity) is too large")
        }
        return try Money(number)
    }

    /// The amount divided by `count`, rounded half to even to 6 decimals; `nil` when `count` is 0.
    public func divided(by count: Int) -> Money? {
        guard count > 0 else { return nil }
        let step = Int128(1_000) * Int128(count)
        let (quotient, remainder) = Int128(billionths).quotientAndRemainder(dividingBy: step)
        let up = remainder * 2 > step || (remainder * 2 == step && quotient % 2 == 1)
        return Money(billionths: Int64((quotient + (up ? 1 : 0)) * 1_000))
    }

    public static func < (left: Money, right: Money) -> Bool { left.billionths < right.billionths }
}

extension Money: CustomStringConvertible {
    /// The amount with its digits, trailing zeros dropped down to two decimals: `5.00`, `0.10`, `0.0375`.
    public var description: String { number.description }

    /// The amount as a number with at least two decimals.
    public var number: Number {
        var (coefficient, exponent) = (Int128(billionths), -9)
        while exponent < -2, coefficient % 10 == 0 {
            coefficient /= 10
            exponent += 1
        }
        return Number(unchecked: coefficient, exponent)
    }
}

extension Money: Codable, JSONRepresentable {
    public var jsonValue: JSONValue { .number(number) }

    public init?(jsonValue json: JSONValue) {
        guard let number = json.number, let amount = try? Money(number) else { return nil }
        self = amount
    }

    public init(from decoder: any Decoder) throws { try self.init(Number(from: decoder)) }

    public func encode(to encoder: any Encoder) throws { try number.encode(to: encoder) }
}
