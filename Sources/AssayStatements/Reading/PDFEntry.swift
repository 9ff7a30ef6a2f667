/// The direction of money in a section of a statement, as its heading tells it.
enum PDFSection {
    case none, into, out

    /// Reads the section that a line without an amount begins; `nil` if the line is no heading.
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

    /// Words that may precede those.
    private static let before: Set<Substring> = ["other", "electronic", "atm", "service", "customer", "paid"]
    /// Words that begin headings of parts with money both ways.
    private static let mixed: Set<Substring> = [
        "transactions", "transaction", "account", "activity", "history", "daily",
    ]
}

/// A row of a PDF that begins with a date, or with the number of a check and a date, and ends with an amount.
struct PDFEntry {
    /// The date and the text after it.
    var label: Bytes
    /// The number of the check that was paid.
    var check: Bytes?
    var amount: Amount
    /// The running balance after the amount.
    var balance: Amount?
    var section: PDFSection

    /// Returns the number and the date of a row of checks, such as `1042* 03/05`, or `03/05 1042`; `nil` if it is none.
    ///
    /// - Parameter dateEnd: returns the end of the date at an offset, if there is one.
    static func check(_ label: Bytes, dateEnd: (Int) -> Int?) -> (number: Bytes, label: Bytes)? {
        func number(at start: Int) -> (number: Bytes, end: Int)? {
            var end = start
            while label[end].isDigit { end += 1 }
            guard (2...10).contains(end - start) else { return nil }
            // An asterisk says that numbers before it are missing.
            let number = label.part(start, end)
            if label[end] == UInt8(ascii: "*") || label[end] == UInt8(ascii: "^") { end += 1 }
            while label[end] == 0x20 { end += 1 }
            return (number, end)
        }
        if let (found, start) = number(at: 0), start > found.count, let end = dateEnd(start) {
            let rest = label.dropping(end)
            // Another amount belongs to another check on the same row.
            guard rest.isEmpty || rest[0] == 0x20, !rest.contains(".") else { return nil }
            return (found, label.dropping(start))
        }
        guard let end = dateEnd(0), label[end] == 0x20 else { return nil }
        var start = end
        while label[start] == 0x20 { start += 1 }
        guard let (found, stop) = number(at: start), stop >= label.count else { return nil }
        return (found, label.part(0, end))
    }

    /// Returns the amounts under the one reading of signs, sections and balances that leads from balance to balance.
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

    /// Returns the amounts with the directions that the running balance gives; `nil` if a row has no balance or breaks
    /// the chain.
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

    /// Returns whether the amounts lead to every balance on the way, and to the last.
    private static func holds(
        _ amounts: [Amount], _ entries: [PDFEntry], from opening: Amount, to closing: Amount
    ) -> Bool {
        var sum = opening
        for (amount, entry) in zip(amounts, entries) {
            sum += amount
            // A section of a statement has no balances of other sections.
            if let balance = entry.balance, balance != sum { return false }
        }
        return sum == closing
    }
}
