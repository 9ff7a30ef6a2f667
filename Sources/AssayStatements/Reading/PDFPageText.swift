/// The rows of a PDF's text.
struct PDFPageText {
    private var reading: Reading
    private var entries: [PDFEntry] = []
    private var section = PDFSection.none
    private var opening: Amount?
    private var closing: Amount?
    private var currency: String?
    private var seenCardLabels = Set<Int>()
    private var seenDepositLabel = false
    private var seenBankBalance = false
    private var sawText = false
    /// The lines that are no entries but hold digits: they may tell the period and the order of dates.
    private var otherLines: [Bytes] = []

    init(_ bytes: Bytes) {
        reading = Reading(bytes)
    }

    mutating func statement() throws(StatementError) -> Statement {
        var position = 0
        while position < reading.bytes.count {
            let line = reading.bytes.line(at: &position).trimmed()
            if !line.isEmpty {
                sawText = true
                try row(line)
            }
        }
        guard sawText else {
            throw StatementError(
                .empty, "the PDF has no text: blank or scanned; OCR it (ocrmypdf) or export OFX or CSV")
        }
        guard !entries.isEmpty, let opening, let closing else {
            throw StatementError(
                .malformed, "no entries between two balances are found in the PDF; export OFX or CSV from the bank")
        }
        let amounts = try PDFEntry.amounts(of: entries, from: opening, to: closing)
        guard let isCard = isCardStatement else {
            throw StatementError(
                .malformed,
                "the labels of the PDF do not say whether it is a card's or a bank account's statement; export OFX or CSV from the bank"
            )
        }
        let dates = try datePattern()
        var statement = Statement(currency: currency)
        statement.opening = isCard ? -opening : opening
        statement.closing = isCard ? -closing : closing
        let period = period(dates)
        // On a bank account money in is positive; on a card purchases are, and what is owed is a negative balance.
        statement.entries = zip(entries, amounts).map { entry, amount in
            let found = dates.scan(entry.label, from: 0, defaultYear: 2000)
            let text = entry.label.dropping(found?.end ?? 0).text
            return Entry(
                day: day(entry.label, dates, period), amount: isCard ? -amount : amount,
                text: entry.check.map { text.isEmpty ? "CHECK \($0.text)" : "CHECK \($0.text) \(text)" } ?? text)
        }
        statement.accountType = isCard ? .card : .bank
        return statement
    }

    /// Labels that only a card's statement has, outside of entries and sentences.
    private static let cardLabels: [[StaticString]] = [
        ["minimum payment", "minimum due", "minimum amount due", "total minimum due"], ["payment due date"],
        ["credit limit"],
    ]
    private static let depositLabels: [StaticString] = ["deposits", "withdrawals", "checking", "savings"]

    /// Counts the labels in a line that is no entry and no sentence.
    private mutating func seeLabels(_ line: Bytes) {
        let text = FoldedText.of(line.text)
        // Labels are in columns or alone; advertisements are sentences.
        let parts = line.text.split(separator: "  ").map { FoldedText.of(String($0)) }
        for part in parts where part.split(separator: " ").count <= 6 {
            for (index, names) in PDFPageText.cardLabels.enumerated()
            where names.contains(where: { part.contains($0.description) }) { seenCardLabels.insert(index) }
            if PDFPageText.depositLabels.contains(where: {
                part.split(separator: " ").contains(Substring($0.description))
            }) {
                seenDepositLabel = true
            }
        }
        if text.hasPrefix("beginning balance") || text.hasPrefix("ending balance") { seenBankBalance = true }
    }

    /// Whether the labels are those of a card; `nil` if they are those of neither kind of account, or of both.
    private var isCardStatement: Bool? {
        let isCard = seenCardLabels.count >= 2
        let isDeposit = seenBankBalance && seenDepositLabel
        return isCard == isDeposit ? nil : isCard
    }

    private static let openings: [StaticString] = [
        "LAST MONTH'S BALANCE", "PREVIOUS BALANCE", "OPENING BALANCE", "BEGINNING BALANCE", "BALANCE BROUGHT FORWARD",
    ]
    private static let closings: [StaticString] = [
        "TOTAL AMOUNT DUE", "NEW BALANCE", "CLOSING BALANCE", "ENDING BALANCE", "BALANCE CARRIED FORWARD",
    ]

    private mutating func row(_ line: Bytes) throws(StatementError) {
        if currency == nil, let open = line.firstRange(of: "AMOUNT ("), line[open + 11] == UInt8(ascii: ")") {
            currency = line.part(open + 8, open + 11).text
        }
        let amountStart = lastGap(of: line)
        var label = line.part(0, amountStart).trimmed()
        let check = check(label, isAlone: PDFPageText.amount(line.dropping(amountStart)) != nil)
        let isEntry = check != nil || PDFPageText.patterns.contains { PDFPageText.fits($0, label) }
        if !isEntry {
            seeLabels(line)
            if otherLines.count < 2000, line.withBuffer({ $0.contains(where: \.isDigit) }) { otherLines.append(line) }
        }
        guard var amount = PDFPageText.amount(line.dropping(amountStart)) else {
            if !isEntry { section = PDFSection(heading: line) ?? section }
            return
        }
        if PDFPageText.openings.contains(where: { label.hasPrefixIgnoringCase($0) }) {
            if opening == nil { opening = amount }
        } else if PDFPageText.closings.contains(where: { label.hasPrefixIgnoringCase($0) }) {
            if closing == nil { closing = amount }
        } else if isEntry {
            try reading.countEntry()
            // The amount precedes the balance.
            var balance: Amount?
            let start = lastGap(of: label)
            if start > 0, let before = PDFPageText.amount(label.dropping(start)) {
                (amount, balance) = (before, amount)
                label = label.part(0, start).trimmed()
            }
            entries.append(
                PDFEntry(
                    label: check?.label ?? label, check: check?.number, amount: amount, balance: balance,
                    section: section))
        }
    }

    /// Returns the number and the date of a row of checks: one among payments, or one with a balance after its amount.
    private func check(_ label: Bytes, isAlone: Bool) -> (number: Bytes, label: Bytes)? {
        guard isAlone, label[0].isDigit else { return nil }
        let start = lastGap(of: label)
        let hasBalance = start > 0 && PDFPageText.amount(label.dropping(start)) != nil
        guard hasBalance || section == .out else { return nil }
        let text = hasBalance ? label.part(0, start).trimmed() : label
        return PDFEntry.check(text) { place in
            PDFPageText.patterns.compactMap { $0.scan(text, from: place, defaultYear: 2000)?.end }.max()
        }
    }

    /// Returns an amount with decimals.
    private static func amount(_ text: Bytes) -> Amount? { text.contains(".") ? AmountCell.amount(text) : nil }

    /// Returns the start of the last column of a row, which follows two blanks.
    private func lastGap(of line: Bytes) -> Int {
        var index = line.count
        while index > 1, !(line[index - 1] == 0x20 && line[index - 2] == 0x20) { index -= 1 }
        return index > 1 ? index : 0
    }

    // MARK: Dates

    private static let withoutYear: [DatePattern] = [
        "%m/%d", "%d/%m", "%d.%m.", "%d %b", "%b %d", "%d-%b",
    ].compactMap { DatePattern($0) }
    private static let patterns = DatePattern.known.map(\.withoutRest) + withoutYear

    /// Returns whether a row begins with such a date, a blank and a word after it.
    private static func fits(_ pattern: DatePattern, _ label: Bytes) -> Bool {
        guard let found = pattern.scan(label, from: 0, defaultYear: 2000), label[found.end] == 0x20 else {
            return false
        }
        return (found.end..<label.count).contains { label[$0].isLetter && label[$0 + 1].isLetter }
    }

    /// Returns the way in which all rows write their dates; the period's dates may settle the order of day and month.
    private func datePattern() throws(StatementError) -> DatePattern {
        let fitting = PDFPageText.patterns.filter { pattern in
            entries.allSatisfy { entry in
                guard entry.check != nil else { return PDFPageText.fits(pattern, entry.label) }
                let end = pattern.scan(entry.label, from: 0, defaultYear: 2000)?.end
                return end.map { $0 == entry.label.count || entry.label[$0] == 0x20 } ?? false
            }
        }
        // A date with a year is also one without it.
        let years = fitting.filter { !PDFPageText.withoutYear.contains($0) }
        var candidates = years.isEmpty ? fitting : years
        guard let first = candidates.first else {
            throw StatementError(
                .malformed, "the rows of the PDF write their dates in several ways; export OFX or CSV from the bank")
        }
        if candidates.count == 1 { return first }
        let orders = ordersOfOtherDates()
        if orders.count == 1, let order = orders.first { candidates = candidates.filter { $0.order == order } }
        var choice = DateChoice(candidates)
        for entry in entries { choice.see(dateText(entry.label, candidates), defaultYear: 2000) }
        if let pattern = choice.decided(order: nil) { return pattern }
        throw StatementError(
            .malformed,
            "the dates of the PDF can be read two ways, and nothing in it decides; export OFX or CSV from the bank")
    }

    private func dateText(_ label: Bytes, _ patterns: [DatePattern]) -> Bytes {
        label.part(0, patterns.compactMap { $0.scan(label, from: 0, defaultYear: 2000)?.end }.max() ?? 0)
    }

    /// Returns the orders of day and month that dates outside of the rows leave no doubt about.
    private func ordersOfOtherDates() -> Set<DateOrder> {
        var result = Set<DateOrder>()
        for line in otherLines {
            for index in 0..<line.count where line[index].isDigit && !line[index - 1].isDigit {
                let days = PDFPageText.slashed.filter { pattern in
                    pattern.scan(line, from: index).map { !line[$0.end].isDigit } ?? false
                }
                if days.count == 1 { result.insert(days[0].order) }
            }
        }
        return result
    }

    private static let slashed = ["%m/%d/%Y", "%d/%m/%Y", "%m/%d/%y", "%d/%m/%y"].compactMap { DatePattern($0) }

    /// Returns the first two dates of one line that are in order.
    private func period(_ dates: DatePattern) -> ClosedRange<Day>? {
        // Rows with names of months do not tell the order of day and month in numeric dates; other dates may.
        let orders = dates.parts.contains(.monthName) ? ordersOfOtherDates() : [dates.order]
        let patterns = DatePattern.known.filter {
            orders == [$0.order] || $0.parts.contains(.monthName) || $0.order == .year
        }
        .map(\.withoutRest)
        for line in otherLines {
            let words = FoldedText.of(line.text).split(separator: " ")
            guard words.contains(where: { ["period", "from", "through", "to", "zeitraum", "periode"].contains($0) })
            else {
                continue
            }
            var days: [Day] = []
            var index = 0
            while index < line.count {
                let starts = line[index].isDigit && !line[index - 1].isDigit || line[index].isUpper
                let found = starts ? patterns.lazy.compactMap { $0.scan(line, from: index) }.first : nil
                if let found, !line[found.end].isDigit {
                    days.append(found.day)
                    index = found.end
                } else {
                    index += 1
                }
            }
            if days.count == 2, days[0] < days[1], days[1] - days[0] < 370 { return days[0]...days[1] }
        }
        return nil
    }

    /// Returns the day of a row; one without a year is the one within the period, if there is one.
    private func day(_ label: Bytes, _ dates: DatePattern, _ period: ClosedRange<Day>?) -> Day? {
        guard PDFPageText.withoutYear.contains(dates) else { return dates.scan(label, from: 0)?.day }
        guard let period else { return nil }
        let years = period.lowerBound.date.year...period.upperBound.date.year
        return years.lazy.compactMap { dates.scan(label, from: 0, defaultYear: $0)?.day }.first { period.contains($0) }
    }
}
