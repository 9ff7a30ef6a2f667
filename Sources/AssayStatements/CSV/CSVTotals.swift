/// Holds the rows of a table that state totals against its entries.
///
/// What a total adds up is rarely said: all entries, those above it or those since the total before, with pending ones or
/// without, one side, the difference or the sum of both. A total that none of these comes to shows that a row is missing or
/// changed.
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
    }

    init(_ rows: CSVRows, _ solved: CSVSolver.Reading, pending: [Amount], mark: UInt8) {
        (self.rows, self.solved, self.mark) = (rows, solved, mark)
        self.pending = pending.reduce(into: Sums()) { $0.add($1) }
    }

    /// The first total that nothing comes to.
    func mismatch(closing: Amount?) -> Mismatch? {
        var before = 0
        for total in rows.totals {
            let found = mismatch(of: total, after: before, closing: closing)
            if let found { return found }
            before = total.entries
        }
        return nil
    }

    private func mismatch(of total: CSVRows.TotalRow, after before: Int, closing: Amount?) -> Mismatch? {
        let stated = solved.rule.columns.compactMap { column -> (column: Int, amount: Amount)? in
            guard let place = rows.columns.firstIndex(of: column),
                let amount = total.cells[place]?.value(decimal: mark)
            else { return nil }
            return (column, amount.magnitude)
        }
        guard let first = stated.first else { return nil }
        // Above the table, or within it.
        let above = total.entries > 0 ? 0..<total.entries : rows.entries.indices
        let sums = [above, before..<max(before, total.entries), rows.entries.indices].map { self.sums(of: $0) }
        for sum in sums + sums.map({ $0 + pending }) where holds(stated, total, sum, closing) { return nil }
        return Mismatch(row: total.number, stated: first.amount, column: first.column)
    }

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
        // A count of entries, or the last balance, may stand there, too.
        return [net, sums.credits, sums.debits, sums.credits + sums.debits].contains(amount)
            || amount == closing?.magnitude || amount == Amount(minor: Int128(sums.count), places: 0)
    }

    private func sums(of range: Range<Int>) -> Sums {
        range.reduce(into: Sums()) { $0.add(solved.amounts[$1]) }
    }
}
