/// The rows of a table, sorted by what they are.
struct CSVRows {
    /// The position of a cell in the file, which never has four billion bytes.
    private struct Place {
        var start: UInt32
        var count: UInt32
    }

    /// The number of entries.
    private(set) var count = 0
    /// The entries of each group, in the order of the file; day and amount are given to them when they are decided.
    private(set) var entries: [[Entry]] = []
    /// For each amount column of the plan the cells of all entries.
    private(set) var cells: [CSVCells]
    /// For each reading of the dates the days of all entries.
    private(set) var days: [[Day]]
    private var numbers = CSVRowNumbers()
    /// The date column of each entry, where there are several.
    private var dateColumns: [UInt16] = []
    /// The place of each entry's account and currency in `groups`, where there are several.
    private var groupPlaces: [Int32] = []
    /// For each entry its values in the columns of types or directions, as many as there are such columns.
    private var types: [Place] = []
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
    let survey: CSVSurvey
    private let surveyKnowsBalances: Bool
    /// The place of the next such row that the survey found.
    private var nextBalance = 0
    private var statuses: [(value: Bytes, status: Phrases.Status?)] = []
    private var places: [Group: Int] = [:]
    private let leaveOut: CSVLeaveOut
    /// The content of the amount columns in the present row.
    var contents: [AmountCell.Content] = []
    /// The ways in which the dates of each column may be read.
    let patterns: [[DatePattern]]
    /// The days of the present row in these ways.
    private var readings: [Day] = []
    /// The group of the last entry.
    private var lastGroup = 0

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
        patterns = survey.columns.indices.map { plan.dates.contains($0) ? survey.datePatterns(of: $0, plan) : [] }
        days = Array(repeating: [], count: patterns.lazy.map(\.count).max() ?? 0)
        cells = Array(repeating: CSVCells(), count: columns.count)
        for index in cells.indices { cells[index].reserve(survey.rows) }
        for index in days.indices { days[index].reserveCapacity(survey.rows) }
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

    /// Returns whether a row with a date may state a balance or a total.
    private mutating func mayBeBalance(_ row: Int) -> Bool {
        guard surveyKnowsBalances else { return true }
        while nextBalance < survey.balanceRows.count, survey.balanceRows[nextBalance] < row { nextBalance += 1 }
        return nextBalance < survey.balanceRows.count && survey.balanceRows[nextBalance] == row
    }

    /// Returns the value of an entry in a column of types or directions, by their places.
    func type(_ index: Int, of row: Int) -> Bytes {
        let place = types[row * typeColumns.count + index]
        return reading.bytes.part(Int(place.start), Int(place.start + place.count))
    }

    /// Returns the number of an entry's row, counted from 1.
    func number(of entry: Int) -> Int { numbers[entry] }

    /// Returns the place of an entry's account and currency in `groups`.
    func group(of entry: Int) -> Int { groupPlaces.isEmpty ? 0 : Int(groupPlaces[entry]) }

    /// Returns the day of an entry, read with the pattern at that place; `nil` if that does not fit.
    func day(of entry: Int, _ pattern: Int) -> Day? {
        let day = days[pattern][entry]
        return day == CSVRows.noDay ? nil : day
    }

    /// Returns the column that an entry's day is taken from.
    func dateColumn(of entry: Int) -> Int { plan.date ?? Int(dateColumns[entry]) }

    /// The columns that days are taken from.
    var usedDateColumns: Set<Int> { plan.date.map { [$0] } ?? Set(dateColumns.lazy.map { Int($0) }) }

    /// Returns the start of an entry's row and its date cell, for an error; reads the file once more.
    func place(of entry: Int) -> (offset: Int, date: Bytes) {
        var scanner = CSVScanner(reading, delimiter: plan.table.delimiter)
        let number = number(of: entry)
        while scanner.row < number, (try? scanner.next()) == true {}
        return (scanner.rowOffset, scanner[dateColumn(of: entry)].bytes)
    }

    /// Returns the entries of a group, which the rows no longer hold afterwards.
    mutating func takeEntries(of group: Int) -> [Entry] {
        var result: [Entry] = []
        swap(&result, &entries[group])
        return result
    }

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
        // "Pending" may replace the date.
        if let first = plan.dates.first, row[first].bytes[0].isLetter { return Phrases.status(of: row[first].text) }
        return nil
    }

    /// Returns the date cell of a row that has one, whose days are then in `readings`.
    private mutating func dateCell(of row: CSVScanner) -> (cell: Bytes, column: Int)? {
        if let date = plan.date {
            let cell = row[date].bytes
            return isDate(cell, date) ? (cell, date) : nil
        }
        for column in plan.dates {
            let cell = row[column].bytes
            if !cell.isEmpty { return isDate(cell, column) ? (cell, column) : nil }
        }
        return nil
    }

    private mutating func isDate(_ cell: Bytes, _ column: Int) -> Bool {
        readings.removeAll(keepingCapacity: true)
        var isRead = false
        for index in patterns[column].indices {
            let day = patterns[column][index].day(cell)
            isRead = isRead || day != nil
            readings.append(day ?? CSVRows.noDay)
        }
        return isRead && plan.dateFormat == nil || survey.columns[column].dates.fits(cell)
    }

    /// Stands for the day of a cell that cannot be read in one of the ways.
    static let noDay = Day(number: .min)

    /// Returns whether a cell of the row is a phrase for a balance or a total.
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
            totals.append(
                TotalRow(
                    number: row.row, entries: count, cells: amounts(of: row), mark: side, group: totalGroup(of: row)))
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
        guard count > 0, let more = continuation(row), !more.isEmpty else { return }
        let (group, last) = (lastGroup, entries[lastGroup].count - 1)
        if entries[group][last].text.utf8.count + more.utf8.count < Bytes.longestText {
            entries[group][last].text += " " + more
        }
    }

    /// Returns the text of a row without date and amount that continues the entry above.
    private func continuation(_ row: CSVScanner) -> String? {
        let description = plan.descriptions.first?.first.map { row[$0].text } ?? ""
        switch leaveOut.continuation {
        case .skip: return nil
        case .join:
            return description.isEmpty
                ? row.cells.map(\.text).filter { !$0.isEmpty }.joined(separator: " ") : description
        case nil:
            // A text below the description continues it; a footer has other cells.
            return row.cells.count == plan.table.header.count && plan.table.headerRow > 0 ? description : nil
        }
    }

    /// Returns the only value of a column, if it has only one; of a single row every column has.
    func onlyValue(of place: Int) -> String? {
        let column = survey[place]
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
        if isGrouped { groupPlaces.append(Int32(group)) }
        entries[group].append(Entry(day: nil, amount: .zero, text: text(of: row)))
        lastGroup = group
        numbers.append(row.row)
        if plan.date == nil { dateColumns.append(UInt16(clamping: date.column)) }
        for index in days.indices { days[index].append(index < readings.count ? readings[index] : CSVRows.noDay) }
        for column in typeColumns {
            let cell = row[column].bytes
            types.append(Place(start: UInt32(reading.bytes.start(of: cell)), count: UInt32(cell.count)))
        }
        for (index, content) in contents.enumerated() {
            if case .amount(let cell) = content { cells[index].append(cell) } else { cells[index].append(nil) }
        }
        count += 1
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
        if count > 0, groups[lastGroup] == group { return lastGroup }
        if let place = places[group] { return place }
        places[group] = groups.count
        groups.append(group)
        entries.append([])
        // What is reserved and never filled takes no memory.
        if groups.count == 1 { entries[0].reserveCapacity(survey.rows) }
        accountTypes.append(plan.accountType.flatMap { CSVRows.accountType(row[$0].text) })
        return groups.count - 1
    }
}
