/// Finds the one reading of a table's amounts and order that its structure and its running balance leave.
struct CSVSolver {
    /// A reading of all entries.
    struct Reading {
        var rule: CSVRule
        var amounts: [Amount]
        /// Whether the oldest row stands last.
        var isNewestFirst: Bool
        /// Whether only one order of the rows leads from balance to balance.
        var isOrderProven = false
        /// Whether nothing tells the order of the rows, and both lead from balance to balance.
        var isOrderOpen = false
        /// Whether the running balance proves it.
        var isProven = false
        /// Whether what is owed stands as a positive balance.
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
    private(set) var values: [[Amount?]]
    private let balances: [Amount?]?
    /// A stated balance before the first entry, which tells the direction of the oldest row.
    var statedOpening: Amount?

    var count: Int { rows.entries.count }

    init(_ rows: CSVRows, values: [[Amount?]], settings: CSVSettings) {
        self.rows = rows
        self.values = values
        self.settings = settings
        balances = rows.plan.balance.flatMap { place in rows.columns.firstIndex(of: place) }.map { values[$0] }
    }

    func column(_ place: Int) -> [Amount?] {
        rows.columns.firstIndex(of: place).map { values[$0] } ?? []
    }

    // MARK: Proof

    /// How the rows go on from each other's balances.
    private struct Links {
        var count = 0
        var broken = 0
        var firstBroken: Int?

        var hold: Bool { count > 0 && broken == 0 }
        /// Whether most of them hold.
        var mostlyHold: Bool { count > 0 && broken * 2 <= count }
    }

    private func links(_ amounts: [Amount], newestFirst: Bool, stopsAtBroken: Bool = false) -> Links {
        guard let balances else { return Links() }
        var result = Links()
        var known: [Amount?] = Array(repeating: nil, count: max(rows.groups.count, 1))
        for step in 0..<count {
            let row = newestFirst ? count - 1 - step : step
            let group = rows.entries[row].group
            let expected = known[group].map { $0 + amounts[row] }
            guard let balance = balances[row] else {
                known[group] = expected
                continue
            }
            if let expected {
                result.count += 1
                if expected != balance {
                    result.broken += 1
                    result.firstBroken = result.firstBroken ?? row
                    if stopsAtBroken { return result }
                }
            }
            known[group] = balance
        }
        return result
    }

    /// The orders of the rows, newest first or not, in which each balance leads to the next.
    private struct Orders {
        var all: [Bool]
        /// Whether only one holds, and would not by chance.
        var isProven: Bool
        /// Whether nothing tells which of the two it is.
        var isOpen: Bool

        func chosen(_ known: Bool?) -> Bool { known.flatMap { all.contains($0) ? $0 : nil } ?? all.first ?? false }
    }

    /// Equal amounts lead from balance to balance from either end, one way or the other: of them only dates tell the order.
    private func orders(holding amounts: [Amount], datesFall: Bool?) -> Orders {
        let known = datesFall ?? settings.isNewestFirst
        var all = [false, true].filter { links(amounts, newestFirst: $0, stopsAtBroken: true).hold }
        let isEven = all.isEmpty || isEven(amounts)
        if isEven, let known { all.removeAll { $0 != known } }
        return Orders(
            all: all, isProven: all.count == 1 && !isEven, isOpen: known == nil && (all.count == 2 || isEven))
    }

    /// Whether the rows of each account move equal amounts.
    private func isEven(_ amounts: [Amount]) -> Bool {
        var first: [Amount?] = Array(repeating: nil, count: max(rows.groups.count, 1))
        for (row, amount) in amounts.enumerated() where amount != .zero {
            let group = rows.entries[row].group
            if let before = first[group], before != amount.magnitude { return false }
            first[group] = amount.magnitude
        }
        return true
    }

    /// The directions of sizes that the running balance gives; `nil` if it does not lead from row to row.
    ///
    /// The oldest row of each account has no balance before it: it stays open.
    private func unsigned(_ sizes: [Amount?], newestFirst: Bool) -> (amounts: [Amount], open: [Int])? {
        guard let balances, count > 1 else { return nil }
        var amounts = Array(repeating: Amount.zero, count: count)
        var open: [Int] = []
        var known: [Amount?] = Array(repeating: nil, count: max(rows.groups.count, 1))
        for step in 0..<count {
            let row = newestFirst ? count - 1 - step : step
            let group = rows.entries[row].group
            guard let balance = balances[row], let size = sizes[row] else { return nil }
            if let before = known[group] {
                let change = balance - before
                guard change.magnitude == size.magnitude else { return nil }
                amounts[row] = change
            } else {
                amounts[row] = size.magnitude
                if size != .zero { open.append(row) }
            }
            known[group] = balance
        }
        return open.count < count ? (amounts, open) : nil
    }

    /// The amounts that a rule gives; `nil` if it does not fit some row.
    private func amounts(_ rule: CSVRule) -> [Amount]? {
        var result: [Amount] = []
        result.reserveCapacity(count)
        switch rule {
        case .signed(let place), .turned(let place):
            for value in column(place) {
                guard let value else { return nil }
                if case .turned = rule { result.append(-value) } else { result.append(value) }
            }
        case .lessFee(let place, let fee):
            for (value, less) in zip(column(place), column(fee)) {
                guard let value else { return nil }
                // A fee that is written with a minus sign is less already.
                result.append(value - (less ?? .zero).magnitude)
            }
        case .pair(let debit, let credit):
            let (out, into) = (column(debit), column(credit))
            for row in 0..<count {
                let (left, right) = (out[row] ?? .zero, into[row] ?? .zero)
                guard left == .zero || right == .zero else { return nil }
                result.append(right.magnitude - left.magnitude)
            }
            guard hasOneSign(out), hasOneSign(into) else { return nil }
        case .byCurrency(let places):
            let columns = places.map { column($0) }
            for row in 0..<count {
                let filled = columns.compactMap { $0[row] }.filter { $0 != .zero }
                guard filled.count <= 1 else { return nil }
                result.append(filled.first ?? .zero)
            }
        case .direction(let place, let by):
            guard let marks = marks(by) else { return nil }
            let values = column(place)
            var signs: [AmountCell.Mark: Bool] = [:]
            for row in 0..<count {
                guard let value = values[row] else { return nil }
                let mark = marks[row]
                if value != .zero {
                    // Each word goes with one sign only.
                    if let before = signs[mark], before != (value > .zero) { return nil }
                    signs[mark] = value > .zero
                }
                result.append(mark == .credit ? value.magnitude : -value.magnitude)
            }
        case .unsigned: return nil
        }
        return result
    }

    func hasOneSign(_ values: [Amount?]) -> Bool {
        !values.contains { $0.map { $0 > .zero } ?? false } || !values.contains { $0.map { $0 < .zero } ?? false }
    }

    /// What a direction column says of each row; an empty cell is the other direction than the only one it names.
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

    // MARK: Solving

    /// The readings under which every running balance holds.
    private func proven(datesFall: Bool?) throws(StatementError) -> Reading? {
        guard balances != nil else { return nil }
        // What the structure speaks for comes first; a column that is turned or without signs only where nothing else holds.
        var tiers: [[CSVRule]] = [rows.plan.rules]
        tiers.append(rows.plan.rules.compactMap { if case .signed(let place) = $0 { .turned(place) } else { nil } })
        for tier in tiers {
            var found: [Reading] = []
            for rule in tier {
                // Without any minus the oldest row would stay open, and where a direction is told sizes say nothing.
                switch rule {
                case .signed(let place) where isUnsigned(place) || hasDirection(found, place): continue
                case .turned(let place) where isUnsigned(place): continue
                default: break
                }
                guard let amounts = amounts(rule) else { continue }
                let orders = self.orders(holding: amounts, datesFall: datesFall)
                guard !orders.all.isEmpty, !found.contains(where: { $0.amounts == amounts }) else { continue }
                found.append(
                    Reading(
                        rule: rule, amounts: amounts, isNewestFirst: orders.chosen(datesFall ?? settings.isNewestFirst),
                        isOrderProven: orders.isProven, isOrderOpen: orders.isOpen, isProven: true,
                        by: "running balance"))
            }
            if found.count > 1 { found = try distinguished(found) }
            guard let only = found.first else { continue }
            if case .signed(let place) = only.rule, only.isOrderOpen {
                let turned = orders(holding: only.amounts.map { -$0 }, datesFall: datesFall)
                if !turned.all.isEmpty { throw twoSigns(place) }
            }
            return only
        }
        return try provenUnsigned(datesFall: datesFall)
    }

    private func isUnsigned(_ place: Int) -> Bool { !column(place).contains { $0.map { $0 < .zero } ?? false } }

    private func hasDirection(_ found: [Reading], _ place: Int) -> Bool {
        found.contains { if case .direction(place, _) = $0.rule { true } else { false } }
    }

    /// Of several readings that hold, the net one where it is the gross one less the fee in every row.
    ///
    /// Readings that all hold differ only in rows that no balance stands before.
    private func distinguished(_ found: [Reading]) throws(StatementError) -> [Reading] {
        let fees = rows.plan.table.columns.places(.fee).first { rows.columns.contains($0) || rows.plan.fee == $0 }
        if let fee = rows.plan.fee ?? fees,
            found.contains(where: { if case .lessFee = $0.rule { true } else { false } })
        {
            throw feeOpen(fee)
        }
        let nets = Set(rows.plan.table.columns.places(.net))
        if case .signed(let place) = found[0].rule, nets.contains(place) { return [found[0]] }
        throw StatementError(
            .malformed,
            "columns '\(names(found[0].rule))' and '\(names(found[1].rule))' both lead from balance to balance; set csv.amount: \(names(found[0].rule)), or: assay statements profile FILE"
        )
    }

    func names(_ rule: CSVRule) -> String { rule.columns.map { rows.name($0) }.joined(separator: "' and '") }

    private func provenUnsigned(datesFall: Bool?) throws(StatementError) -> Reading? {
        for rule in rows.plan.rules {
            guard case .signed(let place) = rule, !column(place).contains(where: { $0.map { $0 < .zero } ?? true })
            else {
                continue
            }
            var found: [(reading: Reading, open: [Int])] = []
            for order in [false, true] {
                guard let solved = unsigned(column(place), newestFirst: order) else { continue }
                let reading = Reading(
                    rule: .unsigned(place), amounts: solved.amounts, isNewestFirst: order, isOrderProven: true,
                    isProven: true, by: "running balance")
                found.append((reading, solved.open))
            }
            if found.count == 2, let datesFall { found = found.filter { $0.reading.isNewestFirst == datesFall } }
            guard let only = found.first else { continue }
            guard found.count == 1 else { throw noDirection(place) }
            return try close(only.reading, only.open, place)
        }
        return nil
    }

    /// Gives the oldest rows the direction that their type, or a stated balance, tells.
    private func close(_ reading: Reading, _ open: [Int], _ place: Int) throws(StatementError) -> Reading {
        var reading = reading
        for row in open {
            let size = reading.amounts[row]
            if let learned = learned(row, from: reading.amounts, except: open) {
                reading.amounts[row] = learned ? size : -size
                continue
            }
            let balance = balances?[row] ?? .zero
            if let opening = statedOpening, open.count == 1 {
                if opening + size == balance { continue }
                if opening - size == balance {
                    reading.amounts[row] = -size
                    continue
                }
            }
            throw StatementError(
                .malformed,
                "row \(rows.entries[row].number): \(size) may be money in or out: the balance before it is \(balance - size) or \(balance + size); set csv.opening_balance"
            )
        }
        return reading
    }

    /// Whether the other rows with the type of `row` all bring money in, or all take it out.
    private func learned(_ row: Int, from amounts: [Amount], except open: [Int]) -> Bool? {
        for index in rows.typeColumns.indices {
            let value = rows.type(index, of: row)
            guard !value.isEmpty else { continue }
            let same = amounts.indices.filter {
                !open.contains($0) && amounts[$0] != .zero && rows.type(index, of: $0).isSame(as: value)
            }
            guard !same.isEmpty else { continue }
            if same.allSatisfy({ amounts[$0] > .zero }) { return true }
            if same.allSatisfy({ amounts[$0] < .zero }) { return false }
        }
        return nil
    }

    /// The one reading of the table.
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

    /// The reading that the profile settles; the running balance must not say the opposite.
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
        let opposed = self.orders(holding: amounts.map { -$0 }, datesFall: datesFall)
        if !opposed.all.isEmpty, settings.amountSign == .card {
            (reading.isProven, reading.negatesBalances) = (true, true)
            (reading.isOrderProven, reading.isOrderOpen) = (opposed.isProven, opposed.isOpen)
            reading.isNewestFirst = opposed.chosen(reading.isNewestFirst)
            return reading
        }
        if !opposed.all.isEmpty {
            throw StatementError(
                .malformed,
                "the profile reads column '\(names(rule))' with plus as money in, the running balance in '\(rows.plan.balance.map { rows.name($0) } ?? "")' says the opposite (rows \(rows.entries[0].number) to \(rows.entries[count - 1].number)); check csv.amount_sign"
            )
        }
        judge(&reading)
        return reading
    }

    /// Chooses the order of a reading that no running balance proves, and says where the balance breaks.
    private func judge(_ reading: inout Reading) {
        guard balances != nil else { return }
        let all = [false, true].map { order in
            (order, links(reading.amounts, newestFirst: order))
        }
        guard let best = all.min(by: { $0.1.broken < $1.1.broken }), best.1.count > 0 else { return }
        reading.isBroken = true
        if best.1.mostlyHold {
            if all[0].1.broken != all[1].1.broken { reading.isNewestFirst = best.0 }
            reading.brokenRow = best.1.firstBroken
        }
    }

    /// The reading that the structure gives where no balance proves one.
    private func structural() throws(StatementError) -> Reading {
        if let fee = rows.plan.fee, rows.plan.rules.contains(where: { if case .lessFee = $0 { true } else { false } }) {
            throw feeOpen(fee)
        }
        let directed = rows.plan.rules.filter { if case .direction = $0 { true } else { false } }
        let readings = directed.compactMap { rule in amounts(rule).map { (rule, $0) } }
        if let first = readings.first {
            for other in readings.dropFirst() where other.1 != first.1 {
                throw StatementError(
                    .malformed,
                    "columns '\(directionName(first.0))' and '\(directionName(other.0))' differ on which way money went; set csv.type_column and csv.credit_values, or: assay statements profile FILE"
                )
            }
            return Reading(
                rule: first.0, amounts: first.1, isNewestFirst: false, by: "column '\(directionName(first.0))'")
        }
        for rule in rows.plan.rules {
            if case .pair = rule {
                if let amounts = amounts(rule) {
                    return Reading(rule: rule, amounts: amounts, isNewestFirst: false, by: "columns '\(names(rule))'")
                }
                throw noFit(rule)
            }
        }
        for rule in rows.plan.rules {
            switch rule {
            case .signed(let place):
                let fallback = try signed(place)
                return Reading(rule: rule, amounts: fallback.amounts, isNewestFirst: false, by: fallback.by)
            case .byCurrency:
                guard let amounts = amounts(rule) else { throw noFit(rule) }
                guard amounts.contains(where: { $0 < .zero }) else { throw noDirection(rule.columns[0]) }
                return Reading(rule: rule, amounts: amounts, isNewestFirst: false, by: "signs")
            default: continue
            }
        }
        throw StatementError(
            .malformed,
            "no column of amounts is found; set csv.amount, or csv.debit and csv.credit, or: assay statements profile FILE"
        )
    }

    private func directionName(_ rule: CSVRule) -> String {
        if case .direction(_, let by) = rule { return rows.name(by) }
        return names(rule)
    }

    /// The amounts of a column whose signs say the direction.
    private func signed(_ place: Int) throws(StatementError) -> (amounts: [Amount], by: String) {
        guard let index = rows.columns.firstIndex(of: place) else { throw noDirection(place) }
        let stride = rows.columns.count
        let values = column(place)
        var (negatives, plain, credits, debits) = (0, 0, 0, 0)
        for row in 0..<count {
            guard let cell = rows.cells[row * stride + index], let value = values[row] else {
                throw noFit(.signed(place))
            }
            if value == .zero { continue }
            switch cell.mark {
            case .credit: credits += 1
            case .debit: debits += 1
            case .none:
                if value < .zero { negatives += 1 } else if !cell.hasPlus { plain += 1 }
            }
        }
        let amounts = values.map { $0 ?? .zero }
        if negatives > 0 || debits > 0 || plain == 0 { return (amounts, debits + credits > 0 ? "CR and DR" : "signs") }
        guard credits > 0 else { throw noDirection(place) }
        // Beside CR, an amount without a mark went out.
        let turned = (0..<count).map { row -> Amount in
            rows.cells[row * stride + index]?.mark == .credit ? amounts[row] : -amounts[row]
        }
        return (turned, "CR")
    }
}

/// What a profile settles beforehand.
struct CSVSettings {
    var rule: CSVRule?
    var amountSign: AmountSign?
    var dateOrder: DateOrder?
    var dates: DatePattern?
    var decimal: UInt8?
    var isNewestFirst: Bool?
}
