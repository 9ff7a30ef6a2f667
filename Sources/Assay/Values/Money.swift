import Foundation

/// An exact amount of the store's currency, in billionths; never negative except where sums need it.
///
/// A single amount is at most 1,000,000, a sum at most 9,000,000,000. Nothing is rounded on the way. Only the noise
/// that binary arithmetic adds far behind an amount's own digits, as in 0.30000000000000004, is dropped when the amount
/// is read.
public struct Money: Hashable, Sendable, Comparable {
    /// The amount in billionths of the currency's unit.
    public let billionths: Int64

    static let unit: Int64 = 1_000_000_000
    static let largestAmount = Money(billionths: 1_000_000 * unit)
    static let largestSum = Money(billionths: 9_000_000_000 * unit)

    /// Zero.
    public static let zero = Money(billionths: 0)

    /// Creates an amount of `billionths` billionths of a unit without checks, for sums and for values from a store.
    package init(billionths: Int64) { self.billionths = billionths }

    /// Creates the amount that `number` states; binary noise after the ninth decimal is dropped.
    ///
    /// - Throws: ``ProcessingError`` with code `cost` for more than 9 decimals, a negative amount, or more than
    ///   1,000,000.
    public init(_ number: Number) throws(ProcessingError) {
        try self.init(number.withoutBinaryNoise, atMost: Self.largestAmount, "1,000,000")
    }

    /// Creates the sum that `number` states, such as the limit of a budget.
    ///
    /// - Throws: as ``init(_:)-(Number)``, but with a limit of 9,000,000,000.
    public init(sum number: Number) throws(ProcessingError) {
        try self.init(number.withoutBinaryNoise, atMost: Self.largestSum, "9,000,000,000")
    }

    private init(_ number: Number, atMost most: Money, _ limit: String) throws(ProcessingError) {
        let reduced = number.reduced
        guard reduced.coefficient >= 0 else { throw Self.refused(number, "must not be negative") }
        guard reduced.exponent >= -9 else { throw Self.refused(number, "must be a number of at most 9 decimals") }
        guard let scaled = reduced.coefficient.scaled(byPowerOfTen: reduced.exponent + 9),
            scaled <= Int128(most.billionths)
        else { throw Self.refused(number, "must be at most \(limit)") }
        billionths = Int64(scaled)
    }

    /// Creates the amount that `text` states, such as `0.10`.
    ///
    /// - Throws: ``ProcessingError`` with code `cost` for text that is not a number, and as ``init(_:)-(Number)``.
    public init(_ text: String) throws(ProcessingError) { try self.init(Self.number(text)) }

    /// Creates the sum that `text` states.
    ///
    /// - Throws: as ``init(_:)-(String)``, but with a limit of 9,000,000,000.
    public init(sum text: String) throws(ProcessingError) { try self.init(sum: Self.number(text)) }

    private static func number(_ text: String) throws(ProcessingError) -> Number {
        guard let number = Number(text) else {
            throw ProcessingError(.cost, "an amount must be a number such as 0.10, found '\(text)'")
        }
        return number
    }

    private static func refused(_ number: Number, _ rule: String) -> ProcessingError {
        ProcessingError(.cost, "an amount \(rule), found \(number)")
    }

    /// Returns the sum of both amounts.
    ///
    /// - Throws: ``ProcessingError`` with code `cost` beyond 9,000,000,000.
    public func adding(_ other: Money) throws(ProcessingError) -> Money {
        let (sum, overflow) = billionths.addingReportingOverflow(other.billionths)
        guard !overflow, sum <= Self.largestSum.billionths else {
            throw ProcessingError(.cost, "a sum of costs is above 9,000,000,000")
        }
        return Money(billionths: sum)
    }

    /// Returns the amount times an exact quantity.
    ///
    /// - Throws: ``ProcessingError`` with code `cost` when the product needs more than 9 decimals or is too large.
    public func times(_ quantity: Number) throws(ProcessingError) -> Money {
        let quantity = quantity.reduced
        let (product, overflow) = Int128(billionths).multipliedReportingOverflow(by: quantity.coefficient)
        guard !overflow, let number = Number(coefficient: product, exponent: quantity.exponent - 9) else {
            throw ProcessingError(.cost, "\(self) × \(quantity) is too large")
        }
        return try Money(number, atMost: Self.largestAmount, "1,000,000")
    }

    /// Returns the amount divided by `count`, rounded half to even to 6 decimals; `nil` when `count` is 0.
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
    /// The amount with trailing zeros dropped, but with at least two decimals: `5.00`, `0.10`, `0.0375`.
    public var description: String { number.description }

    /// The amount as a number with at least two decimals.
    public var number: Number { Number(ofBillionths: Int128(billionths)) }
}

extension Number {
    /// The nearest number of nine decimals if it is not zero and differs by at most 10⁻¹², or one part in 10¹⁵;
    /// otherwise this number.
    ///
    /// Programs compute amounts in binary floating point, whose error is of that size; an amount that was meant to have
    /// more than nine decimals differs by more.
    fileprivate var withoutBinaryNoise: Number {
        let reduced = reduced
        let shift = -9 - reduced.exponent
        // A number with more decimals than this is smaller than a tenth of a billionth.
        guard reduced.coefficient > 0, shift > 0, let unit = Int128(1).scaled(byPowerOfTen: shift) else { return self }
        let (floor, rest) = reduced.coefficient.quotientAndRemainder(dividingBy: unit)
        let isAbove = rest > unit - rest
        let (nearest, distance) = isAbove ? (floor + 1, unit - rest) : (floor, rest)
        guard nearest > 0 else { return self }
        let isNear =
            Self.isAtMost(distance, timesTen: reduced.exponent + 12, 1)
            || Self.isAtMost(distance, timesTen: reduced.exponent + 24, nearest)
        return isNear ? Number(unchecked: nearest, -9) : self
    }

    /// Returns whether `amount` × 10^`power` is at most `bound`; both are positive.
    private static func isAtMost(_ amount: Int128, timesTen power: Int, _ bound: Int128) -> Bool {
        if power >= 0 { return amount.scaled(byPowerOfTen: power).map { $0 <= bound } ?? false }
        return bound.scaled(byPowerOfTen: -power).map { amount <= $0 } ?? true
    }
}

extension Money: Codable, JSONRepresentable {
    public var jsonValue: JSONValue { .number(number) }

    public init?(jsonValue json: JSONValue) {
        guard let number = json.number, let amount = try? Money(number) else { return nil }
        self = amount
    }

    /// Creates the sum that ``jsonValue`` wrote; `nil` for anything else.
    package init?(sum json: JSONValue?) {
        guard let number = json?.number, let amount = try? Money(sum: number) else { return nil }
        self = amount
    }

    public init(from decoder: any Decoder) throws { try self.init(Number(from: decoder)) }

    public func encode(to encoder: any Encoder) throws { try number.encode(to: encoder) }
}
