import AssayStatements
import Foundation

/// Writes a model in a style.
struct TableWriter {
    let model: TableModel
    let style: TableStyle
    private var words: TableWords { TableWords.all[style.language] }
    /// The mark of a decimal comma would part cells of a file with commas.
    private var isComma: Bool { style.isComma }

    func bytes() -> [UInt8] {
        let end = style.ends == .line ? "\n" : style.ends == .carriage ? "\r" : "\r\n"
        let text = lines().joined(separator: end) + end
        switch style.text {
        case .utf8: return [UInt8](text.utf8)
        case .mark: return [0xEF, 0xBB, 0xBF] + [UInt8](text.utf8)
        case .utf16Little: return [0xFF, 0xFE] + text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        case .utf16Big: return [0xFE, 0xFF] + text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
        case .windows: return text.data(using: .windowsCP1252).map { [UInt8]($0) } ?? [UInt8](text.utf8)
        }
    }

    /// The columns, in the order of the style.
    private var columns: [String] {
        var names = [words.date, words.description]
        switch style.amounts {
        case .signed, .unsigned: names.append(words.amount)
        case .pair, .signedPair: names += [words.debit, words.credit]
        case .direction: names += [words.amount, words.direction]
        }
        if style.hasBalance { names.append(words.balance) }
        if style.hasPending { names.append(words.status) }
        if style.hasAccount || model.accounts.count > 1 && Set(model.accounts.map(\.name)).count > 1 {
            names.append(words.account)
        }
        if style.hasCurrency || Set(model.accounts.map(\.currency)).count > 1 { names.append(words.currency) }
        if style.hasCounterparty { names.append(words.counterparty) }
        var numbers = SeededNumbers(state: style.columnOrder)
        return style.columnOrder == 0 ? names : names.shuffled(using: &numbers)
    }

    private func lines() -> [String] {
        let columns = columns
        var rows: [(place: Int, line: String)] = []
        for account in model.accounts {
            var balance = account.opening
            for row in account.rows {
                balance += row.amount
                let cells = cells(row, balance: balance, account, status: words.booked)
                rows.append((Int(row.day.number), line(columns.map { cells[$0] ?? "" })))
            }
        }
        rows = rows.enumerated().sorted { ($0.element.place, $0.offset) < ($1.element.place, $1.offset) }.map(\.element)
        if style.isNewestFirst { rows.reverse() }
        var lines = rows.map(\.line)
        if style.hasPending, let account = model.accounts.first, let last = account.rows.last {
            var cells = cells(
                TableModel.Row(day: last.day, amount: -1234, text: "NOT BOOKED"), balance: 0, account,
                status: words.pending)
            cells[words.balance] = ""
            lines.insert(line(columns.map { cells[$0] ?? "" }), at: style.isNewestFirst ? 0 : lines.count)
        }
        if style.repeatsHeader, lines.count > 2 { lines.insert(line(columns), at: lines.count / 2) }
        return above() + [line(columns)] + lines + below(columns)
    }

    private func above() -> [String] {
        let one = model.accounts.count == 1 ? model.accounts[0] : nil
        switch style.preamble {
        case 1: return ["Export of movements", ""]
        case 2:
            guard let one, !style.isTurned, !model.isCard else { return ["Export"] }
            return [line([words.opening, amount(one.opening)]), line([words.closing, amount(one.closing)]), ""]
        case 3: return ["sep=\(style.delimiter)"]
        default: return []
        }
    }

    private func below(_ columns: [String]) -> [String] {
        let one = model.accounts.count == 1 ? model.accounts[0] : nil
        switch style.footer {
        case 1: return ["", "Disclaimer:", "Made by a filter, no liability."]
        case 2:
            let cells = [words.description: words.total]
            return [line(columns.map { cells[$0] ?? "" })]
        case 3:
            guard let one, let last = one.rows.last, style.amounts == .signed, !style.isTurned, !model.isCard else {
                return []
            }
            let cells = [
                words.date: date(last.day), words.description: words.closing, words.amount: amount(one.closing),
            ]
            return [line(columns.map { cells[$0] ?? "" })]
        case 4:
            guard let one else { return [] }
            return [total(one, columns)]
        default: return []
        }
    }

    /// A row with what the entries come to.
    private func total(_ account: TableModel.Account, _ columns: [String]) -> String {
        let amounts = account.rows.map(\.amount)
        let (into, out) = (amounts.filter { $0 > 0 }.reduce(0, +), amounts.filter { $0 < 0 }.reduce(0, +))
        var cells = [words.description: words.total]
        switch style.amounts {
        case .signed: cells[words.amount] = amount(style.isTurned ? -into - out : into + out)
        case .unsigned, .direction: cells[words.amount] = amount(into - out)
        case .pair: (cells[words.debit], cells[words.credit]) = (amount(-out), amount(into))
        case .signedPair: (cells[words.debit], cells[words.credit]) = (amount(out), amount(into))
        }
        return line(columns.map { cells[$0] ?? "" })
    }

    private func cells(
        _ row: TableModel.Row, balance: Int, _ account: TableModel.Account, status: String
    ) -> [String: String] {
        let written = style.isTurned ? -row.amount : row.amount
        var cells = [
            words.date: date(row.day), words.description: row.text, words.status: status, words.account: account.name,
            words.currency: account.currency, words.counterparty: "DE00\(abs(row.amount))\(balance & 0xFFFF)",
            words.balance: amount(balance),
        ]
        switch style.amounts {
        case .signed: cells[words.amount] = amount(written)
        case .unsigned: cells[words.amount] = amount(abs(row.amount))
        case .pair: cells[row.amount < 0 ? words.debit : words.credit] = amount(abs(row.amount))
        case .signedPair: cells[row.amount < 0 ? words.debit : words.credit] = amount(row.amount)
        case .direction:
            cells[words.amount] = amount(abs(row.amount))
            cells[words.direction] = row.amount < 0 ? words.out : words.into
        }
        return cells
    }

    private func line(_ cells: [String]) -> String {
        cells.map { cell in
            cell.contains(style.delimiter) || cell.contains("\"") ? "\"\(cell)\"" : cell
        }.joined(separator: style.delimiter)
    }

    private func date(_ day: Day) -> String {
        let (year, month, day) = day.date
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        return switch style.dates {
        case .iso: "\(year)-\(two(month))-\(two(day))"
        case .compact: "\(year)\(two(month))\(two(day))"
        case .dayFirst: "\(two(day))/\(two(month))/\(year)"
        case .monthFirst: "\(two(month))/\(two(day))/\(year)"
        case .dots: "\(two(day)).\(two(month)).\(year)"
        case .shortDots: "\(two(day)).\(two(month)).\(two(year % 100))"
        case .names: "\(day) \(names[month - 1]) \(year)"
        }
    }

    private func amount(_ cents: Int) -> String {
        let size = abs(cents)
        var units = String(size / 100)
        let mark =
            switch style.grouping {
            case .none: ""
            case .mark: isComma ? "." : ","
            case .apostrophe: "'"
            case .narrowBlank: "\u{202F}"
            case .hardBlank: "\u{A0}"
            }
        if units.count > 3 { units.insert(contentsOf: mark, at: units.index(units.endIndex, offsetBy: -3)) }
        let fraction = size % 100
        var text = units + (isComma ? "," : ".") + (fraction < 10 ? "0\(fraction)" : "\(fraction)")
        if style.currencyMark == 1 { text = "€" + text }
        if style.currencyMark == 2 { text += " EUR" }
        guard cents < 0 else { return text }
        return switch style.minus {
        case .hyphen: "-" + text
        case .sign: "\u{2212}" + text
        case .dash: "\u{2013}" + text
        case .trailing: text + "-"
        case .brackets: "(" + text + ")"
        case .dollarOutside: "$(" + text + ")"
        }
    }
}
