extension CSVRows {
    /// Returns the account and the currency that a row names, whose amounts are in `contents`.
    func groupNames(of row: CSVScanner) -> Group {
        var group = Group()
        if let account = plan.account {
            var text = row[account].text
            while let first = text.first, first == "'" || first == " " || first == "\"" { text.removeFirst() }
            group.account = text.isEmpty ? nil : text
        }
        if let product = plan.product, survey[product].values.count > 1 {
            group.account = [group.account, row[product].text].compactMap { $0 }.joined(separator: " ")
        }
        if let currency = plan.currency {
            let text = row[currency].text.uppercased()
            group.currency = CurrencyCode(text)?.text
        }
        if case .byCurrency(let places)? = plan.rules.first {
            for place in places {
                if let index = columns.firstIndex(of: place), case .amount = contents[index] {
                    group.currency = plan.table.columns.currencies[place] ?? group.currency
                }
            }
        }
        return group
    }

    /// Returns the account and the currency that a row with a total names.
    mutating func totalGroup(of row: CSVScanner) -> Group {
        // Such a row may fill the columns of several currencies.
        contents = columns.map { _ in .none }
        var group = groupNames(of: row)
        if let product = plan.product, row[product].bytes.isEmpty { group.account = nil }
        return group
    }

    static func accountType(_ text: String) -> AccountType? {
        let words = Set(FoldedText.of(text).split(separator: " ").map(String.init))
        if !words.isDisjoint(with: ["mastercard", "visa", "amex", "card", "kreditkarte"]) { return .card }
        if !words.isDisjoint(with: ["chequing", "checking", "current", "giro", "girokonto"]) { return .bank }
        if !words.isDisjoint(with: ["savings", "saving", "sparkonto", "tagesgeld"]) { return .savings }
        return words.isDisjoint(with: ["loan", "mortgage", "darlehen"]) ? nil : .loan
    }

    /// Returns whether a cell names a lack of funds.
    static func namesFunds(_ cell: CSVScanner.Cell) -> Bool {
        let text = FoldedText.of(cell.text)
        return [
            "insufficient funds", "nsf", "uncollected funds", "onvoldoende saldo", "onvoldoende provisie",
            "saldotekort",
            "mangels deckung", "keine deckung", "ungedeckt", "provision insuffisante", "fondos insuficientes",
            "saldo insuficiente", "sem fundos", "fondi insufficienti",
        ].contains { text.contains($0) }
    }
}
