import AssayStatements

/// Writes a model as MT940, in one of the ways of banks.
enum MT940Writer {
    static func write(_ model: TableModel, using numbers: inout SeededNumbers) -> WrittenFile {
        let text = WrittenText(using: &numbers)
        let isEnclosed = numbers.isOnce(in: 4)
        let hasReference = isEnclosed || !numbers.isOnce(in: 4)
        let number = numbers.one(of: ["28C", "28"])
        let (hasEntryDay, hasFunds, padsAmounts) = (
            !numbers.isOnce(in: 3), numbers.isOnce(in: 5), numbers.isOnce(in: 5)
        )
        let reverses = numbers.isOnce(in: 4)
        let hasTotals = numbers.isOnce(in: 4)
        // Totals are those of the whole.
        let isPaged = !hasTotals && !isEnclosed && numbers.isOnce(in: 4)
        var (pending, hasTexts) = (0, true)
        var lines: [String] = []
        func amount(_ cents: Int) -> String { self.amount(cents, pads: padsAmounts) }
        for account in model.accounts {
            guard let first = account.rows.first?.day, let last = account.rows.last?.day else { continue }
            if isEnclosed { lines.append("{1:F01BANKNL2AXXXX0000000000}{2:O9400000000000BANKNL2AXXXX}{4:") }
            if hasReference { lines.append(":20:REF\(Int.random(in: 1...999, using: &numbers))") }
            lines += [
                ":25:\(account.name)", ":\(number):1/1",
                ":60F:\(self.balance(account.opening, first, account.currency, pads: padsAmounts))",
            ]
            var balance = account.opening
            for (index, row) in account.rows.enumerated() {
                let isReversed = reverses && numbers.isOnce(in: 2)
                let mark = row.amount < 0 ? (isReversed ? "RC" : "D") : (isReversed ? "RD" : "C")
                let value = WrittenText.compact(row.day).dropFirst(2)
                lines.append(
                    ":61:\(value)\(hasEntryDay ? "\(value.dropFirst(2))" : "")\(mark)\(hasFunds ? "R" : "")\(amount(row.amount))NTRFNONREF//B1"
                )
                let details = details(row.text, &numbers)
                hasTexts = hasTexts && !details.isEmpty
                lines += details
                balance += row.amount
                // A page ends, and the next one goes on.
                guard isPaged, index == account.rows.count / 2 else { continue }
                let carried = self.balance(balance, row.day, account.currency, pads: padsAmounts)
                lines += [":62M:\(carried)", "-"]
                if hasReference { lines.append(":20:REF2") }
                lines += [":25:\(account.name)", ":\(number):1/2", ":60M:\(carried)"]
            }
            if numbers.isOnce(in: 4) {
                pending += 1
                lines += [":61:\(WrittenText.compact(last).dropFirst(2))ED12,34NTRFNONREF", ":86:EXPECTED"]
            }
            if hasTotals {
                for (tag, rows) in [
                    ("90D", account.rows.filter { $0.amount < 0 }), ("90C", account.rows.filter { $0.amount > 0 }),
                ] {
                    lines.append(
                        ":\(tag):\(rows.count)\(account.currency)\(amount(rows.reduce(0) { $0 + abs($1.amount) }))")
                }
            }
            lines.append(":62F:\(self.balance(account.closing, last, account.currency, pads: padsAmounts))")
            if numbers.isOnce(in: 3) {
                lines.append(":64:\(self.balance(account.closing, last, account.currency, pads: padsAmounts))")
            }
            if numbers.isOnce(in: 4) { lines.append(":86:TEXT OF THE STATEMENT") }
            lines.append(isEnclosed ? "-}" : "-")
        }
        var before = numbers.isOnce(in: 4) && !isEnclosed ? ["BANKNL2A", "940", "BANKNL2A"] : []
        if numbers.isOnce(in: 8), !isEnclosed { before.insert("", at: 0) }
        return WrittenFile(
            bytes: [UInt8](((before + lines).joined(separator: text.end) + text.end).utf8), pending: pending,
            hasTexts: hasTexts)
    }

    private static func amount(_ cents: Int, pads: Bool) -> String {
        let size = abs(cents)
        // Zero cents may be left out behind the comma.
        let fraction = size % 100 == 0 ? "" : size % 10 == 0 ? "\(size % 100 / 10)" : WrittenText.two(size % 100)
        return (pads ? "000" : "") + "\(size / 100),\(fraction)"
    }

    private static func balance(_ cents: Int, _ day: Day, _ currency: String, pads: Bool) -> String {
        "\(cents < 0 ? "D" : "C")\(WrittenText.compact(day).dropFirst(2))\(currency)\(amount(cents, pads: pads))"
    }

    /// The lines of a text, some of which look like fields.
    private static func details(_ text: String, _ numbers: inout SeededNumbers) -> [String] {
        switch Int.random(in: 0..<6, using: &numbers) {
        case 0: []
        case 1: [":86:105?00DEBIT?20\(text)?21MORE?32NAME"]
        case 2: [":86:\(text)", "SECOND LINE", ":20:41 UHR"]
        case 3: [":86:/TRTP/TRANSFER/NAME/\(text)/REMI/", "62F IS NO BALANCE", "-5,00 IS TEXT"]
        default: [":86:\(text)"]
        }
    }
}
