/// The rows of a table, sorted by what they are.
struct CSVRows {
    struct Row {
        var number: Int
        var offset: Int
        /// The date cell, and its column.
        var date: Bytes
        var dateColumn: Int
        var text: String
        /// The place of its account and currency in `groups`.
        var group: Int
    }

    /// A row that states a balance.
    struct BalanceRow {
        var kind: Phrases.Kind
        var number: Int
        var date: Bytes?
        var amount: AmountCell
        var mark: AmountCell.Mark?
    }

    /// A row that states a total.
    struct TotalRow {
        var number: Int
        /// How many entries stand above it.
        var entries: Int
        /// What it has in the amount columns.
        var cells: [AmountCell?]
        /// Which side it adds up, where it says so.
        var mark: AmountCell.Mark?
    }

    struct Group: Hashable {
        var account: String?
        var currency: String?
    }

    /// A row that was refused for lack of funds: no entry, but an event that counts.
    struct Refusal {
        var date: (cell: Bytes, column: Int)?
        var group: Group
    }

    private(set) var entries: [Row] = []
    /// The amounts of each entry, as many as the plan has amount columns.
    private(set) var cells: [AmountCell?] = []
    /// For each entry its values in the columns of types or directions, as many as there are such columns.
    private var types: [Bytes] = []
    /// The amounts of each pending row.
    private(set) var pending: [[AmountCell?]] = []
    private(set) var balances: [BalanceRow] = []
    private(set) var totals: [TotalRow] = []
    private(set) var refusals: [Refusal] = []
    private(set) var groups: [Group] = []
    private(set) var accountTypes: [AccountType?] = []
    private(set) var leftOut = LeftOut()
    let plan: CSVPlan
    let columns: [Int]
    let typeColumns: [Int]
    /// Whether the rows may be of several accounts or currencies.
    private let isGrouped: Bool
    private var reading: Reading
    /// For each amount column whether it decides that a row has an amount.
    private let isDeciding: [Bool]
    private let survey: CSVSurvey
    private let surveyKnowsBalances: Bool
    /// The place of the next such row that the survey found.
    private var nextBalance = 0
    private var statuses: [(value: Bytes, status: Phrases.Status?)] = []
    private var places: [Group: Int] = [:]
    private let leaveOut: CSVLeaveOut
    /// What the amount columns of the present row hold.
    private var contents: [AmountCell.Content] = []

    init(
        _ reading: Reading, _ plan: CSVPlan, _ survey: CSVSurvey, leaveOut: CSVLeaveOut = CSVLeaveOut()
    ) throws(StatementError) {
        self.reading = reading
        self.plan = plan
        self.survey = survey
        self.leaveOut = leaveOut
        columns = plan.amounts
        typeColumns = Array(Set(plan.types + plan.directions.keys)).sorted()
        surveyKnowsBalances = survey.knowsBalances(ofDatesIn: plan.dates)
        let isByCurrency = if case .byCurrency? = plan.rules.first { true } else { false }
        isGrouped = isByCurrency || plan.account != nil || plan.product != nil || plan.currency != nil
        let deciding = plan.deciding
        isDeciding = columns.map { deciding.contains($0) }
        entries.reserveCapacity(survey.rows)
        cells.reserveCapacity(survey.rows * columns.count)
        types.reserveCapacity(survey.rows * typeColumns.count)
        var scanner = CSVScanner(reading, delimiter: plan.table.delimiter)
        while try scanner.next() {
            if scanner.row <= plan.table.headerRow || scanner.isBlank { continue }
            if leaveOut.ends(at: scanner) {
                // What is written below the table need not be a table.
                repeat { if !scanner.isBlank { leftOut.text += 1 } } while (try? scanner.next()) == true
                break
            }
            if plan.table.isHeader(scanner) {
                leftOut.text += 1
            } else {
                try see(scanner)
            }
        }
    }

    private mutating func see(_ row: CSVScanner) throws(StatementError) {
        if let kind = leaveOut.kind(of: row) {
            try leave(row, as: kind)
            return
        }
        switch status(of: row) {
        case .pending:
            try leave(row, as: .pending)
            return
        case .refused:
            try leave(row, as: .refused)
            return
        case nil: break
        }
        let date = dateCell(of: row)
        if date == nil || mayBeBalance(row.row), let kind = CSVRows.balanceKind(of: row, hasDate: date != nil) {
            seeBalance(row, kind, date)
            return
        }
        contents.removeAll(keepingCapacity: true)
        for column in columns { contents.append(AmountCell.content(row[column].bytes)) }
        guard let date else {
            try seeUndated(row)
            return
        }
        try seeEntry(row, date)
    }

    /// Whether a row with a date may state a balance or a total.
    private mutating func mayBeBalance(_ row: Int) -> Bool {
        guard surveyKnowsBalances else { return true }
        while nextBalance < survey.balanceRows.count, survey.balanceRows[nextBalance] < row { nextBalance += 1 }
        return nextBalance < survey.balanceRows.count && survey.balanceRows[nextBalance] == row
    }

    /// The value of an entry in a column of types or directions, by their places.
    func type(_ index: Int, of row: Int) -> Bytes { types[row * typeColumns.count + index] }

    /// Leaves a row out that the profile or its status names.
    private mutating func leave(_ row: CSVScanner, as kind: CSVLeaveOut.Kind) throws(StatementError) {
        switch kind {
        case .pending: pending.append(amounts(of: row))
        case .refused:
            leftOut.refused += 1
            guard row.cells.contains(where: { CSVRows.namesFunds($0) }) else { return }
            leftOut.refusedForFunds += 1
            contents = columns.map { AmountCell.content(row[$0].bytes) }
            refusals.append(Refusal(date: dateCell(of: row), group: groupNames(of: row)))
        case .balance: leftOut.balance += 1
        case .total: leftOut.total += 1
        case .text: leftOut.text += 1
        }
    }

    private func amounts(of row: CSVScanner) -> [AmountCell?] {
        columns.map { column in
            if case .amount(let cell) = AmountCell.content(row[column].bytes) { cell } else { nil }
        }
    }

    private static func namesFunds(_ cell: CSVScanner.Cell) -> Bool {
        let text = FoldedText.of(cell.text)
        return [
            "insufficient funds", "nsf", "uncollected funds", "onvoldoende saldo", "onvoldoende provisie",
            "saldotekort",
            "mangels deckung", "keine deckung", "ungedeckt", "provision insuffisante", "fondos insuficientes",
            "saldo insuficiente", "sem fundos", "fondi insufficienti",
        ].contains { text.contains($0) }
    }

    // MARK: What a row is

    private mutating func status(of row: CSVScanner) -> Phrases.Status? {
        for column in plan.status {
            let cell = row[column]
            guard !cell.bytes.isEmpty else { continue }
            if let known = statuses.first(where: { $0.value.isSame(as: cell.bytes) }) {
                if let status = known.status { return status }
                continue
            }
            let status = Phrases.status(of: cell.text)
            if statuses.count < 32 { statuses.append((cell.bytes, status)) }
            if let status { return status }
        }
        // "Pending" may stand in place of the date.
        if let first = plan.dates.first, row[first].bytes[0].isLetter { return Phrases.status(of: row[first].text) }
        return nil
    }

    /// The date cell of a row that has one.
    private func dateCell(of row: CSVScanner) -> (cell: Bytes, column: Int)? {
        if let date = plan.date {
            let cell = row[date].bytes
            return survey.columns[date].dates.fits(cell) ? (cell, date) : nil
        }
        for column in plan.dates {
            let cell = row[column].bytes
            if !cell.isEmpty { return survey.columns[column].dates.fits(cell) ? (cell, column) : nil }
        }
        return nil
    }

    /// Whether a cell of the row is a phrase for a balance or a total.
    static func isBalanceOrTotal(_ row: CSVScanner) -> Bool { balanceKind(of: row, hasDate: true) != nil }

    private static func balanceKind(of row: CSVScanner, hasDate: Bool) -> Phrases.Kind? {
        for cell in row.cells where cell.bytes.count < 100 && Phrases.mayBegin(cell.bytes) {
            let text = cell.text
            if let kind = Phrases.kind(ofWhole: text) { return kind }
            if !hasDate, Phrases.beginsWithTotal(text) { return .total }
        }
        return nil
    }

    private mutating func seeBalance(_ row: CSVScanner, _ kind: Phrases.Kind, _ date: (cell: Bytes, column: Int)?) {
        let mark = plan.directions.keys.sorted().lazy.compactMap { Phrases.direction(of: row[$0].text) }.first
        guard kind != .total else {
            leftOut.total += 1
            let side = mark ?? row.cells.lazy.compactMap { Phrases.side(ofTotal: $0.text) }.first
            totals.append(TotalRow(number: row.row, entries: entries.count, cells: amounts(of: row), mark: side))
            return
        }
        leftOut.balance += 1
        // The balance column, else an amount column, else the last amount of the row.
        let preferred = [plan.balance].compactMap { $0 } + columns
        let others = row.cells.indices.reversed().filter { !plan.dates.contains($0) }
        for column in preferred + others {
            guard case .amount(let amount) = AmountCell.content(row[column].bytes) else { continue }
            // A date of digits alone is no amount.
            if !preferred.contains(column), DatePattern.known.contains(where: { $0.day(row[column].bytes) != nil }) {
                continue
            }
            let day =
                date?.cell
                ?? row.cells.first { cell in
                    DatePattern.known.contains { $0.day(cell.bytes) != nil }
                }?.bytes
            balances.append(BalanceRow(kind: kind, number: row.row, date: day, amount: amount, mark: mark))
            return
        }
    }

    private mutating func seeUndated(_ row: CSVScanner) throws(StatementError) {
        for index in columns.indices where isDeciding[index] {
            guard case .amount(let amount) = contents[index] else { continue }
            let cell = plan.dates.map { row[$0].bytes }.first { !$0.isEmpty }
            guard !amount.isZero || cell != nil else { continue }
            let what =
                cell.map { "\($0.quoted) is not a date as the other rows write it" } ?? "an amount without a date"
            throw reading.malformed(
                "row \(row.row): \(what); check the row, or leave such rows out: csv.leave_out: [{column: \(dateName), is: \(cell?.quoted ?? "''"), as: text}], or: assay statements profile FILE",
                at: row.rowOffset)
        }
        leftOut.text += 1
        guard !entries.isEmpty, let more = continuation(row), !more.isEmpty else { return }
        if entries[entries.count - 1].text.utf8.count + more.utf8.count < Bytes.longestText {
            entries[entries.count - 1].text += " " + more
        }
    }

    /// The text of a row without date and amount that goes on with the entry above.
    private func continuation(_ row: CSVScanner) -> String? {
        let description = plan.descriptions.first?.first.map { row[$0].text } ?? ""
        switch leaveOut.continuation {
        case .skip: return nil
        case .join:
            return description.isEmpty
                ? row.cells.map(\.text).filter { !$0.isEmpty }.joined(separator: " ") : description
        case nil:
            // A text below the description goes on with it; a footer has other cells.
            return row.cells.count == plan.table.header.count && plan.table.headerRow > 0 ? description : nil
        }
    }

    /// The only value of a column, if it has only one; of a single row every column has.
    func onlyValue(of place: Int) -> String? {
        let column = survey.columns[place]
        guard !column.hasManyValues, column.values.count == 1, column.filled > 1 else { return nil }
        return column.values[0].text
    }

    private var dateName: String {
        plan.dates.first.map { name($0) } ?? "date"
    }

    func name(_ column: Int) -> String {
        let names = plan.table.columns.names
        return names.indices.contains(column) && !names[column].isEmpty ? names[column] : String(column)
    }

    private mutating func seeEntry(
        _ row: CSVScanner, _ date: (cell: Bytes, column: Int)
    ) throws(StatementError) {
        var hasAmount = false
        for (index, content) in contents.enumerated() {
            switch content {
            case .none: break
            case .amount: hasAmount = hasAmount || isDeciding[index]
            case .other:
                let cell = row[columns[index]].bytes
                throw reading.malformed(
                    "row \(row.row): \(cell.quoted) in '\(name(columns[index]))' is not an amount; leave such rows out: csv.leave_out: [{column: \(name(columns[index])), is: \(cell.quoted), as: text}], or: assay statements profile FILE",
                    at: row.rowOffset)
            }
        }
        guard hasAmount else {
            guard let last = plan.deciding.min(), row.cells.count > last else {
                throw reading.malformed(
                    "row \(row.row) has \(row.cells.count) cells, and none for the amount: it is cut off; download the file again",
                    at: row.rowOffset)
            }
            leftOut.part += 1
            return
        }
        try reading.countEntry()
        let group = group(of: row)
        entries.append(
            Row(
                number: row.row, offset: row.rowOffset, date: date.cell, dateColumn: date.column, text: text(of: row),
                group: group))
        for column in typeColumns { types.append(row[column].bytes) }
        for content in contents {
            if case .amount(let cell) = content { cells.append(cell) } else { cells.append(nil) }
        }
    }

    private func text(of row: CSVScanner) -> String {
        for columns in plan.descriptions {
            var text = ""
            for column in columns where !row[column].bytes.isEmpty {
                let part = row[column].text
                if text.isEmpty { text = part } else { text += " " + part }
            }
            if !text.isEmpty { return text }
        }
        return ""
    }

    private mutating func group(of row: CSVScanner) -> Int {
        // Nearly all files are of one account.
        if !isGrouped, !groups.isEmpty { return 0 }
        let group = groupNames(of: row)
        if let last = entries.last, groups[last.group] == group { return last.group }
        if let place = places[group] { return place }
        places[group] = groups.count
        groups.append(group)
        accountTypes.append(plan.accountType.flatMap { CSVRows.accountType(row[$0].text) })
        return groups.count - 1
    }

    /// The account and the currency that a row names, whose amounts are in `contents`.
    private func groupNames(of row: CSVScanner) -> Group {
        var group = Group()
        if let account = plan.account {
            var text = row[account].text
            while let first = text.first, first == "'" || first == " " || first == "\"" { text.removeFirst() }
            group.account = text.isEmpty ? nil : text
        }
        if let product = plan.product, survey.columns[product].values.count > 1 {
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

    private static func accountType(_ text: String) -> AccountType? {
        let words = Set(FoldedText.of(text).split(separator: " ").map(String.init))
        if !words.isDisjoint(with: ["mastercard", "visa", "amex", "card", "kreditkarte"]) { return .card }
        if !words.isDisjoint(with: ["chequing", "checking", "current", "giro", "girokonto"]) { return .bank }
        if !words.isDisjoint(with: ["savings", "saving", "sparkonto", "tagesgeld"]) { return .savings }
        return words.isDisjoint(with: ["loan", "mortgage", "darlehen"]) ? nil : .loan
    }
}
