import AssayStatements

/// Writes a model as QIF, in one of the ways of programs.
enum QIFWriter {
    private enum Dates: CaseIterable { case dayFirst, monthFirst, quicken, short, dots, iso }

    static func write(_ model: TableModel, using numbers: inout SeededNumbers) -> WrittenFile {
        var text = WrittenText(using: &numbers)
        text.isComma = numbers.isOnce(in: 3)
        if numbers.isOnce(in: 3) { text.group = text.isComma ? "." : "," }
        text.hasPlus = numbers.isOnce(in: 6)
        let dates = numbers.one(of: Dates.allCases)
        var lines: [String] = []
        let type = model.isCard ? "CCard" : "Bank"
        for account in model.accounts {
            let isNamed = model.accounts.count > 1 || numbers.isOnce(in: 2)
            if isNamed { lines += ["!Account", "N\(account.name)", "T\(type)", "^"] }
            lines.append("!Type:\(type)" + numbers.one(of: ["", " "]))
            if numbers.isOnce(in: 3), let first = account.rows.first {
                lines += [
                    "D\(date(first.day, dates))", "T\(text.amount(account.opening))", "POpening Balance",
                    "L[\(isNamed ? account.name : "Mine")]", "^",
                ]
            }
            let order = (0..<5).shuffled(using: &numbers)
            let isShuffled = numbers.isOnce(in: 3)
            let (hasBoth, hasSplits) = (numbers.isOnce(in: 3), numbers.isOnce(in: 4))
            for row in account.rows {
                let amount = text.amount(row.amount)
                let fields = [
                    ["D\(date(row.day, dates))"], hasBoth ? ["U\(amount)", "T\(amount)"] : ["T\(amount)"],
                    ["P\(row.text)"],
                    numbers.isOnce(in: 3) ? ["MNOTE", "CX", "N104"] : [],
                    hasSplits ? ["LGoods", "SGoods", "ENOTE", "$\(amount)"] : [],
                ]
                lines += (isShuffled ? order.map { fields[$0] } : fields).flatMap { $0 } + ["^"]
            }
        }
        if numbers.isOnce(in: 4) { lines += ["!Type:Cat", "NGoods", "E", "^"] }
        let mark: [UInt8] = numbers.isOnce(in: 6) ? [0xEF, 0xBB, 0xBF] : []
        var file = WrittenFile(bytes: mark + [UInt8]((lines.joined(separator: text.end) + text.end).utf8))
        file.told.format = .qif
        file.told.qif.dateOrder = dates == .dayFirst ? .day : .month
        file.told.qif.decimal = text.isComma ? "," : "."
        return file
    }

    private static func date(_ day: Day, _ dates: Dates) -> String {
        let (year, month, number) = WrittenText.parts(day)
        let date = day.date
        return switch dates {
        case .dayFirst: "\(number)/\(month)/\(year)"
        case .monthFirst: "\(month)/\(number)/\(year)"
        case .quicken: "\(date.month)/\(date.day < 10 ? " " : "")\(date.day)'\(year.suffix(2))"
        case .short: "\(date.month)/\(date.day)/\(year.suffix(2))"
        case .dots: "\(number).\(month).\(year)"
        case .iso: "\(year)-\(month)-\(number)"
        }
    }
}
