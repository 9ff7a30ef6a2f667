import AssayStatements

/// Writes a model as the page of a PDF, in one of the ways of banks.
enum PDFWriter {
    private enum Shape: CaseIterable { case signed, sections, running, runningUnsigned }
    private enum Dates: CaseIterable { case slashes, short, noYear, name }

    static func write(_ model: TableModel, using numbers: inout SeededNumbers) -> WrittenFile {
        let account = model.accounts[0]
        guard let first = account.rows.first?.day, let last = account.rows.last?.day else {
            return WrittenFile(bytes: [])
        }
        let shape = numbers.one(of: Shape.allCases)
        let dates = numbers.one(of: Dates.allCases)
        var text = WrittenText(using: &numbers)
        text.group = numbers.isOnce(in: 4) ? "" : ","
        let mark = numbers.isOnce(in: 3) ? "$" : ""
        func money(_ cents: Int) -> String { cents < 0 ? "-" + mark + text.amount(-cents) : mark + text.amount(cents) }
        func row(_ row: TableModel.Row, _ columns: [String]) -> String {
            let check =
                numbers.isOnce(in: 4) && row.amount < 0 && shape != .signed
                ? Int.random(in: 100...9999, using: &numbers) : 0
            let label = check > 0 ? "\(check)   \(date(row.day, dates))" : "\(date(row.day, dates))   \(row.text)"
            hasTexts = hasTexts && check == 0
            return ([label.padding(to: 60)] + columns).joined(separator: "     ")
        }
        var hasTexts = true
        var lines = [
            "FIRST BANK", "Business Checking",
            "Statement period \(slashed(first)) to \(slashed(last))",
            "Beginning balance".padding(to: 60) + "     " + money(account.opening),
        ]
        if numbers.isOnce(in: 3) { lines += ["", "Ask us about our credit card with a high credit limit."] }
        var balance = account.opening
        switch shape {
        case .sections:
            lines += ["Deposits and other credits"]
            lines += account.rows.filter { $0.amount > 0 }.map { row($0, [money($0.amount)]) }
            lines += ["", "Withdrawals and other debits"]
            lines += account.rows.filter { $0.amount < 0 }.map { row($0, [money(-$0.amount)]) }
        case .signed: lines += account.rows.map { row($0, [money($0.amount)]) }
        case .running, .runningUnsigned:
            for entry in account.rows {
                balance += entry.amount
                lines.append(row(entry, [money(shape == .running ? entry.amount : abs(entry.amount)), money(balance)]))
            }
        }
        lines.append("Ending balance".padding(to: 60) + "     " + money(account.closing))
        return WrittenFile(
            bytes: pdf(lines.joined(separator: "\n")), hasTexts: hasTexts,
            mayBeUndated: dates == .noYear || dates == .name)
    }

    private static func slashed(_ day: Day) -> String {
        let (year, month, number) = WrittenText.parts(day)
        return "\(month)/\(number)/\(year)"
    }

    private static func date(_ day: Day, _ dates: Dates) -> String {
        let (year, month, number) = WrittenText.parts(day)
        let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        return switch dates {
        case .slashes: "\(month)/\(number)/\(year)"
        case .short: "\(month)/\(number)/\(year.suffix(2))"
        case .noYear: "\(month)/\(number)"
        case .name: "\(number) \(names[day.date.month - 1])"
        }
    }
}

extension String {
    /// The text with blanks behind it, up to a length.
    fileprivate func padding(to length: Int) -> String {
        self + String(repeating: " ", count: max(0, length - count))
    }
}
