/// A sum of amounts that is exact at any size; adding to it never fails and has no limit.
///
/// A sum above 9,000,000,000 cannot become ``Money``, which bills and outcomes hold.
public struct MoneySum: Hashable, Sendable, Comparable {
    /// The sum in billionths of the currency's unit; negative while more was taken from it than it held.
    public private(set) var billionths: Int128

    /// Creates a sum of `billionths` billionths.
    package init(billionths: Int128) { self.billionths = billionths }

    /// Creates a sum of one amount.
    public init(_ amount: Money = .zero) { billionths = Int128(amount.billionths) }

    /// Zero.
    public static let zero = MoneySum()

    /// Returns the sum as an amount.
    ///
    /// - Throws: ``ProcessingError`` with code `cost` above 9,000,000,000, or below zero.
    public func money() throws(ProcessingError) -> Money {
        guard billionths >= 0, billionths <= Int128(Money.largestSum.billionths) else {
            throw ProcessingError(
                .cost, "a sum of costs is \(billionths < 0 ? "below zero" : "above 9,000,000,000"): \(self)")
        }
        return Money(billionths: Int64(billionths))
    }

    public static func + (left: MoneySum, right: MoneySum) -> MoneySum {
        MoneySum(billionths: left.billionths + right.billionths)
    }

    public static func + (left: MoneySum, right: Money) -> MoneySum { left + MoneySum(right) }

    public static func - (left: MoneySum, right: MoneySum) -> MoneySum {
        MoneySum(billionths: left.billionths - right.billionths)
    }

    public static func += (sum: inout MoneySum, amount: Money) { sum.billionths += Int128(amount.billionths) }

    public static func += (sum: inout MoneySum, other: MoneySum) { sum.billionths += other.billionths }

    public static func -= (sum: inout MoneySum, amount: Money) { sum.billionths -= Int128(amount.billionths) }

    public static func < (left: MoneySum, right: MoneySum) -> Bool { left.billionths < right.billionths }
}

extension MoneySum: CustomStringConvertible {
    /// The sum with its digits, formatted as ``Money`` is.
    public var description: String { number.description }

    /// The sum as a number with at least two decimals.
    public var number: Number { Number(ofBillionths: billionths) }

    /// The sum as a JSON number with its digits.
    public var jsonValue: JSONValue { .number(number) }

    /// Creates the sum that ``jsonValue`` wrote; `nil` for anything else.
    package init?(jsonValue json: JSONValue?) {
        guard let reduced = json?.number?.reduced, reduced.exponent >= -9,
            let billionths = reduced.coefficient.scaled(byPowerOfTen: reduced.exponent + 9)
        else { return nil }
        self.billionths = billionths
    }
}

extension Number {
    /// Creates a number of billionths with at least two decimals.
    init(ofBillionths billionths: Int128) {
        var (coefficient, exponent) = (billionths, -9)
        while exponent < -2, coefficient % 10 == 0 {
            coefficient /= 10
            exponent += 1
        }
        self.init(unchecked: coefficient, exponent)
    }
}
