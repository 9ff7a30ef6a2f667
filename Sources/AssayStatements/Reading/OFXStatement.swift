extension OFXReader {
    /// The types that move money out, and those that move it in, where no amount has a sign.
    private static let out: Set<String> = [
        "DEBIT", "CHECK", "FEE", "SRVCHG", "POS", "ATM", "PAYMENT", "CASH", "DIRECTDEBIT", "REPEATPMT",
    ]
    private static let into: Set<String> = ["CREDIT", "DEP", "INT", "DIV", "DIRECTDEP"]

    /// Ends a statement: only with all of its amounts is it known how they are written.
    mutating func endStatement(at offset: Int) throws(StatementError) {
        guard var done = statement else { return }
        statement = nil
        defer {
            cells = []
            details = []
        }
        if isCard { done.accountType = .card }
        let decimal = try decimal(of: done)
        for index in done.entries.indices {
            guard let amount = cells[index].value(decimal: decimal) else {
                throw reading.malformed(
                    "entry \(index + 1): the amount is beyond 10^15 or has more than nine decimals; export CSV",
                    at: details[index].offset)
            }
            done.entries[index].amount = amount
        }
        try turnUnsigned(&done)
        try Reading.checkPeriod(done.from, done.to)
        if let amount = balance.amount?.value(decimal: decimal) { done.close(with: amount, on: balance.day) }
        done.flagRepeatedIds()
        try convert(&done)
    }

    /// Returns the mark before the decimals of a statement's amounts.
    private func decimal(of statement: Statement) throws(StatementError) -> UInt8 {
        var choice = DecimalChoice()
        for (index, cell) in cells.enumerated() { choice.see(cell, row: index) }
        if let amount = balance.amount { choice.see(amount, row: cells.count) }
        func place(_ index: Int?) -> Int { index.map { $0 < details.count ? details[$0].offset : balance.offset } ?? 0 }
        if choice.isContradictory {
            throw reading.malformed(
                "amounts use both ',' and '.' for decimals (lines \(reading.line(at: place(choice.pointRow))) and \(reading.line(at: place(choice.commaRow)))); export CSV",
                at: place(choice.commaRow))
        }
        if let proven = choice.proven { return proven }
        // The format has a point; one comma before exactly three digits could be either mark.
        if let row = choice.ambiguousRow, !(row < cells.count ? cells[row] : balance.amount ?? AmountCell()).writesPoint
        {
            throw reading.malformed(
                "an amount has a comma before three digits, which may group thousands; export CSV", at: place(row))
        }
        return DecimalChoice.point
    }

    /// Gives amounts without any sign the direction that their types have.
    private func turnUnsigned(_ statement: inout Statement) throws(StatementError) {
        let moved = statement.entries.indices.filter { statement.entries[$0].amount != .zero }
        if let sign = settings.amountSign {
            statement.evidence.append(
                Evidence("direction", "plus is \(sign == .card ? "a charge" : "money in")", by: "ofx.amount_sign"))
            if sign == .card {
                for index in moved { statement.entries[index].amount = -statement.entries[index].amount }
            }
            return
        }
        guard !moved.isEmpty, moved.allSatisfy({ statement.entries[$0].amount > .zero }) else { return }
        var seen = Set<String>()
        for index in moved {
            let type = details[index].type.text.uppercased()
            seen.insert(type)
            if OFXReader.into.contains(type) { continue }
            guard OFXReader.out.contains(type) else {
                throw reading.malformed(
                    "no amount has a sign, and TRNTYPE \(type.isEmpty ? "is missing" : "'\(type.prefix(20))'") does not say which way money went; set ofx.amount_sign: bank (plus is money in) or card (plus is a charge)",
                    at: details[index].offset)
            }
            statement.entries[index].amount = -statement.entries[index].amount
        }
        statement.evidence.append(Evidence("direction", seen.sorted().joined(separator: " "), by: "TRNTYPE"))
    }

    /// Converts entries in other currencies at their own rate; those without a rate get a statement of their own.
    private mutating func convert(_ done: inout Statement) throws(StatementError) {
        guard details.contains(where: { $0.rate != nil }) else {
            statements.append(done)
            return
        }
        var others: [String: [Entry]] = [:]
        var order: [String] = []
        var kept: [Entry] = []
        let places = CurrencyCode.decimals(of: done.currency ?? "USD")
        for (index, entry) in done.entries.enumerated() {
            guard let rate = details[index].rate, let currency = rate.currency, currency.text != done.currency else {
                kept.append(entry)
                continue
            }
            if let factor = rate.rate, factor > .zero, factor.billionths != Amount.one {
                let (product, overflow) = entry.amount.billionths.multipliedReportingOverflow(by: factor.billionths)
                guard !overflow else {
                    throw reading.malformed(
                        "entry \(index + 1): the amount is out of range; export CSV", at: details[index].offset)
                }
                var converted = entry
                converted.amount = Amount(billionths: Amount.halfEven(product, Amount.one)).rounded(places: places)
                kept.append(converted)
                done.flags.insert(.convertedEntries)
                continue
            }
            if others[currency.text] == nil { order.append(currency.text) }
            others[currency.text, default: []].append(entry)
        }
        done.entries = kept
        statements.append(done)
        for currency in order {
            var other = Statement(account: done.account, currency: currency)
            (other.accountType, other.from, other.to) = (done.accountType, done.from, done.to)
            other.entries = others[currency] ?? []
            statements.append(other)
        }
    }
}

extension Statement {
    /// Takes a dated balance as the closing one, if its day is from the last entry to the day after the period.
    mutating func close(with amount: Amount, on day: Day?) {
        let last = entries.compactMap(\.day).max()
        guard let day else {
            flags.insert(.balanceUndated)
            statedBalance = StatedBalance(amount: amount, day: nil)
            return
        }
        // A period's end may be exclusive.
        let end = [to, last].compactMap { $0 }.max()
        if let last, day < last {
            flags.insert(.balanceBeforeLastEntry)
            statedBalance = StatedBalance(amount: amount, day: day)
        } else if let end, day > end + 1 {
            flags.insert(.balanceAfterPeriod)
            statedBalance = StatedBalance(amount: amount, day: day)
        } else {
            (closing, closingDay, derivesOpening) = (amount, day, opening == nil)
        }
    }

    /// Flags entries that repeat another's mark and content.
    mutating func flagRepeatedIds() {
        let ids = entries.compactMap(\.id)
        guard Set(ids).count < ids.count else { return }
        var seen: [String: Entry] = [:]
        for entry in entries {
            guard let id = entry.id else { continue }
            if let before = seen[id] {
                if before == entry { flags.insert(.repeatedIds) }
            } else {
                seen[id] = entry
            }
        }
    }
}
