extension AccountHistory {
    /// An advance, a loan or a lease that is paid back at a regular pace.
    public struct Position: Sendable {
        /// The payments.
        public var stream: RecurringStream
        /// How many payments a steady pace would have brought on covered days from the first to the last one, beside
        /// those that came.
        public var missed: Int
        /// The number of payments that were returned on the same day.
        public var returned: Int
        /// The borrowed money that came before the first payment; `nil` if these statements have none.
        public var opening: Opening?

        /// The day on which the next payment is due, which of a pace of business days is one; `nil` where the payments
        /// have ended.
        public var nextDue: Day? {
            guard stream.status != .ended else { return nil }
            var day = stream.nextExpected
            while stream.cadence == .daily, !day.isWeekday { day = day + 1 }
            return day
        }
    }

    /// The deposit that a position may have begun with.
    public struct Opening: Sendable {
        /// The deposit.
        public var entry: Entry
        /// Whether its text names the payee; otherwise only its day speaks for it.
        public var namesPayee: Bool
    }
}

extension AccountHistory.Position {
    /// The most days between borrowed money and the first payment.
    private static let longestWait = 45

    /// Returns the positions of a ledger whose lines are `entries`.
    static func positions(in ledger: Ledger, _ entries: [AccountHistory.Entry]) -> [AccountHistory.Position] {
        let streams = ledger.streams.filter { !$0.isCredit && [.mca, .loan].contains($0.entryClass) }
            .map { (found: $0, listed: RecurringStream($0, in: ledger)) }
            .sorted { left, right in
                if left.listed.entryClass != right.listed.entryClass { return left.listed.entryClass == .mca }
                return (right.listed.total, left.listed.text) < (left.listed.total, right.listed.text)
            }
        let covered = Set(ledger.days)
        var positions = streams.map { found, listed in
            AccountHistory.Position(
                stream: listed, missed: missed(found.lines.map { ledger.lines[$0].day }, listed.cadence, covered),
                returned: returned(found, listed.median, in: ledger))
        }
        attachOpenings(to: &positions, entries)
        return positions
    }

    /// Returns the payments that are missing between others. A step that the pace allows misses none: a pace of
    /// business days
    /// passes over holidays.
    private static func missed(_ days: [Day], _ cadence: RecurringStream.Cadence, _ covered: Set<Day>) -> Int {
        zip(days.dropFirst(), days).reduce(0) { sum, pair in
            let gap = pair.0 - pair.1
            guard gap > cadence.gaps.upperBound else { return sum }
            let steps = cadence == .daily ? gap : (gap + cadence.usualGap / 2) / cadence.usualGap
            guard steps > 1 else { return sum }
            let due = (1..<steps).map { pair.1 + $0 * gap / steps }
            return sum + due.count { covered.contains($0) && (cadence != .daily || $0.isWeekday) }
        }
    }

    private static func returned(_ stream: PaymentStream, _ median: Amount, in ledger: Ledger) -> Int {
        // Two payments of one payee are told apart by their amounts.
        let near = Amount(billionths: median.billionths * 3 / 10)
        return ledger.lines.count { line in
            line.isReturned && line.text == stream.text && line.amount < .zero
                && (line.amount.magnitude - median).magnitude <= near
        }
    }

    /// Gives each position the borrowed money of the days before it, first by name, then by its day alone. No deposit
    /// opens two positions.
    private static func attachOpenings(
        to positions: inout [AccountHistory.Position], _ entries: [AccountHistory.Entry]
    ) {
        let borrowed = entries.filter { $0.entryClass == .loanProceeds }
        guard !borrowed.isEmpty else { return }
        let words = borrowed.map { Set(names(in: NormalisedText.of($0.description))) }
        var taken = Set<Int>()
        for byName in [true, false] {
            for index in positions.indices where positions[index].opening == nil {
                let stream = positions[index].stream
                let payee = names(in: stream.text)
                let fitting = borrowed.indices.last { place in
                    let wait = stream.first - borrowed[place].date
                    return !taken.contains(place) && (0...longestWait).contains(wait)
                        && (!byName || payee.contains { words[place].contains($0) })
                }
                guard let fitting else { continue }
                taken.insert(fitting)
                positions[index].opening = AccountHistory.Opening(entry: borrowed[fitting], namesPayee: byName)
            }
        }
    }

    /// Returns the words of a text that may name somebody.
    private static func names(in text: String) -> [String] {
        let common: Set<String> = [
            "ACH", "ADVANCE", "BANK", "CAPITAL", "CREDIT", "DAILY", "DEBIT", "DEPOSIT", "FINANCE", "FROM", "FUNDING",
            "LOAN", "LOANS", "PAYMENT", "PMT", "PROCEEDS", "THE", "TRANSFER", "WEEKLY", "WIRE",
        ]
        return text.split(separator: " ").map(String.init).filter { $0.count >= 3 && !common.contains($0) }
    }
}
