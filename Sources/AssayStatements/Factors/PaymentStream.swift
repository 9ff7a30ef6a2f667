/// Payments, or deposits, of one text that come back at a regular pace.
struct PaymentStream {
    var text: Int
    var entryClass: EntryClass
    var cadence: RecurringStream.Cadence
    var isFixed: Bool
    /// The places of the occurrences in the ledger, by day.
    var lines: [Int]
    var isCredit: Bool

    /// A fixed amount every business day, or every week, is how advances are paid back.
    var looksLikeAdvance: Bool {
        guard entryClass == .payment, isFixed, !isCredit else { return false }
        return cadence == .daily && lines.count >= 10 || cadence == .weekly && lines.count >= 4
    }

    /// Finds the streams among a ledger's lines.
    static func find(in lines: [Ledger.Line], texts: [String], until end: Day) -> [PaymentStream] {
        guard lines.count > 1 else { return [] }
        var groups = [[Int]](repeating: [], count: texts.count * 2)
        for (index, line) in lines.enumerated() where !line.isReturned && line.amount != .zero {
            groups[line.text * 2 + (line.amount > .zero ? 1 : 0)].append(index)
        }
        var streams: [PaymentStream] = []
        for group in groups where group.count >= 2 {
            if let stream = stream(group, lines) {
                streams.append(stream)
            } else if group.count >= 4 {
                for part in split(group, lines) {
                    if let stream = stream(part, lines) { streams.append(stream) }
                }
            }
        }
        return streams
    }

    /// Returns the occurrences of a group in two, at the widest step between their amounts.
    private static func split(_ group: [Int], _ lines: [Ledger.Line]) -> [[Int]] {
        let sizes = group.map { lines[$0].amount.magnitude }.sorted()
        var widest = Amount.zero
        var limit = Amount.zero
        for (small, large) in zip(sizes, sizes.dropFirst()) where large - small > widest {
            widest = large - small
            limit = small
        }
        let small = group.filter { lines[$0].amount.magnitude <= limit }
        return [small, group.filter { lines[$0].amount.magnitude > limit }]
    }

    private static func stream(_ group: [Int], _ lines: [Ledger.Line]) -> PaymentStream? {
        guard group.count >= 2, let cadence = cadence(group.map { lines[$0].day }) else { return nil }
        let sizes = group.map { lines[$0].amount.magnitude }.sorted()
        let median = sizes[sizes.count / 2]
        let half = Amount(billionths: Amount.one / 2)
        func within(_ percent: Int128, orAtMost least: Amount) -> Bool {
            let bound = max(Amount(billionths: median.billionths * percent / 100), least)
            return sizes[sizes.count - 1] - median <= bound && median - sizes[0] <= bound
        }
        let isFixed = within(2, orAtMost: half)
        guard isFixed || within(30, orAtMost: .zero) else { return nil }
        let first = lines[group[0]]
        return PaymentStream(
            text: first.text, entryClass: first.entryClass, cadence: cadence, isFixed: isFixed, lines: group,
            isCredit: first.amount > .zero)
    }

    /// Returns the pace of days in order: the median gap fits it, and so do two thirds of the gaps.
    private static func cadence(_ days: [Day]) -> RecurringStream.Cadence? {
        let gaps = zip(days.dropFirst(), days).map { $0 - $1 }
        guard !gaps.isEmpty else { return nil }
        let median = gaps.sorted()[gaps.count / 2]
        for cadence in RecurringStream.Cadence.allCases {
            guard days.count >= (cadence == .yearly ? 2 : 3), cadence.gaps.contains(median) else { continue }
            if cadence == .daily, median != 1 { continue }
            if cadence == .semiMonthly, median == 14 || !onTwoFixedDays(days) { continue }
            if gaps.count(where: { cadence.gaps.contains($0) }) * 3 >= gaps.count * 2 { return cadence }
        }
        return nil
    }

    /// Returns whether the days fall near the same two days of the month.
    private static func onTwoFixedDays(_ days: [Day]) -> Bool {
        let dates = days.map(\.date.day).sorted()
        guard dates.count >= 3 else { return false }
        var widest = 0
        var cut = 0
        for index in 1..<dates.count where dates[index] - dates[index - 1] > widest {
            widest = dates[index] - dates[index - 1]
            cut = index
        }
        guard cut > 0 else { return false }
        return dates[cut - 1] - dates[0] <= 3 && dates[dates.count - 1] - dates[cut] <= 3
    }
}

/// Payments or deposits that come back, as a report lists them.
public struct RecurringStream: Codable, Hashable, Sendable {
    /// The interval between payments.
    public enum Cadence: String, Codable, CaseIterable, Sendable {
        case daily, weekly
        case semiMonthly = "semi_monthly"
        case biweekly, monthly, quarterly, yearly

        /// The days between two occurrences.
        var gaps: ClosedRange<Int> {
            switch self {
            case .daily: 1...4
            case .weekly: 5...9
            case .semiMonthly: 12...18
            case .biweekly: 11...17
            case .monthly: 25...35
            case .quarterly: 81...101
            case .yearly: 350...380
            }
        }

        /// The days from one occurrence to the next that is expected.
        var usualGap: Int {
            switch self {
            case .daily: 1
            case .weekly: 7
            case .biweekly: 14
            case .semiMonthly: 15
            case .monthly: 30
            case .quarterly: 91
            case .yearly: 365
            }
        }
    }

    /// The state of a stream.
    public enum Status: String, Codable, Sendable {
        /// At least three occurrences, the next not overdue.
        case mature
        /// Two occurrences.
        case early
        /// The next occurrence is overdue by more than the cadence's tolerance.
        case ended
    }

    /// The normalized text.
    public var text: String
    /// The meaning of the entry to an underwriter.
    public var entryClass: EntryClass
    /// `in` or `out`.
    public var direction: String
    /// How often it comes back.
    public var cadence: Cadence
    /// Whether all amounts are within 2 % or 0.50 of the median; otherwise they are within 30 %.
    public var fixed: Bool
    /// The number of occurrences.
    public var count: Int
    /// Positive, whatever the direction.
    public var total: Amount
    /// The median amount, positive.
    public var median: Amount
    /// The day of the first occurrence.
    public var first: Day
    /// The day of the last occurrence.
    public var last: Day
    /// The day the next is due.
    public var nextExpected: Day
    /// Whether the stream continues.
    public var status: Status

    private enum CodingKeys: String, CodingKey {
        case text, direction, cadence, fixed, count, total, median, first, last, status
        case entryClass = "class"
        case nextExpected = "next_expected"
    }

    init(_ stream: PaymentStream, in ledger: Ledger) {
        let occurrences = stream.lines.map { ledger.lines[$0] }
        let sizes = occurrences.map(\.amount.magnitude).sorted()
        text = ledger.texts[stream.text]
        entryClass = stream.entryClass
        direction = stream.isCredit ? "in" : "out"
        cadence = stream.cadence
        fixed = stream.isFixed
        count = occurrences.count
        total = sizes.reduce(.zero, +)
        median = sizes[sizes.count / 2]
        first = occurrences[0].day
        last = occurrences[occurrences.count - 1].day
        nextExpected = last + stream.cadence.usualGap
        let latest = last + stream.cadence.gaps.upperBound
        status = latest < (ledger.days.last ?? last) ? .ended : count >= 3 ? .mature : .early
    }
}
