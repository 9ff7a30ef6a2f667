package import Assay

/// The allowed values of a number or duration, with their wording in findings.
package struct Bounds<Value: Comparable & Sendable>: Sendable {
    /// The rule for a value: `greater than 0`.
    package let rule: String
    /// Returns whether a value is allowed.
    package let contains: @Sendable (Value) -> Bool

    /// More than `low`.
    package static func above(_ low: Value) -> Self { Bounds(rule: "greater than \(low)") { $0 > low } }
    /// `low` or more.
    package static func atLeast(_ low: Value) -> Self { Bounds(rule: "at least \(low)") { $0 >= low } }
    /// From `low` to `high`, both included.
    package static func between(_ low: Value, and high: Value) -> Self {
        Bounds(rule: "between \(low) and \(high)") { $0 >= low && $0 <= high }
    }
}

extension Bounds<Duration> {
    /// More than zero.
    package static let positive = Bounds(rule: "greater than 0") { $0 > .zero }
    /// Zero or more.
    package static let notNegative = Bounds(rule: "at least 0") { $0 >= .zero }
}

extension ValueReader {
    /// Returns a number with the digits of the file.
    package func number(in bounds: Bounds<Number>? = nil) -> Number? {
        guard case .number(let number) = node.value else {
            expected("a number")
            return nil
        }
        return check(number, bounds)
    }

    /// Returns a whole number; `3.0` is one.
    package func integer(in bounds: Bounds<Int>? = nil) -> Int? {
        guard case .number(let number) = node.value else {
            expected("a whole number")
            return nil
        }
        guard let integer = number.integer else {
            outside(number.reduced.exponent < 0 ? "a whole number" : bounds?.rule ?? "a whole number of 64 bits")
            return nil
        }
        return check(integer, bounds)
    }

    /// Returns a number of at most `places` decimals.
    package func decimal(places: Int, in bounds: Bounds<Number>? = nil) -> Number? {
        let rule = "a number of at most \(places) decimals"
        guard case .number(let number) = node.value else {
            expected(rule)
            return nil
        }
        guard number.reduced.exponent >= -places else {
            outside(rule)
            return nil
        }
        return check(number, bounds)
    }

    /// Returns an amount of money: at most 9 decimals, from 0 to 1,000,000.
    package func amount() -> Money? {
        decimal(places: 9, in: Bounds(rule: "between 0 and 1,000,000") { $0 >= 0 && $0 <= 1_000_000 })
            .flatMap { try? Money($0) }
    }

    /// Returns a sum of money: at most 9 decimals, from 0 to 9,000,000,000.
    package func sum() -> Money? {
        decimal(places: 9, in: Bounds(rule: "between 0 and 9,000,000,000") { $0 >= 0 && $0 <= 9_000_000_000 })
            .flatMap { try? Money(sum: $0) }
    }

    private func check<Value>(_ value: Value, _ bounds: Bounds<Value>?) -> Value? {
        guard let bounds, !bounds.contains(value) else { return value }
        outside(bounds.rule)
        return nil
    }
}

// MARK: Durations

extension ValueReader {
    /// Returns a duration with its unit: `250ms`, `30s`, `10m`, `2h`, `7d`; at most 36500d.
    ///
    /// - Parameter plainSeconds: whether a number without a unit means seconds.
    package func duration(in bounds: Bounds<Duration> = .positive, plainSeconds: Bool = false) -> Duration? {
        switch node.value {
        case .number(let seconds) where plainSeconds: return duration(seconds, unit: 1_000, bounds)
        case .number: return withoutUnit()
        case .text(let written):
            let text = node.resolved?.revealed ?? written
            guard let lastDigit = text.lastIndex(where: { !$0.isLetter }),
                let number = DecimalText.number(String(text[...lastDigit]))
            else { break }
            let unit = text[lastDigit...].dropFirst()
            if unit.isEmpty { return withoutUnit() }
            guard let milliseconds = Self.milliseconds[String(unit)] else { break }
            return duration(number, unit: milliseconds, bounds)
        default: break
        }
        expected("a duration, for example 30s")
        return nil
    }

    /// Milliseconds in each unit.
    private static let milliseconds: [String: Int128] = [
        "ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000,
    ]

    private func withoutUnit() -> Duration? {
        report("\(name) needs a unit, for example 30s")
        return nil
    }

    private func duration(_ number: Number, unit: Int128, _ bounds: Bounds<Duration>) -> Duration? {
        guard let duration = Duration(number, unit: unit) else {
            outside(number < 0 ? bounds.rule : "at most 36500d")
            return nil
        }
        return check(duration, bounds)
    }
}

extension Duration {
    /// Creates the duration of `number` units of `unit` milliseconds, truncated to attoseconds; `nil` beyond 36500
    /// days.
    fileprivate init?(_ number: Number, unit: Int128) {
        let longest = Duration.seconds(36_500 * 86_400).attoseconds
        let number = number.reduced
        var (attoseconds, overflow) = number.coefficient.multipliedReportingOverflow(by: unit)
        guard !overflow else { return nil }
        // From milliseconds to attoseconds. Zeros beyond 38 change nothing.
        let power = number.exponent + 15
        for _ in 0..<min(abs(power), 38) {
            guard power < 0 || attoseconds.magnitude <= longest else { return nil }
            attoseconds = power < 0 ? attoseconds / 10 : attoseconds * 10
        }
        guard attoseconds.magnitude <= longest else { return nil }
        self.init(attoseconds: attoseconds)
    }
}
