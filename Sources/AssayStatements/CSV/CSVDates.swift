/// The days of a table's entries, in the one order of day and month that the whole file leaves.
struct CSVDates {
    private let rows: CSVRows
    private let survey: CSVSurvey
    private let settings: CSVSettings
    /// The order that dates outside of the column, or the profile, settle.
    private var order: DateOrder?
    /// For each date column that is used, the places of the patterns that are left.
    private var candidates: [Int: [Int]] = [:]
    private var by = "dates"

    init(
        _ rows: CSVRows, _ survey: CSVSurvey, _ preamble: CSVPreamble, _ settings: CSVSettings
    ) throws(StatementError) {
        self.rows = rows
        self.survey = survey
        self.settings = settings
        order = settings.dateOrder
        if order != nil { by = "csv.date_order" }
        if order == nil { findOrder(preamble) }
        for column in rows.usedDateColumns {
            let patterns = rows.patterns[column]
            if settings.dates != nil { by = "csv.date_format" }
            if patterns.count < 2 {
                candidates[column] = Array(patterns.indices)
            } else if let order, let place = patterns.firstIndex(where: { $0.order == order }) {
                candidates[column] = [place]
            } else if let pattern = survey[column].dates.decided(order: nil),
                let place = patterns.firstIndex(of: pattern)
            {
                candidates[column] = [place]
                by = "order of the rows"
            } else {
                candidates[column] = Array(patterns.indices)
            }
        }
    }

    /// Takes the order from dates of the preamble, of balance rows and of other columns, if they are unambiguous.
    private mutating func findOrder(_ preamble: CSVPreamble) {
        var orders = Set<DateOrder>()
        for column in rows.plan.dates {
            let choice = survey[column].dates
            guard let pattern = choice.candidates.first, !choice.isUndecided, pattern.parts.contains(.month) else {
                continue
            }
            // A part above 12 shows the order; dots, dashes of other kinds and years at the front are other ways to
            // write.
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
        guard rows.count > 0 else { return nil }
        let last = rows.count - 1
        var result: Bool?
        let left = candidates[rows.dateColumn(of: 0)] ?? []
        let right = candidates[rows.dateColumn(of: last)] ?? []
        for (one, other) in zip(left, right) {
            guard let start = rows.day(of: 0, one), let end = rows.day(of: last, other), start != end else {
                return nil
            }
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

        /// Returns the day that a cell of a column names.
        func day(_ cell: Bytes, in column: Int) -> Day? { patterns[column]?.day(cell) }
    }

    /// Returns the days, where need be with the order of the rows that the running balance proves.
    func decided(with solved: CSVSolver.Reading) throws(StatementError) -> Decided {
        var by = by
        var chosen: [Int: Int] = [:]
        for (column, places) in candidates {
            if places.count == 1 {
                chosen[column] = places[0]
            } else if solved.isOrderProven {
                let running = places.filter { runs($0, column, newestFirst: solved.isNewestFirst) }
                if running.count == 1 {
                    chosen[column] = running[0]
                    by = "running balance"
                }
            }
            guard chosen[column] != nil else { throw undecided(column) }
        }
        let patterns = chosen.reduce(into: [:]) { $0[$1.key] = rows.patterns[$1.key][$1.value] }
        let pattern = patterns[rows.dateColumn(of: 0)] ?? DatePattern.known[0]
        return Decided(days: try days(chosen), pattern: pattern, by: by, patterns: patterns)
    }

    /// Returns the days of all entries under the chosen patterns.
    private func days(_ chosen: [Int: Int]) throws(StatementError) -> [Day] {
        let places = Set(chosen.values)
        var days = rows.days[places.first ?? 0]
        if places.count > 1 {
            for row in days.indices {
                days[row] = rows.day(of: row, chosen[rows.dateColumn(of: row)] ?? 0) ?? CSVRows.noDay
            }
        }
        guard let wrong = days.firstIndex(of: CSVRows.noDay) else { return days }
        throw StatementError(
            .malformed,
            "row \(rows.number(of: wrong)): \(rows.place(of: wrong).date.quoted) is not a date; check csv.date_format")
    }

    private func runs(_ place: Int, _ column: Int, newestFirst: Bool) -> Bool {
        var before: Day?
        for row in 0..<rows.count where rows.dateColumn(of: row) == column {
            guard let day = rows.day(of: row, place) else { return false }
            if let before, newestFirst ? day > before : day < before { return false }
            before = day
        }
        return true
    }

    private func undecided(_ column: Int) -> StatementError {
        let choice = survey[column].dates
        let row = (0..<rows.count).first { row in
            guard rows.dateColumn(of: row) == column else { return false }
            return Set(rows.patterns[column].indices.compactMap { rows.day(of: row, $0) }).count > 1
        }
        return StatementError(
            .malformed,
            "row \(row.map { rows.number(of: $0) } ?? 0): \(choice.readings(of: row.map { rows.place(of: $0).date } ?? Bytes())), and nothing in the file decides; set csv.date_order: day or month"
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
