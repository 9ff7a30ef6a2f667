/// The entries and daily balances of one account over one or several statements, ready to be counted.
struct Ledger {
    /// One entry, on the day it counts for.
    struct Line {
        var day: Day
        var amount: Amount
        /// The place of the text in ``Ledger/texts``.
        var text: Int
        var entryClass: EntryClass
        /// Whether the entry was returned the same day, so that it is no payment.
        var isReturned = false
        /// The statement it is from, and its place there.
        var statement: Int32 = 0
        var place: Int32 = 0
    }

    /// The entries, by day.
    private(set) var lines: [Line] = []
    private(set) var texts: [String] = []
    /// The days of the payments that were refused for lack of funds, in no order.
    private(set) var refusals: [Day] = []
    /// The days that are covered, in order, and the balance at the end of each.
    private(set) var days: [Day] = []
    private(set) var balances: [Amount] = []
    private(set) var opening: Amount?
    private(set) var closing: Amount?
    private(set) var flags: Set<FactorFlag> = []
    /// The decimals that means are rounded to.
    private(set) var decimals = 2
    private(set) var streams: [PaymentStream] = []
    /// Whether every statement has an opening balance, so that daily balances are known.
    var hasBalances: Bool { opening != nil && balances.count == days.count }

    private var classes: [Classifier.Classes] = []
    /// The kind that the format names for each text.
    private(set) var kinds: [Entry.Kind] = []
    private var statements: Int32 = 0
    private var places: [String: Int] = [:]
    /// For each line the digest of the bank's own mark, while statements are put together.
    private var ids: [Int64] = []

    /// Puts together statements that are sorted by period and free of duplicates.
    init(
        _ activities: [Activity], settings: FactorSettings, classifier: Classifier, ownTransfers: Set<TransferLeg> = []
    ) {
        lines.reserveCapacity(activities.reduce(0) { $0 + $1.amounts.count })
        var isFirst = true
        for activity in activities {
            add(activity, classifier: classifier, keepsTexts: activities.count > 1)
            if isFirst { opening = activity.opening }
            // A statement within the days of another one closes nothing.
            let isWithin = activity.to.map { end in days.last.map { end < $0 } ?? false } ?? false
            if !isWithin { closing = activity.closing ?? (activities.count == 1 ? nil : closing) }
            isFirst = false
            statements += 1
        }
        ids = []
        if activities.contains(where: { $0.opening == nil }) {
            opening = nil
            flags.insert(.noOpeningBalance)
        }
        sortByDay()
        dropOwnTransfers(ownTransfers)
        cancelReturnedPayments()
        findStreams()
    }

    // MARK: Building

    private mutating func add(_ activity: Activity, classifier: Classifier, keepsTexts: Bool) {
        if activity.unreconciled { flags.insert(.unreconciled) }
        flags.formUnion(activity.flags)
        decimals = max(decimals, activity.scale)
        if activity.undated > 0 { flags.insert(.undatedEntries) }
        let textPlaces = addTexts(of: activity, classifier: classifier, isShared: keepsTexts)
        guard let from = activity.from, activity.dayCount > 0 else {
            refusals += (activity.refusals ?? []).map { _ in Day(number: 0) }
            // Without any day the entries still count in totals.
            let unit = Amount.power(9 - activity.scale)
            for (index, amount) in activity.amounts.enumerated() {
                appendLine(
                    Day(number: 0), Amount(billionths: amount * unit), textPlaces[activity.text[index]], index,
                    of: activity)
            }
            return
        }
        let lastOffset = activity.dayCount - 1
        coverQuietDays(before: activity)
        // Days that an earlier statement covers are counted once, unless a page continues within its last day.
        let covered = days.last.map { $0 - from } ?? -1
        let goesOn = covered == 0 && (activity.opening == nil || activity.opening == closing || closing == nil)
        let firstCounted = goesOn ? 0 : max(0, covered + 1)
        addRefusals(of: activity, from, countedBefore: firstCounted)
        let unit = Amount.power(9 - activity.scale)
        var changes = [Amount](repeating: .zero, count: activity.dayCount)
        let overlap = firstCounted > 0 ? overlap(with: activity, from, firstCounted, textPlaces) : nil
        for index in activity.amounts.indices {
            let offset = activity.days[index]
            let clamped = min(max(offset, 0), lastOffset)
            if clamped != offset { flags.insert(.entriesOutsidePeriod) }
            let amount = Amount(billionths: activity.amounts[index] * unit)
            changes[clamped] += amount
            if let overlap, overlap.repeated.contains(index) { continue }
            appendLine(from + clamped, amount, textPlaces[activity.text[index]], index, of: activity)
        }
        if let overlap { flags.insert(overlap.isConflict ? .overlapConflict : .overlapMerged) }
        appendBalances(from: from, opening: activity.opening, changes: changes)
    }

    /// Adds the refusals of a statement; on days that an earlier statement covers, each counts once.
    private mutating func addRefusals(of activity: Activity, _ from: Day, countedBefore firstCounted: Int) {
        var known: [Day: Int] = [:]
        for day in refusals { known[day, default: 0] += 1 }
        for offset in activity.refusals ?? [] {
            let day = from + min(offset, activity.dayCount - 1)
            if offset < firstCounted, let count = known[day], count > 0 {
                known[day] = count - 1
            } else {
                refusals.append(day)
            }
        }
    }

    /// Returns the entries that a statement repeats from earlier ones, on the first `covered` of its days.
    private func overlap(with activity: Activity, _ from: Day, _ covered: Int, _ textPlaces: [Int]) -> LedgerOverlap {
        let lastOffset = activity.dayCount - 1
        let unit = Amount.power(9 - activity.scale)
        let last = from + min(covered - 1, lastOffset)
        let before = lines.indices.filter { lines[$0].day >= from && lines[$0].day <= last }.map { index in
            LedgerOverlap.Entry(
                place: index, day: lines[index].day, amount: lines[index].amount, text: lines[index].text,
                id: ids[index])
        }
        var next: [LedgerOverlap.Entry] = []
        for index in activity.amounts.indices {
            let offset = min(max(activity.days[index], 0), lastOffset)
            guard offset < covered else { continue }
            next.append(
                LedgerOverlap.Entry(
                    place: index, day: from + offset, amount: Amount(billionths: activity.amounts[index] * unit),
                    text: textPlaces[activity.text[index]], id: activity.ids?[index] ?? 0))
        }
        // The earlier statement may end within its last day, and the later one begin within its first.
        return LedgerOverlap(before, next, end: from + (covered - 1), start: from)
    }

    /// Covers the days on which a bank sent nothing: the balance after them is exactly that before them.
    private mutating func coverQuietDays(before activity: Activity) {
        guard let last = days.last, let from = activity.from, from - last > 1, hasBalances, let balance = balances.last,
            StatementGroup.goesOn(over: from - last - 1, from: closing, to: activity.opening)
        else { return }
        for offset in 1..<(from - last) {
            days.append(last + offset)
            balances.append(balance)
        }
    }

    private mutating func appendLine(
        _ day: Day, _ amount: Amount, _ text: Int, _ index: Int, of activity: Activity
    ) {
        let known = classes[text]
        let place = activity.places?[index] ?? index
        ids.append(activity.ids?[index] ?? 0)
        lines.append(
            Line(
                day: day, amount: amount, text: text, entryClass: amount > .zero ? known.credit : known.debit,
                statement: statements, place: Int32(truncatingIfNeeded: place)))
    }

    private mutating func addTexts(of activity: Activity, classifier: Classifier, isShared: Bool) -> [Int] {
        activity.texts.indices.map { index in
            let text = activity.texts[index]
            let code = activity.kinds.map { $0[index] } ?? 0
            let key = isShared ? "\(code)\(text)" : text
            if isShared, let place = places[key] { return place }
            if isShared { places[key] = texts.count }
            texts.append(text)
            let kind = Entry.Kind(rawValue: code) ?? .other
            classes.append(classifier.classes(of: text, kind: kind))
            kinds.append(kind)
            return texts.count - 1
        }
    }

    private mutating func appendBalances(from: Day, opening: Amount?, changes: [Amount]) {
        var balance = opening ?? .zero
        for (offset, change) in changes.enumerated() {
            balance += change
            let day = from + offset
            if let last = days.last, day <= last {
                // Covered before: the later statement has the last word on the day it begins within.
                if day == last, opening != nil, !balances.isEmpty { balances[balances.count - 1] = balance }
                continue
            }
            days.append(day)
            if opening != nil { balances.append(balance) }
        }
    }

    /// Returns the class that a line's text gives it; what is known beside the text may have given it another.
    func classByText(of line: Line) -> EntryClass {
        line.amount > .zero ? classes[line.text].credit : classes[line.text].debit
    }

    private mutating func sortByDay() {
        for index in lines.indices.dropFirst() where lines[index].day < lines[index - 1].day {
            let order = lines.indices.sorted { (lines[$0].day, $0) < (lines[$1].day, $1) }
            lines = order.map { lines[$0] }
            return
        }
    }

    // MARK: Meaning

    /// Turns credits whose other leg left another account of the same owner into transfers, whatever their text says.
    private mutating func dropOwnTransfers(_ legs: Set<TransferLeg>) {
        guard !legs.isEmpty else { return }
        for index in lines.indices where lines[index].entryClass == .revenue {
            if legs.contains(TransferLeg(day: lines[index].day, amount: lines[index].amount)) {
                lines[index].entryClass = .transfer
            }
        }
    }

    /// Marks the debits that a same-day credit of the same amount returns; of several, the one whose text it repeats.
    private mutating func cancelReturnedPayments() {
        var start = 0
        while start < lines.count {
            var end = start
            while end < lines.count, lines[end].day == lines[start].day { end += 1 }
            cancelReturnedPayments(in: start..<end)
            start = end
        }
    }

    private mutating func cancelReturnedPayments(in day: Range<Int>) {
        let returns = day.filter { place in
            let line = lines[place]
            return line.amount > .zero && (line.entryClass == .insufficientFundsReturn || line.entryClass == .reversal)
        }
        guard !returns.isEmpty else { return }
        // The first of the day come last, where they are taken from.
        var debits: [Amount: [Int]] = [:]
        for place in day.reversed() where lines[place].amount < .zero {
            debits[lines[place].amount.magnitude, default: []].append(place)
        }
        for place in returns {
            let amount = lines[place].amount
            guard let open = debits[amount], !open.isEmpty else { continue }
            let text = texts[lines[place].text]
            // A bounded look back keeps a day of a million equal payments from taking for ever.
            let near = open.indices.suffix(32)
            let chosen = near.last { names(text, texts[lines[open[$0]].text]) } ?? open.count - 1
            lines[open[chosen]].isReturned = true
            debits[amount]?.remove(at: chosen)
        }
    }

    /// Returns whether the return's text holds the beginning of the payment's text.
    private func names(_ text: String, _ payment: String) -> Bool {
        let words = payment.utf8.prefix(16)
        guard let first = words.first, words.count > 3 else { return false }
        var rest = text.utf8[...]
        while let start = rest.firstIndex(of: first) {
            if rest[start...].starts(with: words) { return true }
            rest = rest[rest.index(after: start)...]
        }
        return false
    }

    private mutating func findStreams() {
        guard let last = days.last else { return }
        streams = PaymentStream.find(in: lines, texts: texts, until: last)
        for index in streams.indices where streams[index].looksLikeAdvance {
            for line in streams[index].lines { lines[line].entryClass = .mca }
            streams[index].entryClass = .mca
        }
    }
}

/// One side of a transfer between two accounts.
struct TransferLeg: Hashable {
    var day: Day
    var amount: Amount
}
