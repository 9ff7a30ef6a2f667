extension CSVSolver {
    /// The number of rows whose balance follows from the row before, and of rows whose balance does not.
    struct Links {
        var count = 0
        var broken = 0
        var firstBroken: Int?

        var hold: Bool { count > 0 && broken == 0 }
        /// Whether most of them hold.
        var mostlyHold: Bool { count > 0 && broken * 2 <= count }
    }

    func links(_ amounts: CSVAmounts, newestFirst: Bool, stopsAtBroken: Bool = false) -> Links {
        guard let balances else { return Links() }
        var result = Links()
        var known: [Amount?] = Array(repeating: nil, count: max(rows.groups.count, 1))
        for step in 0..<count {
            let row = newestFirst ? count - 1 - step : step
            let group = rows.group(of: row)
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
    struct Orders {
        var all: [Bool]
        /// Whether only one holds, and would not by chance.
        var isProven: Bool
        /// Whether nothing tells which of the two it is.
        var isOpen: Bool

        func chosen(_ known: Bool?) -> Bool { known.flatMap { all.contains($0) ? $0 : nil } ?? all.first ?? false }
    }

    /// Returns the row orders in which each balance leads to the next. Equal amounts fit both orders, so only dates
    /// decide between them.
    func orders(holding amounts: CSVAmounts, datesFall: Bool?) -> Orders {
        let known = datesFall ?? settings.isNewestFirst
        var all = [false, true].filter { links(amounts, newestFirst: $0, stopsAtBroken: true).hold }
        let isEven = all.isEmpty || isEven(amounts)
        if isEven, let known { all.removeAll { $0 != known } }
        return Orders(
            all: all, isProven: all.count == 1 && !isEven, isOpen: known == nil && (all.count == 2 || isEven))
    }

    /// Returns whether the rows of each account move equal amounts.
    private func isEven(_ amounts: CSVAmounts) -> Bool {
        var first: [Amount?] = Array(repeating: nil, count: max(rows.groups.count, 1))
        for row in 0..<count {
            let amount = amounts[row]
            guard amount != .zero else { continue }
            let group = rows.group(of: row)
            if let before = first[group], before != amount.magnitude { return false }
            first[group] = amount.magnitude
        }
        return true
    }

    /// Returns the amounts of sizes whose directions the running balance gives; `nil` if it does not lead from row to
    /// row.
    ///
    /// The oldest row of each account has no balance before it: it stays open.
    private func unsigned(_ sizes: CSVValues, newestFirst: Bool) -> (amounts: CSVAmounts, open: [Int])? {
        guard let balances, count > 1 else { return nil }
        var isOut = Array(repeating: false, count: count)
        var open: [Int] = []
        var known: [Amount?] = Array(repeating: nil, count: max(rows.groups.count, 1))
        for step in 0..<count {
            let row = newestFirst ? count - 1 - step : step
            let group = rows.group(of: row)
            guard let balance = balances[row], let size = sizes[row] else { return nil }
            if let before = known[group] {
                let change = balance - before
                guard change.magnitude == size.magnitude else { return nil }
                isOut[row] = change < .zero
            } else if size != .zero {
                open.append(row)
            }
            known[group] = balance
        }
        return open.count < count ? (CSVAmounts(sizes: sizes, isOut: isOut), open) : nil
    }

    /// Returns the reading under which every running balance holds.
    func proven(datesFall: Bool?) throws(StatementError) -> Reading? {
        guard balances != nil else { return nil }
        // What the structure speaks for comes first; a column that is turned or without signs only where nothing else
        // holds.
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
                guard !orders.all.isEmpty, !found.contains(where: { $0.amounts.isSame(as: amounts) }) else { continue }
                found.append(
                    Reading(
                        rule: rule, amounts: amounts, isNewestFirst: orders.chosen(datesFall ?? settings.isNewestFirst),
                        isOrderProven: orders.isProven, isOrderOpen: orders.isOpen, isProven: true,
                        by: "running balance"))
            }
            if found.count > 1 { found = try distinguished(found) }
            guard let only = found.first else { continue }
            if case .signed(let place) = only.rule, only.isOrderOpen {
                let turned = orders(holding: only.amounts.turned, datesFall: datesFall)
                if !turned.all.isEmpty { throw twoSigns(place) }
            }
            return only
        }
        return try provenUnsigned(datesFall: datesFall)
    }

    private func isUnsigned(_ place: Int) -> Bool { !column(place).contains { $0 < .zero } }

    private func hasDirection(_ found: [Reading], _ place: Int) -> Bool {
        found.contains { if case .direction(place, _) = $0.rule { true } else { false } }
    }

    /// Returns the net reading of several that hold, if it is the gross one minus the fee in every row.
    ///
    /// Readings that all hold differ only in rows without a balance before them.
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

    private func provenUnsigned(datesFall: Bool?) throws(StatementError) -> Reading? {
        for rule in rows.plan.rules {
            guard case .signed(let place) = rule, isUnsigned(place) else { continue }
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
                if !learned { reading.amounts.turn(row) }
                continue
            }
            let balance = balances?[row] ?? .zero
            if let opening = statedOpening, open.count == 1 {
                if opening + size == balance { continue }
                if opening - size == balance {
                    reading.amounts.turn(row)
                    continue
                }
            }
            throw StatementError(
                .malformed,
                "row \(rows.number(of: row)): \(size) may be money in or out: the balance before it is \(balance - size) or \(balance + size); set csv.opening_balance"
            )
        }
        return reading
    }

    /// Returns whether the other rows with the type of `row` all bring money in, or all take it out.
    private func learned(_ row: Int, from amounts: CSVAmounts, except open: [Int]) -> Bool? {
        for index in rows.typeColumns.indices {
            let value = rows.type(index, of: row)
            guard !value.isEmpty else { continue }
            var (into, out) = (0, 0)
            for other in 0..<count where rows.type(index, of: other).isSame(as: value) && !open.contains(other) {
                if amounts[other] > .zero { into += 1 } else if amounts[other] < .zero { out += 1 }
            }
            if into > 0, out == 0 { return true }
            if out > 0, into == 0 { return false }
        }
        return nil
    }
}
