/// The facts in the rows above a table: balances, the period, the account and its currency.
struct CSVPreamble {
    /// A balance, and the row's dates.
    struct Balance {
        var kind: Phrases.Kind
        var amount: AmountCell
        var dates: [Bytes]
        var row: Int
    }

    private(set) var balances: [Balance] = []
    private(set) var account: String?
    private(set) var currency: String?
    /// Rows with two dates, and dates that a label calls the first or the last.
    private var ranges: [(Bytes, Bytes)] = []
    private var first: Bytes?
    private var last: Bytes?
    /// All dates, which may settle the order of day and month.
    private(set) var dates: [Bytes] = []

    init(_ reading: Reading, _ table: CSVTable) {
        guard table.headerRow > 1 else { return }
        var scanner = CSVScanner(reading, delimiter: table.delimiter)
        while scanner.row < table.headerRow - 1, (try? scanner.next()) == true { see(scanner) }
    }

    private mutating func see(_ row: CSVScanner) {
        let cells = row.cells.filter { !$0.bytes.isEmpty }
        guard let label = cells.first else { return }
        let found = cells.flatMap { CSVPreamble.dates(in: $0.bytes) }
        dates += found
        if let kind = CSVPreamble.kind(of: cells), kind != .total {
            for cell in cells.dropFirst().reversed() {
                guard CSVPreamble.dates(in: cell.bytes).isEmpty,
                    case .amount(let amount) = AmountCell.content(cell.bytes)
                else { continue }
                balances.append(Balance(kind: kind, amount: amount, dates: found, row: row.row))
                break
            }
            return
        }
        let text = FoldedText.of(label.text)
        if found.count == 2 {
            ranges.append((found[0], found[1]))
        } else if found.count == 1 {
            if CSVPreamble.firsts.contains(text) { first = found[0] }
            if CSVPreamble.lasts.contains(text) { last = found[0] }
        }
        guard cells.count >= 2 else { return }
        let value = cells[1].text
        if CSVPreamble.accounts.contains(text), account == nil, value.contains(where: \.isNumber) { account = value }
        if CSVPreamble.currencies.contains(text), let code = CurrencyCode(value.uppercased()) { currency = code.text }
    }

    /// Returns the balance or total that a cell names.
    private static func kind(of cells: [CSVScanner.Cell]) -> Phrases.Kind? {
        for cell in cells where Phrases.mayBegin(cell.bytes, withDates: true) {
            if let kind = Phrases.kind(ofWhole: cell.text) { return kind }
        }
        return nil
    }

    /// Returns the first and the last day that the rows name, read with `pattern`.
    func period(_ pattern: DatePattern) -> (from: Day, to: Day)? {
        func day(_ text: Bytes) -> Day? { CSVPreamble.day(text, order: pattern.order) }
        if let first = first.flatMap(day), let last = last.flatMap(day), first <= last { return (first, last) }
        for (left, right) in ranges {
            if let left = day(left), let right = day(right), left <= right { return (left, right) }
        }
        let opening = balances.last { $0.kind == .opening }?.dates.first.flatMap(day)
        let closing = balances.last { $0.kind == .closing }?.dates.first.flatMap(day)
        if let opening, let closing, opening <= closing { return (opening, closing) }
        return nil
    }

    /// Returns the day of a date; where day and month could change places, in that order.
    static func day(_ text: Bytes, order: DateOrder) -> Day? {
        let days = DatePattern.known.compactMap { pattern in pattern.day(text).map { (pattern.order, $0) } }
        if Set(days.map(\.1)).count == 1 { return days[0].1 }
        return days.first { $0.0 == order }?.1
    }

    /// Returns the dates that are written anywhere in a text.
    static func dates(in text: Bytes) -> [Bytes] {
        var found: [Bytes] = []
        var index = 0
        while index < text.count {
            guard text[index].isDigit, !text[index - 1].isDigit, text[index - 1] != UInt8(ascii: ".") else {
                index += 1
                continue
            }
            var end = index
            while text[end].isDigit { end += 1 }
            // A day or a month, a year, or all of them: no date begins with another count of digits.
            guard [1, 2, 4, 7, 8].contains(end - index) else {
                index = end
                continue
            }
            let ends = patterns.compactMap { $0.scan(text, from: index)?.end }.filter {
                !text[$0].isDigit && !(text[$0] == UInt8(ascii: ".") && text[$0 + 1].isDigit)
            }
            if let end = ends.max() {
                found.append(text.part(index, end))
                index = end
            } else {
                index += 1
            }
        }
        return found
    }

    private static let patterns = DatePattern.known.map(\.withoutRest)
    private static let firsts: Set<String> = [
        "from", "date from", "from date", "start date", "von", "datum von", "zeitraum von", "du", "date debut", "desde",
        "fecha desde", "van", "datum van", "dal", "data inicial", "od", "datestart", "period from",
    ]
    private static let lasts: Set<String> = [
        "to", "until", "date to", "to date", "end date", "bis", "datum bis", "zeitraum bis", "au", "date fin", "hasta",
        "fecha hasta", "tot", "datum tot", "al", "data final", "do", "dateend", "period to",
    ]
    private static let accounts: Set<String> = [
        "account", "account number", "account no", "iban", "konto", "kontonummer", "rekening", "rekeningnummer",
        "compte",
        "numero de compte", "cuenta", "conto", "rachunek", "conta",
    ]
    private static let currencies: Set<String> = [
        "currency", "valued in", "wahrung", "waehrung", "devise", "divisa", "moneda", "moeda", "munt", "waluta",
        "valuta",
    ]
}
