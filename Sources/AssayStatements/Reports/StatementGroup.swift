/// The statements of one account, by period and without duplicates.
struct StatementGroup {
    private(set) var parts: [StatementReport.Part]

    private struct Account: Hashable {
        var account: String
        var currency: String?
    }

    /// Groups statements by account and currency.
    static func groups(_ all: [StatementReport.Part]) -> [StatementGroup] {
        var groups: [StatementGroup] = []
        var places: [Account: Int] = [:]
        var unnamed: [StatementReport.Part] = []
        for part in all {
            guard let number = part.account else {
                unnamed.append(part)
                continue
            }
            let account = Account(account: number, currency: part.currency)
            if let place = places[account] {
                groups[place].parts.append(part)
            } else {
                places[account] = groups.count
                groups.append(StatementGroup(parts: [part]))
            }
        }
        for index in groups.indices { groups[index].arrange() }
        return groups + chained(unnamed)
    }

    /// Groups statements without an account: each joins the group whose balance it continues, or starts a new one.
    private static func chained(_ parts: [StatementReport.Part]) -> [StatementGroup] {
        var whole = StatementGroup(parts: parts)
        whole.arrange()
        var groups: [StatementGroup] = []
        for part in whole.parts {
            let place = groups.firstIndex { group in
                guard let last = group.parts.last, last.currency == part.currency, last.activity.closing != nil else {
                    return false
                }
                return link(last.activity, part.activity) == .ok
            }
            if let place { groups[place].parts.append(part) } else { groups.append(StatementGroup(parts: [part])) }
        }
        return groups
    }

    /// Sorts by period, keeping the order of the file within one, and drops exact duplicates.
    private mutating func arrange() {
        sort()
        var seen = Set<StatementReport.Part>()
        parts = parts.filter { part in
            var bare = part
            bare.entries = nil
            bare.source = nil
            return seen.insert(bare).inserted
        }
        yieldToFinal()
        passBalancesOn()
    }

    private mutating func sort() {
        let order = parts.indices.sorted { left, right in
            let (a, b) = (parts[left].activity, parts[right].activity)
            let keys = ((a.from ?? Day(number: 0)).number, (a.to ?? Day(number: 0)).number, left)
            return keys < ((b.from ?? Day(number: 0)).number, (b.to ?? Day(number: 0)).number, right)
        }
        parts = order.map { parts[$0] }
    }

    /// Reports of the day and interim statements yield to final statements: of the days that these cover nothing is
    /// left.
    private mutating func yieldToFinal() {
        guard parts.contains(where: { $0.activity.provisional == true }) else { return }
        let final = StatementGroup.joined(
            parts.filter { $0.activity.provisional != true }.compactMap { part in
                guard let from = part.activity.from, let to = part.activity.to, from <= to else { return nil }
                return from...to
            })
        parts = parts.flatMap { part -> [StatementReport.Part] in
            guard part.activity.provisional == true, let from = part.activity.from, let to = part.activity.to,
                from <= to
            else {
                return [part]
            }
            let left = StatementGroup.days(from, to, without: final)
            if left == [from...to] { return [part] }
            return left.map { days in
                var rest = part
                rest.activity.keep(days)
                return rest
            }
        }
        sort()
    }

    /// Returns the days from `from` to `to` that `others`, which are sorted, do not cover.
    private static func days(_ from: Day, _ to: Day, without others: [ClosedRange<Day>]) -> [ClosedRange<Day>] {
        var result: [ClosedRange<Day>] = []
        var next = from
        for other in others where other.upperBound >= next && other.lowerBound <= to {
            if other.lowerBound > next { result.append(next...(other.lowerBound + -1)) }
            next = other.upperBound + 1
        }
        if next <= to { result.append(next...to) }
        return result
    }

    /// Ranges of days in order, those that touch made one.
    private static func joined(_ ranges: [ClosedRange<Day>]) -> [ClosedRange<Day>] {
        var result: [ClosedRange<Day>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = result.last, range.lowerBound - last.upperBound <= 1 {
                result[result.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                result.append(range)
            }
        }
        return result
    }

    /// Gives a statement without a usable balance its closing balance from the next statement, and its opening one from
    /// the
    /// one before, where no day lies between; so files that were downloaded in one sitting all get theirs from the
    /// last.
    private mutating func passBalancesOn() {
        for index in parts.indices.dropLast().reversed() where parts[index].activity.closing == nil {
            let next = parts[index + 1].activity
            guard let end = parts[index].activity.to, let start = next.from, start - end == 1,
                let opening = next.opening
            else { continue }
            parts[index].activity.close(with: opening)
        }
        for index in parts.indices.dropFirst() where parts[index].activity.opening == nil {
            let before = parts[index - 1].activity
            guard let end = before.to, let start = parts[index].activity.from, start - end == 1,
                let closing = before.closing
            else { continue }
            parts[index].activity.open(with: closing)
        }
    }

    /// How the statements follow each other; the first break decides.
    var chain: AccountReport.Chain {
        for (previous, next) in zip(parts, parts.dropFirst()) {
            let link = StatementGroup.link(previous.activity, next.activity)
            if link != .ok { return link }
        }
        return .ok
    }

    static func link(_ previous: Activity, _ next: Activity) -> AccountReport.Chain {
        guard let end = previous.to, let start = next.from else { return .gap }
        let days = start - end
        let goesOn = previous.closing == nil || next.opening == nil || previous.closing == next.opening
        if (days == 0 || days == 1) && goesOn { return .ok }
        if days > 1, StatementGroup.goesOn(over: days - 1, from: previous.closing, to: next.opening) { return .ok }
        return days > 0 ? .gap : .overlap
    }

    /// Returns whether a balance shows that nothing moved on the days between two statements; at zero, on a few days
    /// only.
    static func goesOn(over days: Int, from closing: Amount?, to opening: Amount?) -> Bool {
        guard let closing, closing == opening else { return false }
        return closing != .zero || days <= 4
    }

    /// Returns for each group the credits whose money left another group of the same currency within two days.
    ///
    /// Takes time in proportion to the number of entries.
    static func ownTransfers(of groups: [StatementGroup]) -> [Set<TransferLeg>] {
        var legs = groups.map { _ in Set<TransferLeg>() }
        guard groups.count > 1 else { return legs }
        var sent: [Sum: [Leg]] = [:]
        for (index, group) in groups.enumerated() {
            let currency = group.parts.first?.currency
            group.forEachEntry { day, amount in
                guard amount < .zero else { return }
                sent[Sum(amount: -amount, currency: currency), default: []].append(Leg(day: day, group: index))
            }
        }
        for key in sent.keys { sent[key]?.sort { $0.day < $1.day } }
        for (index, group) in groups.enumerated() {
            let currency = group.parts.first?.currency
            group.forEachEntry { day, amount in
                guard amount > .zero, let candidates = sent[Sum(amount: amount, currency: currency)] else { return }
                var place = candidates.partitioningIndex { $0.day - day >= -2 }
                while place < candidates.count, candidates[place].day - day <= 2 {
                    if candidates[place].group != index {
                        legs[index].insert(TransferLeg(day: day, amount: amount))
                        return
                    }
                    place += 1
                }
            }
        }
        return legs
    }

    /// An amount of a currency.
    private struct Sum: Hashable {
        var amount: Amount
        var currency: String?
    }

    /// When money left a group.
    private struct Leg {
        var day: Day
        var group: Int
    }

    private func forEachEntry(_ body: (Day, Amount) -> Void) {
        for activity in parts.map(\.activity) {
            guard let from = activity.from else { continue }
            let unit = Amount.power(9 - activity.scale)
            let last = max(activity.dayCount - 1, 0)
            for entry in activity.amounts.indices {
                let offset = min(max(activity.days[entry], 0), last)
                body(from + offset, Amount(billionths: activity.amounts[entry] * unit))
            }
        }
    }
}

extension Array {
    /// Returns the first place from which on `belongs` holds; everything before it must not.
    fileprivate func partitioningIndex(where belongs: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if belongs(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
