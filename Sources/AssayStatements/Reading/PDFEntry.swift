/// Which way the money of a part of a statement went, by the heading above it.
enum PDFSection {
    case none, into, out

    /// The part that a line without an amount begins; `nil` if it is no heading.
    init?(heading line: Bytes) {
        let words = FoldedText.of(line.text).split(separator: " ")
        guard let first = words.first, words.count <= 7 else { return nil }
        let named = words.first { PDFSection.into.words.contains($0) || PDFSection.out.words.contains($0) }
        if let named, named == first || PDFSection.before.contains(first) {
            self = PDFSection.into.words.contains(named) ? .into : .out
        } else if PDFSection.mixed.contains(first) {
            self = .none
        } else {
            return nil
        }
    }

    private var words: Set<Substring> {
        switch self {
        case .into: ["deposits", "credits", "additions"]
        case .out: ["withdrawals", "debits", "checks", "fees", "charges", "subtractions"]
        case .none: []
        }
    }

    /// Words that may stand before those.
    private static let before: Set<Substring> = ["other", "electronic", "atm", "service", "customer", "paid"]
    /// Words that begin headings of parts with money both ways.
    private static let mixed: Set<Substring> = [
        "transactions", "transaction", "account", "activity", "history", "daily",
    ]
}

/// A row of a PDF that begins with a date and ends with an amount.
struct PDFEntry {
    var label: Bytes
    var amount: Amount
    /// The running balance behind the amount.
    var balance: Amount?
    var section: PDFSection

    /// The amounts under the one reading of signs, sections and balances that leads from balance to balance.
    static func amounts(
        of entries: [PDFEntry], from opening: Amount, to closing: Amount
    ) throws(StatementError) -> [Amount] {
        var found: [[Amount]] = []
        let written = entries.map(\.amount)
        let bySection = entries.map { entry in
            switch entry.section {
            case .none: entry.amount
            case .into: entry.amount.magnitude
            case .out: -entry.amount.magnitude
            }
        }
        for amounts in [written, bySection, byBalance(entries, from: opening)].compactMap({ $0 })
        where holds(amounts, entries, from: opening, to: closing) && !found.contains(amounts) {
            found.append(amounts)
        }
        guard let only = found.first, only.contains(where: { $0 != .zero }) else {
            throw StatementError(
                .malformed,
                "the entries found in the PDF do not lead from its opening to its closing balance; export OFX or CSV from the bank"
            )
        }
        // Without any difference between the balances all signs could be turned.
        guard found.count == 1, opening != closing || entries.contains(where: { $0.balance != nil }) else {
            throw StatementError(
                .malformed,
                "the amounts of the PDF lead from balance to balance in two ways; export OFX or CSV from the bank")
        }
        return only
    }

    /// Sizes whose direction the running balance gives; `nil` if a row has none, or is not led to.
    private static func byBalance(_ entries: [PDFEntry], from opening: Amount) -> [Amount]? {
        var before = opening
        var result: [Amount] = []
        for entry in entries {
            guard let balance = entry.balance, (balance - before).magnitude == entry.amount.magnitude else {
                return nil
            }
            result.append(balance - before)
            before = balance
        }
        return result
    }

    /// Whether the amounts lead to every balance on the way, and to the last.
    private static func holds(
        _ amounts: [Amount], _ entries: [PDFEntry], from opening: Amount, to closing: Amount
    ) -> Bool {
        var sum = opening
        for (amount, entry) in zip(amounts, entries) {
            sum += amount
            // Within a part of a statement balances of other parts do not stand.
            if let balance = entry.balance, balance != sum { return false }
        }
        return sum == closing
    }
}
