extension CSVSolver {
    func twoSigns(_ place: Int) -> StatementError {
        StatementError(
            .malformed,
            "the equal amounts in '\(rows.name(place))' lead from balance to balance with either sign, since nothing tells the order of their rows; set csv.amount_sign: bank (plus is money in) or card (plus is a charge)"
        )
    }

    func noDirection(_ place: Int) -> StatementError {
        let known = rows.plan.types.first
        var words: [String] = []
        if let known, let index = rows.typeColumns.firstIndex(of: known) {
            words = Array(Set((0..<min(count, 1000)).map { rows.type(index, of: $0).text })).filter { !$0.isEmpty }
                .sorted()
        }
        let type =
            words.isEmpty
            ? "no column says"
            : "'\(known.map { rows.name($0) } ?? "")' (\(words.prefix(6).joined(separator: ", "))) does not say"
        return StatementError(
            .malformed,
            "no amount in '\(rows.name(place))' has a sign, and \(type) which way money went; set csv.credit_values and csv.debit_values, or csv.amount_sign: bank (plus is money in) or card (plus is a charge)"
        )
    }

    func noFit(_ rule: CSVRule) -> StatementError {
        guard case .pair(let debit, let credit) = rule else {
            return StatementError(
                .malformed,
                "column '\(names(rule))' does not hold one amount in every row; set csv.amount, or: assay statements profile FILE"
            )
        }
        let (out, into) = (column(debit), column(credit))
        let both = (0..<count).first { (out[$0] ?? .zero) != .zero && (into[$0] ?? .zero) != .zero }
        if let both {
            return StatementError(
                .malformed,
                "row \(rows.number(of: both)) has both a debit and a credit; set csv.amount to the column that decides, or: assay statements profile FILE"
            )
        }
        return StatementError(
            .malformed,
            "column '\(out.hasOneSign ? rows.name(credit) : rows.name(debit))' has both signs, and no running balance says what they mean; set csv.amount, or: assay statements profile FILE"
        )
    }

    func feeOpen(_ fee: Int) -> StatementError {
        let gross = rows.plan.rules.lazy.compactMap { if case .signed(let place) = $0 { place } else { nil } }.first
        return StatementError(
            .malformed,
            "column '\(rows.name(fee))' may or may not be part of '\(gross.map { rows.name($0) } ?? "Amount")'; set csv.fee: \(rows.name(fee)), or csv.fee: none"
        )
    }
}
