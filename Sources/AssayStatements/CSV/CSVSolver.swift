/// A solver that finds the only reading of amounts and row order that structure and running balance allow.
struct CSVSolver {
    /// A reading of all entries.
    struct Reading {
        var rule: CSVRule
        var amounts: CSVAmounts
        /// Whether the oldest row comes last.
        var isNewestFirst: Bool
        /// Whether only one order of the rows leads from balance to balance.
        var isOrderProven = false
        /// Whether nothing tells the order of the rows, and both lead from balance to balance.
        var isOrderOpen = false
        /// Whether the running balance proves it.
        var isProven = false
        /// Whether debt is written as a positive balance.
        var negatesBalances = false
        /// Whether the running balance speaks of other amounts.
        var isBroken = false
        /// The first row that the running balance does not lead to.
        var brokenRow: Int?
        var by: String
    }

    let rows: CSVRows
    let settings: CSVSettings
    /// The values of each amount column, in the order of `rows.columns`.
    private let values: [CSVValues]
    let balances: CSVValues?
    /// A stated balance before the first entry, which tells the direction of the oldest row.
    var statedOpening: Amount?

    var count: Int { rows.count }

    init(_ rows: CSVRows, values: [CSVValues], settings: CSVSettings) {
        self.rows = rows
        self.values = values
        self.settings = settings
        balances = rows.plan.balance.flatMap { place in rows.columns.firstIndex(of: place) }.map { values[$0] }
    }

    func column(_ place: Int) -> CSVValues {
        rows.columns.firstIndex(of: place).map { values[$0] } ?? .none
    }

    /// Returns the amounts that a rule gives; `nil` if it does not fit some row.
    func amounts(_ rule: CSVRule) -> CSVAmounts? {
        switch rule {
        case .signed(let place): CSVAmounts(column(place), count: count)
        case .turned(let place): CSVAmounts(column(place), count: count)?.turned
        case .lessFee(let place, let fee): CSVAmounts(column(place), lessFee: column(fee), count: count)
        case .pair(let debit, let credit): CSVAmounts(debit: column(debit), credit: column(credit), count: count)
        case .byCurrency(let places): CSVAmounts(oneOf: places.map { column($0) }, count: count)
        case .direction(let place, let by): directed(column(place), by)
        case .unsigned: nil
        }
    }

    /// Returns the amounts of a column with the directions that another one gives, each of whose words goes with one
    /// sign only.
    private func directed(_ values: CSVValues, _ by: Int) -> CSVAmounts? {
        guard let marks = marks(by) else { return nil }
        var signs: [AmountCell.Mark: Bool] = [:]
        for row in 0..<count {
            guard let value = values[row] else { return nil }
            guard value != .zero else { continue }
            if let before = signs[marks[row]], before != (value > .zero) { return nil }
            signs[marks[row]] = value > .zero
        }
        return CSVAmounts(sizes: values, isOut: marks.map { $0 != .credit })
    }

    /// Returns the direction of each row; an empty cell means the opposite of the only direction that the column names.
    private func marks(_ place: Int) -> [AmountCell.Mark]? {
        guard let index = rows.typeColumns.firstIndex(of: place), let words = rows.plan.directions[place] else {
            return nil
        }
        let named = Set(words.map(\.mark))
        let empty: AmountCell.Mark? = named.count == 1 ? (named.contains(.credit) ? .debit : .credit) : nil
        var result: [AmountCell.Mark] = []
        for row in 0..<count {
            let cell = rows.type(index, of: row)
            guard let mark = cell.isEmpty ? empty : words.first(where: { $0.value.isSame(as: cell) })?.mark else {
                return nil
            }
            result.append(mark)
        }
        return result
    }

    /// Returns the one reading of the table.
    ///
    /// - Parameter datesFall: whether the days fall from row to row, as far as they are known.
    func solve(datesFall: Bool?) throws(StatementError) -> Reading {
        if let rule = settings.rule { return try settled(rule, datesFall: datesFall) }
        if let proven = try proven(datesFall: datesFall) { return proven }
        var reading = try structural()
        reading.isNewestFirst = datesFall ?? settings.isNewestFirst ?? false
        judge(&reading)
        return reading
    }

    /// Returns the reading that the profile settles; the running balance must not say the opposite.
    private func settled(_ rule: CSVRule, datesFall: Bool?) throws(StatementError) -> Reading {
        guard let amounts = amounts(rule) else { throw noFit(rule) }
        var reading = Reading(
            rule: rule, amounts: amounts, isNewestFirst: datesFall ?? settings.isNewestFirst ?? false, by: "profile")
        let orders = self.orders(holding: amounts, datesFall: datesFall)
        if !orders.all.isEmpty {
            reading.isProven = true
            (reading.isOrderProven, reading.isOrderOpen) = (orders.isProven, orders.isOpen)
            reading.isNewestFirst = orders.chosen(reading.isNewestFirst)
            return reading
        }
        let opposed = self.orders(holding: amounts.turned, datesFall: datesFall)
        if !opposed.all.isEmpty, settings.amountSign == .card {
            (reading.isProven, reading.negatesBalances) = (true, true)
            (reading.isOrderProven, reading.isOrderOpen) = (opposed.isProven, opposed.isOpen)
            reading.isNewestFirst = opposed.chosen(reading.isNewestFirst)
            return reading
        }
        if !opposed.all.isEmpty {
            throw StatementError(
                .malformed,
                "the profile reads column '\(names(rule))' with plus as money in, the running balance in '\(rows.plan.balance.map { rows.name($0) } ?? "")' says the opposite (rows \(rows.number(of: 0)) to \(rows.number(of: count - 1))); check csv.amount_sign"
            )
        }
        judge(&reading)
        return reading
    }

    /// Chooses the order of a reading that no running balance proves, and says where the balance breaks.
    private func judge(_ reading: inout Reading) {
        guard balances != nil else { return }
        let all = [false, true].map { (order: $0, links: links(reading.amounts, newestFirst: $0)) }
        guard let best = all.min(by: { $0.links.broken < $1.links.broken }), best.links.count > 0 else { return }
        reading.isBroken = true
        if best.links.mostlyHold {
            if all[0].links.broken != all[1].links.broken { reading.isNewestFirst = best.order }
            reading.brokenRow = best.links.firstBroken
        }
    }

    func names(_ rule: CSVRule) -> String { rule.columns.map { rows.name($0) }.joined(separator: "' and '") }
}

/// The choices that a profile makes in advance.
struct CSVSettings {
    var rule: CSVRule?
    var amountSign: AmountSign?
    var dateOrder: DateOrder?
    var dates: DatePattern?
    var decimal: UInt8?
    var isNewestFirst: Bool?
}
