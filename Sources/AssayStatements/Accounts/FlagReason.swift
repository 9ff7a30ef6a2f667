/// A flag in words: what was found, where, and what would mend it.
public struct FlagReason: Codable, Hashable, Sendable {
    /// The weight of a flag.
    public enum Weight: String, Codable, CaseIterable, Comparable, Sendable {
        /// The figures may not be used.
        case stop
        /// A person should look.
        case check
        /// Figures are absent.
        case absent

        /// Orders the most serious first.
        public static func < (left: Weight, right: Weight) -> Bool { left.order < right.order }

        private var order: Int {
            switch self {
            case .stop: 0
            case .check: 1
            case .absent: 2
            }
        }
    }

    /// The flag.
    public var code: FactorFlag
    /// How much it weighs.
    public var weight: Weight
    /// The finding, in one line.
    public var reason: String
    /// The remedy; `nil` if there is nothing to do.
    public var remedy: String?
    /// The file at fault, where it is one.
    public var source: String?
    /// The row at fault in that file, where it is one.
    public var row: Int?

    init(_ code: FactorFlag, _ reason: String, remedy: String? = nil, source: String? = nil, row: Int? = nil) {
        (self.code, weight, self.reason, self.remedy) = (code, code.weight, reason, remedy)
        (self.source, self.row) = (source, row)
    }

    private enum CodingKeys: String, CodingKey {
        case code, weight, reason, remedy, source, row
    }

    /// Encodes every key; what is not known as `null`.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(code, forKey: .code)
        try container.encode(weight, forKey: .weight)
        try container.encode(reason, forKey: .reason)
        try container.encode(remedy, forKey: .remedy)
        try container.encode(source, forKey: .source)
        try container.encode(row, forKey: .row)
    }
}

extension FactorFlag {
    /// How much the flag weighs.
    public var weight: FlagReason.Weight {
        switch self {
        case .unreconciled: .stop
        case .overlapConflict: .stop
        case .gap, .overlapMerged, .mixedCurrency, .undatedEntries, .entriesOutsidePeriod, .directionAssumed,
            .convertedEntries, .repeatedIds, .futureDated, .interim, .reversalTurned, .datesCorrected:
            .check
        case .noOpeningBalance, .balanceAfterPeriod, .balanceBeforeLastEntry, .balanceUndated, .cardAccount,
            .loanAccount:
            .absent
        }
    }
}

extension FlagReason {
    /// Returns the reasons for `flags` over statements of one account, the most serious first.
    static func reasons(for flags: [FactorFlag], of parts: [StatementReport.Part]) -> [FlagReason] {
        flags.flatMap { flag in
            var seen = Set<FlagReason>()
            let found = reasons(for: flag, of: parts).filter { seen.insert($0).inserted }
            return found.isEmpty ? [FlagReason(flag, general(flag))] : found
        }
        .enumerated().sorted { ($0.element.weight, $0.offset) < ($1.element.weight, $1.offset) }.map(\.element)
    }

    private static func reasons(for flag: FactorFlag, of parts: [StatementReport.Part]) -> [FlagReason] {
        switch flag {
        case .unreconciled: parts.filter(\.activity.unreconciled).map(unreconciled)
        case .gap: zip(parts, parts.dropFirst()).compactMap { gap(between: $0, and: $1) }
        case .overlapMerged, .overlapConflict:
            zip(parts, parts.dropFirst()).compactMap { overlap(of: $0, and: $1, flag) }
        case .noOpeningBalance: parts.filter { $0.activity.opening == nil }.map(noOpeningBalance)
        case .undatedEntries: parts.filter { $0.activity.undated > 0 }.map(undated)
        case .entriesOutsidePeriod: parts.compactMap(outsidePeriod)
        case .mixedCurrency, .cardAccount, .loanAccount: []
        default: parts.filter { $0.activity.flags.contains(flag) }.map { FlagReason(flag, $0) }
        }
    }

    /// Makes a flag that reading the file raised.
    private init(_ flag: FactorFlag, _ part: StatementReport.Part) {
        var reason = FlagReason.general(flag)
        if let balance = part.statedBalance {
            reason += " (\(balance.amount)\(balance.day.map { " on \($0)" } ?? ""))"
        }
        self.init(flag, reason, remedy: FlagReason.remedy(flag), source: part.source?.name)
    }

    private static func remedy(_ flag: FactorFlag) -> String? {
        switch flag {
        case .directionAssumed: "check an entry against the bank, and set csv.amount_sign: bank or card"
        case .balanceAfterPeriod, .balanceBeforeLastEntry, .balanceUndated:
            "add the statement of the next days, or one that states its own balances"
        case .interim: "add the final statement of the same days"
        case .overlapConflict: "ask for one export of all of these days"
        default: nil
        }
    }

    private static func unreconciled(_ part: StatementReport.Part) -> FlagReason {
        let name = part.source?.name
        let remedy = "do not use the figures; ask for another export of the same days, as OFX, camt or MT940"
        if let row = part.brokenRow {
            return FlagReason(
                .unreconciled, "the running balance does not lead to row \(row)", remedy: remedy, source: name, row: row
            )
        }
        guard let opening = part.summary.opening, let closing = part.summary.closing,
            let credits = part.summary.credits, let debits = part.summary.debits
        else {
            return FlagReason(
                .unreconciled, "totals, or a running balance, in the file contradict its entries", remedy: remedy,
                source: name)
        }
        let sum = opening + credits - debits
        guard sum != closing else {
            return FlagReason(
                .unreconciled, "the balances add up from \(opening) to \(closing), but other totals in the file do not",
                remedy: remedy, source: name)
        }
        return FlagReason(
            .unreconciled,
            "\(opening) and the entries come to \(sum), the file says \(closing): \((sum - closing).magnitude) apart",
            remedy: remedy, source: name)
    }

    private static func gap(between previous: StatementReport.Part, and next: StatementReport.Part) -> FlagReason? {
        guard StatementGroup.link(previous.activity, next.activity) == .gap else { return nil }
        guard let end = previous.activity.to, let start = next.activity.from else {
            return FlagReason(
                .gap, "a statement names no days, so nobody knows how it follows the others",
                remedy: "ask for an export with dates",
                source: previous.activity.to == nil
                    ? previous.source?.name : next.source?.name)
        }
        if start - end > 1 {
            let (first, last) = (end + 1, start + -1)
            return FlagReason(
                .gap, first == last ? "no statement covers \(first)" : "no statement covers \(first) to \(last)",
                remedy: "add the statement of these days")
        }
        let (before, after) = (previous.activity.closing ?? .zero, next.activity.opening ?? .zero)
        return FlagReason(
            .gap, "the balance does not go on: \(before) on \(end), \(after) on \(start)",
            remedy: "add the statement between these days")
    }

    private static func overlap(
        of previous: StatementReport.Part, and next: StatementReport.Part, _ flag: FactorFlag
    ) -> FlagReason? {
        guard StatementGroup.link(previous.activity, next.activity) == .overlap, let end = previous.activity.to,
            let start = next.activity.from
        else { return nil }
        let names = [previous.source?.name, next.source?.name].compactMap { $0 }
        let both = names.count == 2 ? names.joined(separator: " and ") : "two statements"
        let last = next.activity.to.map { min($0, end) } ?? end
        guard flag == .overlapConflict else {
            return FlagReason(flag, "\(both) both cover \(start) to \(last); entries of these days count once")
        }
        return FlagReason(
            flag, "\(both) both cover \(start) to \(last), and one has entries of these days that the other lacks",
            remedy: remedy(flag))
    }

    private static func noOpeningBalance(_ part: StatementReport.Part) -> FlagReason {
        FlagReason(
            .noOpeningBalance, "no opening balance is known: daily balances and negative days are absent",
            remedy: "give an export that states balances, such as OFX, camt or MT940", source: part.source?.name)
    }

    private static func undated(_ part: StatementReport.Part) -> FlagReason {
        let count = part.activity.undated
        let day = part.activity.to.map { " on \($0)" } ?? ""
        return FlagReason(
            .undatedEntries,
            count == 1 ? "1 entry without a date counts\(day)" : "\(count) entries without a date count\(day)",
            source: part.source?.name)
    }

    private static func outsidePeriod(_ part: StatementReport.Part) -> FlagReason? {
        guard let from = part.activity.from, part.activity.dayCount > 0 else { return nil }
        let outside = part.activity.days.filter { !(0..<part.activity.dayCount).contains($0) }
        guard let first = outside.min(), let last = outside.max() else { return nil }
        let days = first == last ? "of \(from + first)" : "of \(from + first) to \(from + last)"
        let statement = "the statement of \(from) to \(part.activity.to ?? from)"
        return FlagReason(
            .entriesOutsidePeriod,
            outside.count == 1
                ? "1 entry \(days) stands in \(statement) and counts at its edge"
                : "\(outside.count) entries \(days) stand in \(statement) and count at its edge",
            source: part.source?.name)
    }

    private static func general(_ flag: FactorFlag) -> String {
        switch flag {
        case .unreconciled: "balances, totals or a running balance contradict the entries"
        case .gap: "days or a balance are missing between statements"
        case .noOpeningBalance: "no opening balance is known: daily balances and negative days are absent"
        case .mixedCurrency: "the statements are in several currencies, which are never added"
        case .undatedEntries: "entries without a date count on the last day"
        case .entriesOutsidePeriod: "entries dated outside of the period count at its edge"
        case .cardAccount: "card account: no revenue, NSF and advance figures"
        case .loanAccount: "loan account: no revenue, NSF and advance figures"
        case .directionAssumed: "no amount shows beyond doubt which way money went; plus is read as money in"
        case .balanceAfterPeriod: "the stated balance is of a day after the period, so it closes nothing"
        case .balanceBeforeLastEntry: "the stated balance is of a day before the last entry, so it closes nothing"
        case .balanceUndated: "the stated balance has no day, so it closes nothing"
        case .convertedEntries: "amounts in another currency were converted at the rate that the entry gives"
        case .repeatedIds: "entries repeat the mark and the content of another entry; all of them count"
        case .futureDated: "entries lie in the future"
        case .interim: "an interim report, without a closing balance"
        case .reversalTurned: "entries marked as reversals were turned: only then the balances add up"
        case .datesCorrected: "days beyond a month's end were read as its last day"
        case .overlapMerged: "entries of the same days in several files count once"
        case .overlapConflict: "files differ in the entries of days that both cover"
        }
    }
}
