extension CSVReader {
    /// Reads a table whose header is that of a known export.
    ///
    /// Knowledge of an export is weaker evidence than the file itself: where the file contradicts it, the file is read
    /// as
    /// any
    /// other. But a card is known by nothing else: if it does not fit, the direction of money is unknown.
    static func read(
        _ reading: Reading, _ table: CSVTable, as builtIn: BuiltInProfile
    ) throws(StatementError) -> [Statement] {
        do throws(StatementError) {
            let reader = try CSVReader(reading, table, builtIn.profile)
            let statements = try reader.solved(try CSVPlan(builtIn.profile, reader.survey))
            try builtIn.check(statements)
            return statements.map { builtIn.named($0) }
        } catch {
            guard builtIn.profile.amountSign != .card, error.code != .empty, error.code != .tooLarge else {
                throw error
            }
            let reader = try CSVReader(reading, table, nil)
            return try reader.solved(CSVPlan(reader.survey)).map { statement in
                var statement = statement
                let reason = Evidence(
                    "profile left aside", "\(builtIn.names[0]): \(error.reason)", by: "the file itself")
                statement.evidence.insert(reason, at: 0)
                return statement
            }
        }
    }
}

extension StatementError {
    /// The message without its kind.
    fileprivate var reason: String {
        let prefix = "\(code.rawValue): "
        return message.hasPrefix(prefix) ? String(message.dropFirst(prefix.count)) : message
    }
}

extension CSVProfile {
    /// Returns the profile with what `other` says of what it leaves open.
    func completed(by other: CSVProfile) -> CSVProfile {
        var result = self
        if dateFormat == nil { result.dateOrder = dateOrder ?? other.dateOrder }
        result.accountType = accountType ?? other.accountType
        result.account = account ?? other.account
        // Columns that a person names have signs and fees that only a person knows.
        let namesAmounts = amount != nil || debit != nil || credit != nil || typeColumn != nil
        guard !namesAmounts else { return result }
        result.amountSign = amountSign ?? other.amountSign
        result.amount = other.amount
        result.fee = fee ?? other.fee
        return result
    }
}

extension BuiltInProfile {
    /// Returns the statement with the evidence that comes from here.
    fileprivate func named(_ statement: Statement) -> Statement {
        var statement = statement
        let source = "built-in '\(names[0])'"
        statement.evidence =
            [Evidence(Evidence.profile, names[0], by: "header")]
            + statement.evidence.map { evidence in
                var evidence = evidence
                if evidence.by == "profile" || evidence.by.hasPrefix("csv.") { evidence.by = source }
                return evidence
            }
        // Whose signs are known assumes nothing.
        if profile.amountSign != nil { statement.flags.remove(.directionAssumed) }
        return statement
    }

    /// Checks that a card's charges and payments are where the bank writes them.
    ///
    /// - Throws: ``StatementError`` `malformed` where they cannot.
    func check(_ statements: [Statement]) throws(StatementError) {
        guard profile.amountSign == .card else { return }
        for statement in statements {
            let amounts = statement.entries.map(\.amount).filter { $0 != .zero }
            if !amounts.isEmpty, amounts.allSatisfy({ $0 > .zero }) {
                throw StatementError(
                    .malformed,
                    "'\(names[0])' writes charges with a plus, and this file has only amounts below zero; set csv.amount_sign: bank (plus is money in) or card (plus is a charge)"
                )
            }
            let sides = CardPayments(statement.entries)
            guard sides.amongCharges == 0 else {
                throw StatementError(
                    .malformed,
                    sides.amongPayments > 0
                        ? "payments to the card stand on both sides; set csv.amount_sign: bank (plus is money in) or card (plus is a charge)"
                        : "'\(names[0])' writes charges with a plus, and payments to the card stand among them; set csv.amount_sign: bank (plus is money in) or card (plus is a charge)"
                )
            }
        }
    }
}

/// The sides of a card's statement on which payments to the card are.
private struct CardPayments {
    private(set) var amongCharges = 0
    private(set) var amongPayments = 0

    init(_ entries: [Entry]) {
        for entry in entries where CSVKind.isCardPayment(entry.text) {
            if entry.amount < .zero { amongCharges += 1 } else { amongPayments += 1 }
        }
    }
}
