extension CSVSolver {
    /// Returns the reading that the structure gives where no balance proves one.
    func structural() throws(StatementError) -> Reading {
        if let fee = rows.plan.fee, rows.plan.rules.contains(where: { if case .lessFee = $0 { true } else { false } }) {
            throw feeOpen(fee)
        }
        let directed = rows.plan.rules.filter { if case .direction = $0 { true } else { false } }
        let readings = directed.compactMap { rule in amounts(rule).map { (rule, $0) } }
        if let first = readings.first {
            for other in readings.dropFirst() where !other.1.isSame(as: first.1) {
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

    /// Returns the amounts of a column whose signs say the direction.
    private func signed(_ place: Int) throws(StatementError) -> (amounts: CSVAmounts, by: String) {
        guard let index = rows.columns.firstIndex(of: place) else { throw noDirection(place) }
        let cells = rows.cells[index]
        let values = column(place)
        guard let amounts = CSVAmounts(values, count: count) else { throw noFit(.signed(place)) }
        var (negatives, plain, credits, debits) = (0, 0, 0, 0)
        for row in 0..<count where amounts[row] != .zero {
            switch cells.mark(row) {
            case .credit: credits += 1
            case .debit: debits += 1
            case .none:
                if amounts[row] < .zero { negatives += 1 } else if !cells.hasPlus(row) { plain += 1 }
            }
        }
        if negatives > 0 || debits > 0 || plain == 0 { return (amounts, debits + credits > 0 ? "CR and DR" : "signs") }
        guard credits > 0 else { throw noDirection(place) }
        // Beside CR, an amount without a mark went out.
        return (CSVAmounts(sizes: values, isOut: (0..<count).map { cells.mark($0) != .credit }), "CR")
    }
}
