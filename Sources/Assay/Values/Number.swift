/// An exact decimal number as in JSON: up to 38 significant digits, never a binary fraction.
///
/// The digits are kept as written (`1.0` stays `1.0`), while equality, order and hash use the value (`1.0`, `1e0` and
/// `1` are equal).
public struct Number: Sendable {
    /// The significant digits as a signed whole number.
    public let coefficient: Int128
    /// The power of ten that the coefficient is multiplied by.
    public let exponent: Int

    static let maximumDigits = 38
    static let exponents = -6_144...6_144

    /// Creates a number from its digits and its power of ten; `nil` beyond 38 digits or for a power outside ±6144.
    public init?(coefficient: Int128, exponent: Int) {
        guard coefficient.magnitude < Self.digitLimit, Self.exponents.contains(exponent) else { return nil }
        self.init(unchecked: coefficient, exponent)
    }

    /// Creates a whole number.
    public init(_ value: some BinaryInteger & FixedWidthInteger) {
        self.init(unchecked: Int128(truncatingIfNeeded: value), 0)
        precondition(Int128(exactly: value) != nil, "whole numbers are at most 127 bits wide")
    }

    /// Creates the number that `text` writes in JSON's grammar; `nil` if it is not one or is too long.
    public init?(_ text: String) {
        var text = text
        guard let parsed = text.withUTF8({ Self.parse($0[...]) }) else { return nil }
        self = parsed
    }

    init(unchecked coefficient: Int128, _ exponent: Int) {
        self.coefficient = coefficient
        self.exponent = exponent
    }

    static let digitLimit: UInt128 = (0..<maximumDigits).reduce(1) { limit, _ in limit * 10 }

    /// Reads a whole slice as one JSON number.
    static func parse(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Number? {
        var index = bytes.startIndex
        var magnitude: UInt128 = 0
        var exponent = 0
        func digit() -> UInt8? {
            guard index < bytes.endIndex, bytes[index] &- 48 < 10 else { return nil }
            return bytes[index] &- 48
        }
        func append(_ digit: UInt8) -> Bool {
            // One digit too many could exceed 128 bits, so the room is checked first.
            guard magnitude < digitLimit / 10 else { return false }
            magnitude = magnitude * 10 + UInt128(digit)
            return true
        }
        let negative = index < bytes.endIndex && bytes[index] == UInt8(ascii: "-")
        if negative { index += 1 }
        guard let first = digit() else { return nil }
        _ = append(first)
        index += 1
        while first != 0, let next = digit() {
            guard append(next) else { return nil }
            index += 1
        }
        if index < bytes.endIndex, bytes[index] == UInt8(ascii: ".") {
            index += 1
            guard digit() != nil else { return nil }
            while let next = digit() {
                guard append(next) else { return nil }
                exponent -= 1
                index += 1
            }
        }
        if index < bytes.endIndex, bytes[index] | 0x20 == UInt8(ascii: "e") {
            index += 1
            var sign = 1
            if index < bytes.endIndex, bytes[index] == UInt8(ascii: "-") || bytes[index] == UInt8(ascii: "+") {
                sign = bytes[index] == UInt8(ascii: "-") ? -1 : 1
                index += 1
            }
            guard digit() != nil else { return nil }
            var written = 0
            while let next = digit() {
                written = min(written * 10 + Int(next), 100_000)
                index += 1
            }
            exponent += sign * written
        }
        guard index == bytes.endIndex, exponents.contains(exponent) else { return nil }
        let coefficient = Int128(magnitude)
        return Number(unchecked: negative ? -coefficient : coefficient, exponent)
    }

    /// The same value in its shortest form, without trailing zeros in the coefficient.
    public var reduced: Number {
        guard coefficient != 0 else { return Number(unchecked: 0, 0) }
        var (coefficient, exponent) = (coefficient, exponent)
        while coefficient % 10 == 0 {
            coefficient /= 10
            exponent += 1
        }
        return Number(unchecked: coefficient, exponent)
    }

    /// The value as an integer, if it is whole and fits.
    public var integer: Int? {
        let reduced = reduced
        guard reduced.exponent >= 0 else { return nil }
        guard let scaled = reduced.coefficient.scaled(byPowerOfTen: reduced.exponent) else { return nil }
        return Int(exactly: scaled)
    }
}

extension Number: Hashable, Comparable {
    public static func == (left: Number, right: Number) -> Bool {
        if left.exponent == right.exponent { return left.coefficient == right.coefficient }
        let (left, right) = (left.reduced, right.reduced)
        return left.coefficient == right.coefficient && left.exponent == right.exponent
    }

    public func hash(into hasher: inout Hasher) {
        let reduced = reduced
        hasher.combine(reduced.coefficient)
        hasher.combine(reduced.exponent)
    }

    public static func < (left: Number, right: Number) -> Bool {
        if left.coefficient.signum() != right.coefficient.signum() { return left.coefficient < right.coefficient }
        if left.exponent == right.exponent { return left.coefficient < right.coefficient }
        // Different powers of ten: the number with more digits before the point has the larger magnitude.
        let (a, b) = (left.reduced, right.reduced)
        let (sizeA, sizeB) = (a.digitCount + a.exponent, b.digitCount + b.exponent)
        if sizeA != sizeB { return (sizeA < sizeB) == (a.coefficient > 0) }
        // Same magnitude and at most 38 digits each, so both fit 128 bits at the smaller power.
        let power = min(a.exponent, b.exponent)
        guard let x = a.coefficient.scaled(byPowerOfTen: a.exponent - power),
            let y = b.coefficient.scaled(byPowerOfTen: b.exponent - power)
        else { return false }
        return x < y
    }

    /// Returns the sum, with as many decimals as the more precise of both; `nil` above 38 digits.
    public func adding(_ other: Number) -> Number? {
        func sum(_ a: Number, _ b: Number) -> Number? {
            let power = min(a.exponent, b.exponent)
            guard let x = a.coefficient.scaled(byPowerOfTen: a.exponent - power),
                let y = b.coefficient.scaled(byPowerOfTen: b.exponent - power)
            else { return nil }
            let (coefficient, overflow) = x.addingReportingOverflow(y)
            return overflow ? nil : Number(coefficient: coefficient, exponent: power)
        }
        return sum(self, other) ?? sum(reduced, other.reduced)
    }

    private var digitCount: Int {
        var (rest, count) = (coefficient.magnitude, 1)
        while rest >= 10 {
            rest /= 10
            count += 1
        }
        return count
    }
}

extension Number: CustomStringConvertible, ExpressibleByIntegerLiteral {
    public init(integerLiteral value: Int) { self.init(value) }

    /// The number in JSON's grammar, with its digits as written.
    public var description: String {
        var bytes: [UInt8] = []
        write(into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends the number as JSON; plain notation up to 38 digits, scientific beyond.
    func write(into bytes: inout [UInt8]) {
        if exponent == 0, let small = Int(exactly: coefficient) { return bytes.append(contentsOf: String(small).utf8) }
        let digits = Array(String(coefficient.magnitude).utf8)
        if coefficient < 0 { bytes.append(UInt8(ascii: "-")) }
        if exponent >= 0, digits.count + exponent <= Self.maximumDigits {
            bytes += digits
            if coefficient != 0 { bytes += repeatElement(UInt8(ascii: "0"), count: exponent) }
        } else if exponent < 0, -exponent <= Self.maximumDigits {
            let point = digits.count + exponent
            bytes += point > 0 ? digits[..<point] : [UInt8(ascii: "0")]
            bytes.append(UInt8(ascii: "."))
            bytes += repeatElement(UInt8(ascii: "0"), count: max(0, -point))
            bytes += digits[max(0, point)...]
        } else {
            bytes += digits
            bytes += "e\(exponent)".utf8
        }
    }
}

extension Int128 {
    /// Returns `self` × 10^`power`, or `nil` when that does not fit; `power` must not be negative.
    func scaled(byPowerOfTen power: Int) -> Int128? {
        guard self != 0 else { return 0 }
        guard power <= Number.maximumDigits else { return nil }
        var result = self
        for _ in 0..<power {
            let (product, overflow) = result.multipliedReportingOverflow(by: 10)
            guard !overflow else { return nil }
            result = product
        }
        return result
    }
}
