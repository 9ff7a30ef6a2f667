/// The last step of reading a table: the statements, once rows, amounts and dates are known.
struct CSVAssembly {
    private(set) var rows: CSVRows
    let values: [CSVValues]
    let solved: CSVSolver.Reading
    let dates: CSVDates.Decided
    let preamble: CSVPreamble
    let profile: CSVProfile?
    let reading: Reading
    let currency: String?
    /// The mark before decimals.
    let mark: UInt8

    private var isSigned: Bool {
        switch solved.rule {
        case .signed, .turned, .lessFee, .byCurrency: profile?.amountSign == nil
        case .pair, .direction, .unsigned: false
        }
    }

    /// Makes the statements; the rows hand over their entries.
    mutating func statements() throws(StatementError) -> [Statement] {
        var turns = false
        var flags: Set<FactorFlag> = []
        var type = profile?.accountType
        if isSigned { try judgeSigns(&turns, &flags) }
        if turns { type = type ?? .card }
        if profile?.amountSign == .card { type = type ?? .card }
        if type == nil, rows.plan.hasCardColumns != rows.plan.hasBankColumns {
            type = rows.plan.hasCardColumns ? .card : .bank
        }
        let orders = orders
        var reading = reading
        var result: [Statement] = []
        for (group, order) in orders.enumerated() {
            try reading.countStatement()
            var statement = Statement(
                account: rows.groups[group].account ?? account, currency: rows.groups[group].currency ?? currency)
            statement.accountType = rows.accountTypes[group] ?? type
            statement.flags = flags
            statement.entries = rows.takeEntries(of: group)
            if solved.isNewestFirst { statement.entries.reverse() }
            fill(&statement, order, turns: turns)
            if rows.groups.count == 1 { try useStated(&statement) }
            statement.evidence += evidence(turns)
            result.append(statement)
        }
        checkTotals(&result)
        // What is left out is counted once, where a file has several accounts.
        result[0].leftOut = leftOut(turns)
        for refusal in rows.refusals {
            guard let group = rows.groups.firstIndex(of: refusal.group) else { continue }
            result[group].refusals.append(refusal.date.flatMap { dates.day($0.cell, in: $0.column) })
        }
        return result
    }

    /// The account that a column with one value, or a row above the table, names.
    private var account: String? {
        if case .text(let text)? = profile?.account { return text }
        if case CSVProfile.Account.none? = profile?.account { return nil }
        if rows.groups.contains(where: { $0.account != nil }) { return nil }
        for place in rows.plan.otherAccounts {
            if let only = rows.onlyValue(of: place) { return only }
        }
        return preamble.account
    }

    private func evidence(_ turns: Bool) -> [Evidence] {
        let isTurned = if case .turned = solved.rule { true } else { false }
        var result = [
            Evidence(
                "direction", turns != isTurned ? "plus is a charge" : "plus is money in",
                by: turns ? "payments to a card" : solved.by),
            Evidence("date_order", dates.pattern.order.rawValue, by: dates.by),
            Evidence(
                "decimal", mark == DecimalChoice.comma ? "," : ".", by: profile == nil ? "amounts" : "csv.decimal"),
            Evidence(
                "order",
                solved.isOrderOpen ? "newest or oldest first" : solved.isNewestFirst ? "newest first" : "oldest first",
                by: solved.isOrderOpen
                    ? "nothing; set csv.order" : solved.isOrderProven ? "running balance" : "dates"),
        ]
        if let account = rows.plan.account { result.append(Evidence("account", rows.name(account), by: "column")) }
        return result
    }

    private func leftOut(_ turns: Bool) -> LeftOut {
        var result = rows.leftOut
        for cells in rows.pending { result.addPending(pendingAmount(cells, turns)) }
        return result
    }

    private func pendingAmount(_ cells: [AmountCell?], _ turns: Bool) -> Amount? {
        func value(_ place: Int) -> Amount? {
            rows.columns.firstIndex(of: place).flatMap { cells[$0] }?.value(decimal: mark)
        }
        switch solved.rule {
        case .signed(let place): return value(place).map { turns ? -$0 : $0 }
        case .turned(let place): return value(place).map { -$0 }
        case .pair(let debit, let credit):
            let (out, into) = (value(debit), value(credit))
            return out == nil && into == nil ? nil : (into ?? .zero).magnitude - (out ?? .zero).magnitude
        default: return nil
        }
    }

    // MARK: Signs

    /// Turns a signed column only if payments to a card are on its minus side.
    private func judgeSigns(_ turns: inout Bool, _ flags: inout Set<FactorFlag>) throws(StatementError) {
        let kind = CSVKind(rows, solved.amounts)
        let hasBoth = solved.amounts.contains { $0 > .zero } && solved.amounts.contains { $0 < .zero }
        if !rows.plan.hasBankColumns, kind.paymentsOut > 0 {
            if kind.paymentsIn > 0 {
                throw StatementError(
                    .malformed,
                    "payments to a card stand on both sides of '\(names)'; set csv.amount_sign: bank (plus is money in) or card (plus is a charge)"
                )
            }
            if hasBoth {
                turns = true
                return
            }
        }
        if rows.plan.hasBankColumns || kind.confirming > kind.contradicting || kind.paymentsIn > 0 { return }
        if kind.contradicting >= 3, kind.confirming == 0 {
            throw StatementError(
                .malformed,
                "the texts of \(kind.contradicting) rows say the opposite of the signs in '\(names)'; set csv.amount_sign: bank (plus is money in) or card (plus is a charge)"
            )
        }
        guard solved.isProven else {
            flags.insert(.directionAssumed)
            return
        }
        let isBelow = !values[balanceIndex ?? 0].contains { $0 >= .zero }
        if kind.contradicting > kind.confirming || isBelow && kind.confirming == 0 { flags.insert(.directionAssumed) }
    }

    private var names: String { solved.rule.columns.map { rows.name($0) }.joined(separator: "' and '") }
    private var balanceIndex: Int? { rows.plan.balance.flatMap { rows.columns.firstIndex(of: $0) } }

    // MARK: Entries and balances

    /// The rows of each account, oldest first.
    private var orders: [CSVOrder] {
        guard rows.groups.count > 1 else { return [CSVOrder(count: rows.count, isReversed: solved.isNewestFirst)] }
        var places: [[Int32]] = Array(repeating: [], count: rows.groups.count)
        for row in CSVOrder(count: rows.count, isReversed: solved.isNewestFirst) {
            places[rows.group(of: row)].append(Int32(row))
        }
        return places.map { CSVOrder($0) }
    }

    /// Sets the days and amounts of the entries, oldest first, and the balances that the running balance proves.
    private func fill(_ statement: inout Statement, _ order: CSVOrder, turns: Bool) {
        for (place, row) in order.enumerated() {
            let amount = solved.amounts[row]
            statement.entries[place].amount = turns ? -amount : amount
            statement.entries[place].day = dates.days[row]
        }
        if solved.isBroken { statement.contradictsTotals = true }
        // For a single row with turned signs it is unknown whether the balance is turned, too.
        let isTurned = if case .turned = solved.rule { true } else { turns }
        let isAlone = order.count == 1 && !solved.isBroken && !isTurned
        let isUsable = solved.isProven || solved.brokenRow != nil || isAlone
        if let index = balanceIndex, isUsable {
            let ends = ends(of: order, index, turns: turns)
            // Rows of one day whose balances form a circle have no known first row.
            if !solved.isOrderOpen || ends == self.ends(of: order.reversed(), index, turns: turns) {
                (statement.opening, statement.closing) = (ends.opening, ends.closing)
            }
        }
        if let row = solved.brokenRow, order.contains(row) {
            statement.brokenRow = rows.number(of: row)
            statement.evidence.append(
                Evidence(
                    "running balance", "does not lead to row \(rows.number(of: row))",
                    by: rows.name(rows.plan.balance ?? 0)))
        }
        if !solved.isProven { sortByDay(&statement) }
    }

    /// Returns the balances before and after rows, oldest first.
    private func ends(of order: some BidirectionalCollection<Int>, _ column: Int, turns: Bool) -> Ends {
        let balances = values[column]
        var result = Ends()
        if let first = order.first(where: { balances[$0] != nil }), let balance = balances[first] {
            var before = solved.amounts[first]
            for row in order { if row == first { break } else { before += solved.amounts[row] } }
            result.opening = opening(balance, before, turns)
        }
        if let last = order.last(where: { balances[$0] != nil }), let balance = balances[last] {
            var after = Amount.zero
            for row in order.reversed() { if row == last { break } else { after += solved.amounts[row] } }
            result.closing = opening(balance, -after, turns)
        }
        return result
    }

    private struct Ends: Equatable {
        var opening: Amount?
        var closing: Amount?
    }

    /// Returns the balance before entries that come to `sum`.
    private func opening(_ balance: Amount, _ sum: Amount, _ turns: Bool) -> Amount {
        if solved.negatesBalances { return -balance - sum }
        return turns ? -(balance - sum) : balance - sum
    }

    private func sortByDay(_ statement: inout Statement) {
        let days = statement.entries.compactMap(\.day)
        if zip(days, days.dropFirst()).allSatisfy({ $0 <= $1 }) { return }
        let entries = statement.entries
        statement.entries = entries.indices.sorted {
            (entries[$0].day ?? Day(number: 0), $0) < (entries[$1].day ?? Day(number: 0), $1)
        }.map { entries[$0] }
    }

    // MARK: What the file states

    private func useStated(_ statement: inout Statement) throws(StatementError) {
        if let period = try profile?.statedPeriod(in: reading, dates: dates.pattern) ?? preamble.period(dates.pattern) {
            (statement.from, statement.to) = period
        }
        try Reading.checkPeriod(statement.from, statement.to)
        if let profile { try useSummary(profile, &statement) }
        var ends: (from: Day?, to: Day?)
        for balance in preamble.balances {
            guard let amount = balance.amount.value(decimal: mark) else { continue }
            let day = balance.dates.last.flatMap { CSVPreamble.day($0, order: dates.pattern.order) }
            use(balance.kind, amount, day, inTable: false, &statement, &ends)
        }
        // Within the table a balance of a day is known by its own day; in the order of time.
        let last = statement.entries.lazy.compactMap(\.day).max()
        for balance in rows.balances {
            guard var amount = balance.amount.value(decimal: mark) else { continue }
            if balance.mark == .debit { amount = -amount.magnitude }
            let day = balance.date.flatMap { dates.pattern.day($0) ?? CSVPreamble.day($0, order: dates.pattern.order) }
            var kind = balance.kind
            if kind == .balance, let day, let last, day >= last { kind = .closing }
            if kind == .balance, day != nil { kind = .day }
            use(kind, amount, day, inTable: true, &statement, &ends)
        }
        if statement.from == nil, statement.to == nil, let from = ends.from, let to = ends.to, from <= to {
            (statement.from, statement.to) = (from, to)
        }
    }

    /// Holds the rows that state totals against the entries of the accounts they may be of.
    private func checkTotals(_ statements: inout [Statement]) {
        let totals = CSVTotals(rows, solved, pending: rows.pending.compactMap { pendingAmount($0, false) }, mark: mark)
        for wrong in totals.mismatches(closings: statements.map(\.closing)) {
            for group in wrong.groups {
                statements[group].contradictsTotals = true
                statements[group].evidence.append(
                    Evidence(
                        "total", "row \(wrong.row) says \(wrong.stated), which no sum of entries comes to",
                        by: rows.name(wrong.column)))
            }
        }
    }

    private func use(
        _ kind: Phrases.Kind, _ amount: Amount, _ day: Day?, inTable: Bool, _ statement: inout Statement,
        _ ends: inout (from: Day?, to: Day?)
    ) {
        switch kind {
        case .opening:
            if let known = statement.opening, known != amount { statement.contradictsTotals = true }
            statement.opening = amount
            if inTable { ends.from = day }
        case .closing:
            if let known = statement.closing, known != amount { statement.contradictsTotals = true }
            (statement.closing, statement.closingDay) = (amount, day)
            if statement.opening == nil { statement.derivesOpening = true }
            if inTable { ends.to = day }
        case .balance:
            if let known = statement.closing {
                // Undated it is a check, and no figure.
                if day == nil, known != amount { statement.statedBalance = StatedBalance(amount: amount, day: nil) }
                return
            }
            statement.close(with: amount, on: day)
        case .day:
            guard let day else { return }
            let sum = statement.entries.filter { $0.day.map { $0 <= day } ?? false }.reduce(Amount.zero) {
                $0 + $1.amount
            }
            if let opening = statement.opening {
                if opening + sum != amount { statement.contradictsTotals = true }
            } else {
                statement.opening = amount - sum
            }
        case .total: break
        }
    }

    /// Checks the entries against the totals that a profile points to.
    private func useSummary(_ profile: CSVProfile, _ statement: inout Statement) throws(StatementError) {
        guard let summary = profile.summaryRows else {
            try useBalances(profile, &statement)
            return
        }
        let style: AmountStyle = mark == DecimalChoice.comma ? .printedComma : .printed
        let head = try CSVHead(
            reading, delimiter: rows.plan.table.delimiter, rows: max(profile.rowsAbove, profile.headerRow ?? 0))
        let sums = statement.entries.reduce(into: (credits: Amount.zero, debits: Amount.zero)) { sums, entry in
            if entry.amount > .zero { sums.credits += entry.amount } else { sums.debits += entry.amount }
        }
        if let credits = try head.amount(row: summary.credits, style: style), credits.magnitude != sums.credits {
            statement.contradictsTotals = true
        }
        if let debits = try head.amount(row: summary.debits, style: style), debits.magnitude != sums.debits.magnitude {
            statement.contradictsTotals = true
        }
        if let opening = try head.amount(row: summary.opening, style: style) {
            if let known = statement.opening, known != opening { statement.contradictsTotals = true }
            statement.opening = opening
        }
        if let closing = try head.amount(row: summary.closing, style: style) {
            if let known = statement.closing, known != closing { statement.contradictsTotals = true }
            statement.closing = closing
        }
        try useBalances(profile, &statement)
    }

    private func useBalances(_ profile: CSVProfile, _ statement: inout Statement) throws(StatementError) {
        for (key, text) in [("opening_balance", profile.openingBalance), ("closing_balance", profile.closingBalance)] {
            guard let text else { continue }
            guard let amount = Amount(text) else {
                throw StatementError(.unsupported, "csv.\(key) '\(text)' is not an amount such as -1234.56")
            }
            let known = key == "opening_balance" ? statement.opening : statement.closing
            if let known, known != amount { statement.contradictsTotals = true }
            if key == "opening_balance" { statement.opening = amount } else { statement.closing = amount }
        }
    }
}
