/// A check of the rows that state totals against the entries.
///
/// Files rarely say what a total adds up: all entries, those above it or those since the total before, of one account
/// or
/// of all,
/// with pending ones or without, one side, the difference or the sum of both. A total that none of these comes to shows
/// that
/// a row is missing or changed.
struct CSVTotals {
    private let rows: CSVRows
    private let solved: CSVSolver.Reading
    private let mark: UInt8
    private let pending: Sums

    private struct Sums {
        var credits = Amount.zero
        var debits = Amount.zero
        var count = 0

        mutating func add(_ amount: Amount) {
            if amount > .zero { credits += amount } else { debits += amount.magnitude }
            count += 1
        }

        static func + (left: Sums, right: Sums) -> Sums {
            Sums(
                credits: left.credits + right.credits, debits: left.debits + right.debits,
                count: left.count + right.count)
        }
    }

    /// A total that the entries do not come to.
    struct Mismatch {
        var row: Int
        var stated: Amount
        var column: Int
        /// The places of the accounts that it may be a total of.
        var groups: [Int]
    }

    init(_ rows: CSVRows, _ solved: CSVSolver.Reading, pending: [Amount], mark: UInt8) {
        (self.rows, self.solved, self.mark) = (rows, solved, mark)
        self.pending = pending.reduce(into: Sums()) { $0.add($1) }
    }

    /// The sums of entries, for each account and for all accounts together.
    private struct GroupSums {
        var all = Sums()
        var groups: [Int: Sums] = [:]

        mutating func add(_ amount: Amount, _ group: Int) {
            all.add(amount)
            groups[group, default: Sums()].add(amount)
        }

        /// Returns the sums of some accounts, or of all.
        func of(_ some: [Int]?) -> Sums {
            some.map { $0.reduce(Sums()) { $0 + (groups[$1] ?? Sums()) } } ?? all
        }
    }

    /// Returns the totals that nothing comes to, for each account the first.
    ///
    /// - Parameter closings: the closing balance of each account.
    func mismatches(closings: [Amount?]) -> [Mismatch] {
        guard !rows.totals.isEmpty else { return [] }
        var (whole, above, since) = (GroupSums(), GroupSums(), GroupSums())
        for row in 0..<rows.count { whole.add(solved.amounts[row], rows.group(of: row)) }
        var seen = 0
        var result: [Mismatch] = []
        var known = Set<Int>()
        for total in rows.totals {
            // Totals below each other are of the same entries.
            if total.entries > seen { since = GroupSums() }
            for row in seen..<max(seen, total.entries) {
                above.add(solved.amounts[row], rows.group(of: row))
                since.add(solved.amounts[row], rows.group(of: row))
            }
            seen = max(seen, total.entries)
            // Above the table it is a total of all.
            let sums = total.entries > 0 ? [above, since, whole] : [whole]
            guard let wrong = mismatch(of: total, sums, closings) else { continue }
            let groups = wrong.groups.filter { known.insert($0).inserted }
            if !groups.isEmpty {
                result.append(Mismatch(row: wrong.row, stated: wrong.stated, column: wrong.column, groups: groups))
            }
        }
        return result
    }

    /// Returns the places of the accounts that a total names; `nil` if it names none.
    private func named(by total: CSVRows.TotalRow) -> [Int]? {
        guard rows.groups.count > 1, total.group != CSVRows.Group() else { return nil }
        return rows.groups.indices.filter { place in
            let (group, named) = (rows.groups[place], total.group)
            return (named.account ?? group.account) == group.account
                && (named.currency ?? group.currency) == group.currency
        }
    }

    private func mismatch(
        of total: CSVRows.TotalRow, _ sums: [GroupSums], _ closings: [Amount?]
    ) -> Mismatch? {
        let stated = solved.rule.columns.compactMap { column -> (column: Int, amount: Amount)? in
            guard let place = rows.columns.firstIndex(of: column),
                let amount = total.cells[place]?.value(decimal: mark)
            else { return nil }
            return (column, amount.magnitude)
        }
        guard let first = stated.first else { return nil }
        // It is of all accounts, or of those that it names, together or one by one; else of one with entries just above
        // it.
        let named = named(by: total)
        let near = named ?? Array((sums.count > 1 ? sums[1] : sums[0]).groups.keys)
        let candidates = [named] + (near.count <= CSVTotals.mostGroups ? near.map { [$0] } : [])
        for groups in candidates {
            let closing =
                groups.map { $0.count == 1 ? closings[$0[0]] : nil } ?? (closings.count == 1 ? closings[0] : nil)
            for sum in sums.map({ $0.of(groups) })
            where holds(stated, total, sum, closing) || holds(stated, total, sum + pending, closing) { return nil }
        }
        return Mismatch(row: total.number, stated: first.amount, column: first.column, groups: near)
    }

    /// A total just below entries of more accounts is of all of them.
    private static let mostGroups = 64

    private func holds(
        _ stated: [(column: Int, amount: Amount)], _ total: CSVRows.TotalRow, _ sums: Sums, _ closing: Amount?
    ) -> Bool {
        if case .pair(let debit, _) = solved.rule {
            return stated.allSatisfy { $0.amount == ($0.column == debit ? sums.debits : sums.credits) }
        }
        let amount = stated[0].amount
        switch solved.rule {
        case .turned: break
        default:
            if total.mark == .credit { return amount == sums.credits }
            if total.mark == .debit { return amount == sums.debits }
        }
        let net = (sums.credits - sums.debits).magnitude
        // A count of entries or the last balance may be there, too.
        return [net, sums.credits, sums.debits, sums.credits + sums.debits].contains(amount)
            || amount == closing?.magnitude || amount == Amount(minor: Int128(sums.count), places: 0)
    }
}
