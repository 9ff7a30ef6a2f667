internal import Foundation

/// An exact amount of money, held in billionths of the currency's unit.
///
/// An amount that was read or decoded is at most 10^15 units in size, so sums over any statement stay exact and far
/// from overflow. No operation goes through binary floating point.
public struct Amount: Hashable, Comparable, Sendable {
    /// The amount in billionths of a unit.
    public var billionths: Int128

    /// The number of billionths in one unit.
    static let one: Int128 = 1_000_000_000
    /// The largest size, in units, of an amount that is read from outside.
    static let largestUnits: Int128 = 1_000_000_000_000_000
    /// The largest amount that is read from outside.
    static let largest = Amount(billionths: largestUnits * one)

    /// No money.
    public static let zero = Amount(billionths: 0)

    /// Makes a value of its parts.
    public init(billionths: Int128) {
        self.billionths = billionths
    }

    /// Makes an amount from a count of minor units, such as cents with `places` 2; `nil` if it is out of range.
    init?(minor: Int128, places: Int) {
        guard (0...9).contains(places) else { return nil }
        let (value, overflow) = minor.multipliedReportingOverflow(by: Amount.power(9 - places))
        guard !overflow, value.magnitude <= Amount.largest.billionths.magnitude else { return nil }
        self.init(billionths: value)
    }

    /// Orders by size.
    public static func < (left: Amount, right: Amount) -> Bool { left.billionths < right.billionths }
    /// Returns the exact sum; of days, the day so many days later.
    public static func + (left: Amount, right: Amount) -> Amount {
        Amount(billionths: left.billionths + right.billionths)
    }
    /// Returns the exact difference.
    public static func - (left: Amount, right: Amount) -> Amount {
        Amount(billionths: left.billionths - right.billionths)
    }
    /// Adds exactly.
    public static func += (left: inout Amount, right: Amount) { left.billionths += right.billionths }
    /// Returns the exact difference.
    public static prefix func - (amount: Amount) -> Amount { Amount(billionths: -amount.billionths) }

    /// The amount without its sign.
    public var magnitude: Amount { billionths < 0 ? -self : self }

    /// Returns the amount divided by `count`, rounded half to even to `places` decimals; `nil` for a count of zero.
    public func divided(by count: Int, places: Int = 2) -> Amount? {
        guard count != 0 else { return nil }
        let step = Amount.power(9 - min(max(places, 0), 9))
        return Amount(billionths: Amount.halfEven(billionths, Int128(count) * step) * step)
    }

    /// Returns the ratio of two amounts, rounded half to even to `places` decimals; `nil` when `other` is zero.
    public func ratio(to other: Amount, places: Int = 4) -> Amount? {
        guard other.billionths != 0 else { return nil }
        let scale = Amount.power(min(max(places, 0), 9))
        let (scaled, overflow) = billionths.multipliedReportingOverflow(by: scale)
        guard !overflow else { return nil }
        let steps = Amount.halfEven(scaled, other.billionths)
        return Amount(billionths: steps * (Amount.one / scale))
    }

    /// Returns the amount rounded half to even to `places` decimals.
    public func rounded(places: Int) -> Amount {
        let step = Amount.power(9 - min(max(places, 0), 9))
        return Amount(billionths: Amount.halfEven(billionths, step) * step)
    }

    /// The fewest decimals, at most nine, that show the amount exactly.
    var places: Int {
        var places = 9
        var rest = billionths
        while places > 0, rest % 10 == 0 {
            rest /= 10
            places -= 1
        }
        return places
    }

    static func power(_ exponent: Int) -> Int128 {
        var result: Int128 = 1
        for _ in 0..<max(0, exponent) { result *= 10 }
        return result
    }

    /// Returns `numerator / denominator`, rounded half to even to a whole number.
    static func halfEven(_ numerator: Int128, _ denominator: Int128) -> Int128 {
        let (quotient, remainder) = numerator.quotientAndRemainder(dividingBy: denominator)
        let twice = remainder.magnitude * 2
        let whole = denominator.magnitude
        guard twice > whole || (twice == whole && quotient % 2 != 0) else { return quotient }
        return quotient + ((numerator < 0) == (denominator < 0) ? 1 : -1)
    }
}

extension Amount: CustomStringConvertible {
    /// The digits with at least two decimals and no further trailing zeros: `5.00`, `0.0375`.
    public var description: String {
        let size = billionths.magnitude
        let unit = Amount.one.magnitude
        var fraction = String(size % unit)
        fraction = String(repeating: "0", count: 9 - fraction.count) + fraction
        while fraction.utf8.count > 2, fraction.last == "0" { fraction.removeLast() }
        return "\(billionths < 0 ? "-" : "")\(size / unit).\(fraction)"
    }
}
