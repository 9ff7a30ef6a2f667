/// A reader of tables without a header, for files whose columns can be assigned in only one way.
enum CSVHeaderless {
    static func read(_ reading: Reading) throws(StatementError) -> [Statement] {
        for delimiter in CSVTable.delimiters {
            guard let first = firstRow(reading, delimiter), first.count >= 3 else { continue }
            let table = CSVTable(
                delimiter: delimiter, headerRow: 0, columns: CSVColumns(first.map { _ in "" }), header: [])
            guard let survey = try? CSVSurvey(reading, table), survey.rows > 0 else { continue }
            let plans = plans(survey)
            guard !plans.isEmpty else { continue }
            if plans.count == 1, plans[0].balance == nil {
                return try CSVReader(reading, survey).solved(plans[0])
            }
            // A running balance proves which column is which.
            var found: [[Statement]] = []
            for plan in plans where plan.balance != nil {
                if let statements = try? CSVReader(reading, survey).solved(plan, onlyProven: true) {
                    found.append(statements)
                }
            }
            if found.count == 1 { return found[0] }
            if let plan = plans.first(where: { $0.balance != nil }), found.isEmpty, plans.count == 1 {
                return try CSVReader(reading, survey).solved(plan)
            }
        }
        throw noHeader(reading)
    }

    private static func firstRow(_ reading: Reading, _ delimiter: UInt8) -> [String]? {
        var scanner = CSVScanner(reading, delimiter: delimiter)
        while scanner.row < 10, (try? scanner.next()) == true {
            if !scanner.isBlank { return scanner.cells.map(\.text) }
        }
        return nil
    }

    private static func noHeader(_ reading: Reading) -> StatementError {
        var scanner = CSVScanner(reading, delimiter: UInt8(ascii: "\n"))
        let begins = (try? scanner.next()) == true ? scanner[0].bytes.quoted : "''"
        return StatementError(
            .malformed,
            "no header row names a date and an amount; rows begin \(begins); set csv.date: 0, csv.amount: 2 (columns count from 0), or: assay statements profile FILE",
            line: 1)
    }

    /// Returns the assignments that the columns allow: one date, and amounts with or without a balance.
    private static func plans(_ survey: CSVSurvey) -> [CSVPlan] {
        let columns = survey.columns
        let places = columns.indices
        let dates = places.filter { columns[$0].isDate && columns[$0].filled == survey.rows }
        guard dates.count == 1, let date = dates.first else { return [] }
        let amounts = places.filter { $0 != date && columns[$0].isAmount && columns[$0].nonZero > 0 }
        let whole = amounts.filter { columns[$0].filled == survey.rows }
        let partly = amounts.filter { columns[$0].filled < survey.rows }
        let texts = places.filter { !columns[$0].isAmount && $0 != date && columns[$0].filled > 0 }
        guard let text = texts.max(by: { columns[$0].length < columns[$1].length }) else { return [] }
        func plan(_ rules: [CSVRule], balance: Int?) -> CSVPlan {
            var plan = CSVPlan(table: survey.table)
            (plan.dates, plan.date, plan.rules, plan.balance) = ([date], date, rules, balance)
            plan.descriptions = [[text]]
            return plan
        }
        var result: [CSVPlan] = []
        for balance in whole {
            for amount in whole where amount != balance { result.append(plan([.signed(amount)], balance: balance)) }
            for debit in partly {
                for credit in partly
                where credit != debit && columns[debit].filled + columns[credit].filled == survey.rows {
                    result.append(plan([.pair(debit: debit, credit: credit)], balance: balance))
                }
            }
        }
        if whole.count == 1, result.isEmpty { result.append(plan([.signed(whole[0])], balance: nil)) }
        return result
    }
}
