/// The trend of a monthly figure over full calendar months.
public struct Trend: Hashable, Sendable {
    /// The ways a figure goes.
    public enum Class: String, Codable, Sendable {
        /// Fewer than three full months.
        case insufficient
        case volatile, growing, declining, flat
    }

    /// Where the figure goes.
    public var trendClass: Class
    /// The full months, as `2025-03`.
    public var months: [String]
    /// The figure of each of the months.
    public var values: [Amount]
    /// Each month's change over the one before, as a share to four places; `nil` after a zero or a missing month.
    public var monthOverMonth: [Amount?]
    /// The mean of the changes that are known.
    public var monthOverMonthMean: Amount?
    /// The change a month of the line through the values, to two places.
    public var slope: Amount?
    /// The population standard deviation over the mean, to four places.
    public var variation: Amount?

    /// Makes the trend of `values`, one for each of `months`, which are counted from the year 0.
    init(months: [Int], values: [Amount]) {
        self.months = months.map { "\($0 / 12)-\($0 % 12 < 9 ? "0" : "")\($0 % 12 + 1)" }
        self.values = values
        monthOverMonth = []
        for index in values.indices.dropFirst() {
            let isNext = months[index] == months[index - 1] + 1
            monthOverMonth.append(isNext ? (values[index] - values[index - 1]).ratio(to: values[index - 1]) : nil)
        }
        let changes = monthOverMonth.compactMap { $0 }
        monthOverMonthMean = changes.reduce(Amount.zero, +).divided(by: changes.count, places: 4)
        slope = Trend.slope(months, values)
        variation = Trend.variation(values)
        trendClass = .insufficient
        if values.count >= 3 { trendClass = classified }
    }

    private var classified: Class {
        let spread = (values.max() ?? .zero) - (values.min() ?? .zero)
        let rise = Amount(billionths: (slope?.magnitude ?? .zero).billionths * Int128(values.count - 1) * 2)
        let mean = monthOverMonthMean ?? .zero
        let fivePercent = Amount(billionths: Amount.one / 20)
        if let variation, variation > Amount(billionths: Amount.one * 3 / 10), rise < spread { return .volatile }
        if mean >= fivePercent { return .growing }
        return mean <= -fivePercent ? .declining : .flat
    }

    static func slope(_ months: [Int], _ values: [Amount]) -> Amount? {
        guard values.count > 1, let start = months.first else { return nil }
        let count = Int128(values.count)
        var (sumX, sumXX, sumY, sumXY): (Int128, Int128, Int128, Int128) = (0, 0, 0, 0)
        for (month, value) in zip(months, values) {
            let x = Int128(month - start)
            sumX += x
            sumXX += x * x
            sumY += value.billionths
            sumXY += x * value.billionths
        }
        let step = Amount.power(7)
        let denominator = (count * sumXX - sumX * sumX) * step
        guard denominator != 0 else { return nil }
        return Amount(billionths: Amount.halfEven(count * sumXY - sumX * sumY, denominator) * step)
    }

    /// Returns a share, not money: the only figure that goes through binary floating point.
    private static func variation(_ values: [Amount]) -> Amount? {
        guard values.count > 1 else { return nil }
        let units = values.map { Double($0.billionths) / 1e9 }
        let mean = units.reduce(0, +) / Double(units.count)
        guard mean != 0 else { return nil }
        let variance = units.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(units.count)
        let share = (variance.squareRoot() / mean * 10_000).rounded(.toNearestOrEven)
        return Int64(exactly: share).flatMap { Amount(minor: Int128($0), places: 4) }
    }
}

extension Trend: Codable {
    private enum CodingKeys: String, CodingKey {
        case months, values, slope
        case trendClass = "class"
        case monthOverMonth = "mom"
        case monthOverMonthMean = "mom_mean"
        case variation = "cv"
    }

    /// Encodes every key; what is not known as `null`.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(trendClass, forKey: .trendClass)
        try container.encode(months, forKey: .months)
        try container.encode(values, forKey: .values)
        try container.encode(monthOverMonth, forKey: .monthOverMonth)
        try container.encode(monthOverMonthMean, forKey: .monthOverMonthMean)
        try container.encode(slope, forKey: .slope)
        try container.encode(variation, forKey: .variation)
    }
}
