/// The days of a table's entries, in the one order of day and month that the whole file leaves.
struct CSVDates {
    private let rows: CSVRows
    private let survey: CSVSurvey
    private let settings: CSVSettings
    /// The order that dates outside of the column, or the profile, settle.
    private var order: DateOrder?
    /// For each date column that is used, the patterns that are left.
    private var candidates: [Int: [DatePattern]] = [:]
    private var by = "dates"

    init(
        _ rows: CSVRows, _ survey: CSVSurvey, _ preamble: CSVPreamble, _ settings: CSVSettings
    ) throws(StatementError) {
        self.rows = rows
        self.survey = survey
        self.settings = settings
        let used = Set(rows.entries.map(\.dateColumn))
        order = settings.dateOrder
        if order != nil { by = "csv.date_order" }
        if order == nil { findOrder(preamble) }
        for column in used {
            if let dates = settings.dates {
                candidates[column] = [dates]
                by = "csv.date_format"
                continue
            }
            let choice = survey.columns[column].dates
            if !choice.isUndecided {
                candidates[column] = Array(choice.candidates.prefix(1))
            } else if let order, let pattern = choice.candidates.first(where: { $0.order == order }) {
                candidates[column] = [pattern]
            } else if let pattern = choice.decided(order: nil) {
                candidates[column] = [pattern]
                by = "order of the rows"
            } else {
                candidates[column] = choice.candidates
            }
        }
    }

    /// Dates of the preamble, of balance rows and of other columns may leave no doubt.
    private mutating func findOrder(_ preamble: CSVPreamble) {
        var orders = Set<DateOrder>()
        for column in rows.plan.dates {
            let choice = survey.columns[column].dates
            guard let pattern = choice.candidates.first, !choice.isUndecided, pattern.parts.contains(.month) else {
                continue
            }
            // A part above 12 shows the order; dots, dashes of other kinds and years at the front are other ways to write.
            if pattern.isSlashed { orders.insert(pattern.order) }
        }
        for text in preamble.dates + rows.balances.compactMap(\.date) {
            let fitting = DatePattern.known.filter { $0.day(text) != nil }
            if fitting.count == 1, fitting[0].isSlashed { orders.insert(fitting[0].order) }
        }
        guard orders.count == 1 else { return }
        order = orders.first
        by = "other dates of the file"
    }

    /// Whether the days fall from the first row to the last; `nil` where they are equal, or the readings differ.
    var fall: Bool? {
        guard let first = rows.entries.first, let last = rows.entries.last else { return nil }
        var result: Bool?
        let left = candidates[first.dateColumn] ?? []
        let right = candidates[last.dateColumn] ?? []
        for (one, other) in zip(left, right) {
            guard let start = one.day(first.date), let end = other.day(last.date), start != end else { return nil }
            if let result, result != (end < start) { return nil }
            result = end < start
        }
        return result
    }

    /// The days, with what decided them.
    struct Decided {
        var days: [Day]
        var pattern: DatePattern
        var by: String
        /// The patterns of the columns that entries take their days from.
        fileprivate let patterns: [Int: DatePattern]

        /// The day that a cell of a column names.
        func day(_ cell: Bytes, in column: Int) -> Day? { patterns[column]?.day(cell) }
    }

    /// The days, where need be with the order of the rows that the running balance proves.
    func decided(with solved: CSVSolver.Reading) throws(StatementError) -> Decided {
        var by = by
        var chosen: [Int: DatePattern] = [:]
        for (column, patterns) in candidates {
            if patterns.count == 1 {
                chosen[column] = patterns[0]
            } else if solved.isOrderProven {
                let running = patterns.filter { runs($0, column, newestFirst: solved.isNewestFirst) }
                if running.count == 1 {
                    chosen[column] = running[0]
                    by = "running balance"
                }
            }
            guard chosen[column] != nil else { throw undecided(column) }
        }
        var days: [Day] = []
        days.reserveCapacity(rows.entries.count)
        var (column, pattern) = (-1, DatePattern.known[0])
        for entry in rows.entries {
            if entry.dateColumn != column {
                (column, pattern) = (entry.dateColumn, chosen[entry.dateColumn] ?? pattern)
            }
            guard let day = pattern.day(entry.date) else {
                throw StatementError(
                    .malformed, "row \(entry.number): \(entry.date.quoted) is not a date; check csv.date_format")
            }
            days.append(day)
        }
        return Decided(days: days, pattern: chosen[rows.entries[0].dateColumn] ?? pattern, by: by, patterns: chosen)
    }

    private func runs(_ pattern: DatePattern, _ column: Int, newestFirst: Bool) -> Bool {
        var before: Day?
        for entry in rows.entries where entry.dateColumn == column {
            guard let day = pattern.day(entry.date) else { return false }
            if let before, newestFirst ? day > before : day < before { return false }
            before = day
        }
        return true
    }

    private func undecided(_ column: Int) -> StatementError {
        let choice = survey.columns[column].dates
        let entry = rows.entries.first { entry in
            entry.dateColumn == column && Set(choice.candidates.compactMap { $0.day(entry.date) }).count > 1
        }
        return StatementError(
            .malformed,
            "row \(entry?.number ?? 0): \(choice.readings(of: entry?.date ?? Bytes())), and nothing in the file decides; set csv.date_order: day or month"
        )
    }
}

extension DatePattern {
    /// Whether day and month could change places in this way of writing.
    var isSlashed: Bool {
        parts.contains(.literal(UInt8(ascii: "/")))
            || parts.contains(.literal(UInt8(ascii: "-"))) && order != .year && !parts.contains(.monthName)
    }
}
