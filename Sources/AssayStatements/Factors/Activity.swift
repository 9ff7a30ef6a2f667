/// All of a statement that the factors depend on, column by column: the part of a report that is kept for later.
///
/// Factors are always computed from this, so they are the same from a file and from a stored report.
public struct Activity: Codable, Hashable, Sendable {
    /// The covered days, both inclusive; `nil` if the statement names none and has no dated entry.
    public var from: Day?
    /// The last day the bank says the statement covers.
    public var to: Day?
    /// The balance before the first entry, stated or derived, and the one after the last.
    public var opening: Amount?
    /// The balance after the last entry, if it is known.
    public var closing: Amount?
    /// The decimals of `amounts`.
    public var scale: Int
    /// Each description once, normalized.
    public var texts: [String]
    /// The kind that the format names for each text, if it names any.
    public var kinds: [UInt8]?
    /// For each entry the days since `from`; entries without a date are put on `to`.
    public var days: [Int]
    /// For each entry the amount, times ten to the power of `scale`.
    public var amounts: [Int128]
    /// For each entry the place of its text in `texts`.
    public var text: [Int]
    /// For each entry the digest of the bank's own mark of it, 0 where it has none; `nil` where no entry has one.
    public var ids: [Int64]?
    /// For each payment that was refused for lack of funds the days since `from`; `nil` where there was none.
    public var refusals: [Int]?
    /// Whether it yields to a final statement of the same days; `nil` for no.
    public var provisional: Bool?
    /// The number of entries without a date.
    public var undated: Int
    /// Whether the statement contradicts itself: balances, totals or a running balance.
    public var unreconciled: Bool
    /// The flags that reading the file raised.
    public var flags: [FactorFlag] = []
    /// For each entry its place in the statement, where some were taken out; known only while reports are put together.
    private(set) var places: [Int]?

    /// Makes the record of `statement`.
    init(_ statement: Statement) {
        let entries = statement.entries
        var first: Day?
        var last: Day?
        var places = max(2, statement.currency.map { CurrencyCode.decimals(of: $0) } ?? 2)
        for entry in entries {
            if let day = entry.day {
                first = first.map { min($0, day) } ?? day
                last = last.map { max($0, day) } ?? day
            }
            if entry.amount.billionths % 10_000_000 != 0 { places = max(places, entry.amount.places) }
        }
        from = statement.from ?? first
        to = statement.to ?? last
        // A statement may name one end of its period only, and entries may lie beyond it.
        if let start = from, let end = to, start > end { from = end }
        scale = places
        opening = statement.opening
        closing = statement.closing
        unreconciled = statement.contradictsTotals || statement.balanceCheck == .mismatch
        flags = statement.flags.sorted()
        provisional = statement.isProvisional ? true : nil
        undated = 0
        texts = []
        days = []
        amounts = []
        text = []
        days.reserveCapacity(entries.count)
        amounts.reserveCapacity(entries.count)
        text.reserveCapacity(entries.count)
        if statement.derivesOpening, opening == nil, let closing {
            opening = entries.reduce(closing) { $0 - $1.amount }
        }
        add(entries)
        let lastOffset = max(dayCount - 1, 0)
        // One without a day is put on the last one, as entries are.
        let refused = statement.refusals.map { day in
            from.flatMap { start in day.map { min(max($0 - start, 0), lastOffset) } } ?? lastOffset
        }
        refusals = refused.isEmpty ? nil : refused
    }

    private struct TextKey: Hashable {
        var text: String
        var kind: UInt8
    }

    private mutating func add(_ entries: [Entry]) {
        let unit = Amount.power(9 - scale)
        let lastOffset = from.flatMap { start in to.map { $0 - start } } ?? 0
        var places: [TextKey: Int] = [:]
        var kinds: [UInt8] = []
        for entry in entries {
            let key = TextKey(text: NormalisedText.of(entry.text), kind: entry.kind.rawValue)
            let place = places[key] ?? texts.count
            if place == texts.count {
                places[key] = place
                texts.append(key.text)
                kinds.append(key.kind)
            }
            text.append(place)
            amounts.append(entry.amount.billionths / unit)
            if let day = entry.day, let start = from {
                days.append(day - start)
            } else {
                days.append(lastOffset)
                undated += 1
            }
        }
        self.kinds = kinds.contains { $0 != 0 } ? kinds : nil
        ids = entries.contains { $0.id != nil } ? entries.map { $0.id.map(Activity.digest) ?? 0 } : nil
    }

    /// Returns a number in place of a mark: 48 bits of its FNV-1a hash, of which no two marks of an account share
    /// one by chance.
    private static func digest(_ id: String) -> Int64 {
        let hash = id.utf8.reduce(UInt64(0xCBF2_9CE4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        return Int64(max((hash ^ hash >> 48) & 0xFFFF_FFFF_FFFF, 1))
    }

    /// Keeps the entries of some of its days, and the balances at their edges.
    mutating func keep(_ kept: ClosedRange<Day>) {
        guard let start = from else { return }
        var before: Int128 = 0
        var after: Int128 = 0
        var chosen: [Int] = []
        let last = dayCount - 1
        for index in amounts.indices {
            let day = start + min(max(days[index], 0), last)
            if day < kept.lowerBound {
                before += amounts[index]
            } else if day > kept.upperBound {
                after += amounts[index]
            } else {
                chosen.append(index)
            }
        }
        let unit = Amount.power(9 - scale)
        opening = opening.map { $0 + Amount(billionths: before * unit) }
        closing = closing.map { $0 - Amount(billionths: after * unit) }
        let moved = kept.lowerBound - start
        days = chosen.map { min(max(days[$0], 0), last) - moved }
        amounts = chosen.map { amounts[$0] }
        text = chosen.map { text[$0] }
        ids = ids.map { ids in chosen.map { ids[$0] } }
        places = chosen.map { places?[$0] ?? $0 }
        let keptOffsets = moved...(kept.upperBound - start)
        refusals = refusals.map { $0.filter(keptOffsets.contains).map { $0 - moved } }
        (from, to) = (kept.lowerBound, kept.upperBound)
    }

    /// Takes a balance that the next statement begins with.
    mutating func close(with balance: Amount) {
        closing = balance
        if opening == nil { opening = balance - sum }
        dropBalanceFlags()
    }

    /// Takes a balance that the statement before ends with.
    mutating func open(with balance: Amount) {
        opening = balance
        if closing == nil { closing = balance + sum }
        dropBalanceFlags()
    }

    private var sum: Amount {
        Amount(billionths: amounts.reduce(0, +) * Amount.power(9 - scale))
    }

    private mutating func dropBalanceFlags() {
        flags.removeAll { $0 == .balanceAfterPeriod || $0 == .balanceBeforeLastEntry || $0 == .balanceUndated }
    }

    /// The number of covered days.
    var dayCount: Int {
        guard let from, let to, to >= from else { return 0 }
        return to - from + 1
    }
}

extension Activity {
    private enum CodingKeys: String, CodingKey {
        case from, to, opening, closing, scale, texts, kinds, days, amounts, text, ids, refusals, provisional, undated,
            unreconciled
        case flags
    }

    /// - Throws: `DecodingError` if the columns do not belong together.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        from = try container.decodeIfPresent(Day.self, forKey: .from)
        to = try container.decodeIfPresent(Day.self, forKey: .to)
        opening = try container.decodeIfPresent(Amount.self, forKey: .opening)
        closing = try container.decodeIfPresent(Amount.self, forKey: .closing)
        scale = try container.decode(Int.self, forKey: .scale)
        texts = try container.decode([String].self, forKey: .texts)
        kinds = try container.decodeIfPresent([UInt8].self, forKey: .kinds)
        days = try container.decode([Int].self, forKey: .days)
        amounts = try container.decode([Int128].self, forKey: .amounts)
        text = try container.decode([Int].self, forKey: .text)
        ids = try container.decodeIfPresent([Int64].self, forKey: .ids)
        refusals = try container.decodeIfPresent([Int].self, forKey: .refusals)
        provisional = try container.decodeIfPresent(Bool.self, forKey: .provisional)
        undated = try container.decode(Int.self, forKey: .undated)
        unreconciled = try container.decode(Bool.self, forKey: .unreconciled)
        flags = try container.decodeIfPresent([FactorFlag].self, forKey: .flags) ?? []
        let fits =
            days.count == amounts.count && text.count == amounts.count && (2...9).contains(scale)
            && text.allSatisfy { texts.indices.contains($0) } && (kinds.map { $0.count == texts.count } ?? true)
            && (ids.map { $0.count == amounts.count } ?? true)
            && amounts.allSatisfy { Amount(minor: $0, places: scale) != nil }
            && days.allSatisfy { $0.magnitude < 1 << 20 }
            && (refusals ?? []).allSatisfy { (0..<1 << 20).contains($0) }
        guard fits else {
            throw DecodingError.dataCorruptedError(
                forKey: .amounts, in: container, debugDescription: "the columns of the activity do not belong together")
        }
    }
}
