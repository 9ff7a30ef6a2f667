/// Rows of texts under titles, set in columns.
package struct TextTable: Sendable {
    /// A column.
    package struct Column: Sendable {
        let title: String
        let isRight: Bool
        let isFlexible: Bool
        /// Whether it is the beginning that is cut off, as of paths, which differ at their ends.
        var keepsEnd = false
        /// The lower, the earlier the column is left out of a terminal that is too narrow; `nil`: never.
        var rank: Int?

        /// A column of texts, at the left.
        package static func text(_ title: String) -> Column { Column(title: title, isRight: false, isFlexible: false) }
        /// A column of numbers, at the right.
        package static func number(_ title: String) -> Column { Column(title: title, isRight: true, isFlexible: false) }
        /// The column as one that is left out before those of a higher `rank`, where the terminal is too narrow.
        package func dropped(_ rank: Int) -> Column {
            var column = self
            column.rank = rank
            return column
        }
        /// A column of paths or names, whose beginning is cut off when the terminal is too narrow.
        package static func path(_ title: String) -> Column {
            var column = flexible(title)
            column.keepsEnd = true
            return column
        }
        /// A column of texts that are cut when the terminal is too narrow.
        package static func flexible(_ title: String) -> Column {
            Column(title: title, isRight: false, isFlexible: true)
        }
    }

    /// The columns.
    package private(set) var columns: [Column]
    /// One text per column, as it was given by data or program; made safe when shown.
    package var rows: [[String]] = []

    /// A table without rows.
    package init(_ columns: [Column]) { self.columns = columns }

    /// The table in lines of at most `width` columns as far as its texts can be cut; numbers never are.
    package func lines(width: Int? = nil, paint: Paint? = nil) -> [String] {
        if let width, let table = fitted(to: width) { return table.lines(width: width, paint: paint) }
        let widths = widths(in: width)
        return [head(widths, paint)] + body(widths, cutting: width != nil)
    }

    /// The table without the columns that there is no room for; `nil` when nothing is to be left out.
    private func fitted(to width: Int) -> TextTable? {
        let readable = 24
        var widths = widths(in: nil)
        for index in columns.indices where columns[index].isFlexible { widths[index] = min(widths[index], readable) }
        var kept = Array(columns.indices)
        while kept.reduce(Self.gap * (kept.count - 1), { $0 + widths[$1] }) > width,
            let first = kept.filter({ columns[$0].rank != nil }).min(by: {
                columns[$0].rank ?? 0 < columns[$1].rank ?? 0
            })
        {
            kept.removeAll { $0 == first }
        }
        guard kept.count < columns.count else { return nil }
        var table = TextTable(kept.map { columns[$0] })
        table.rows = rows.map { row in kept.map { row[$0] } }
        for index in table.columns.indices { table.columns[index].rank = nil }
        return table
    }

    /// How wide each column is so that the rows fit.
    package func widths(in width: Int?) -> [Int] {
        var widths = columns.indices.map { index in
            rows.reduce(columns[index].title.columns) { max($0, min(Self.longest, $1[index].safe.columns)) }
        }
        if let width { shrink(&widths, to: width) }
        return widths
    }

    /// The titles.
    package func head(_ widths: [Int], _ paint: Paint?) -> String {
        let head = line(columns.map(\.title), widths, cutting: true)
        return paint.map { $0(head, .bold) } ?? head
    }

    /// The rows.
    ///
    /// - Parameter cutting: whether what is wider than its column is cut; otherwise it pushes the rest to the right.
    package func body(_ widths: [Int], cutting: Bool) -> [String] {
        rows.map { line($0.map(\.safe), widths, cutting: cutting) }
    }

    private static let gap = 2
    private static let narrowest = 8
    /// What is longer is cut in any case; names can have a megabyte.
    private static let longest = 240

    /// Takes columns from the widest flexible one until the line fits, and from other texts when that is not enough.
    private func shrink(_ widths: inout [Int], to width: Int) {
        shrink(&widths, columns.indices.filter { columns[$0].isFlexible }, to: width)
        // Texts that are cut can be read elsewhere; lines that are broken by the terminal cannot be read at all.
        shrink(&widths, columns.indices.filter { !columns[$0].isRight }, to: width)
    }

    /// Takes columns from the widest of some.
    private func shrink(_ widths: inout [Int], _ flexible: [Int], to width: Int) {
        var excess = widths.reduce(Self.gap * (widths.count - 1), +) - width
        while excess > 0, let widest = flexible.max(by: { widths[$0] < widths[$1] }), widths[widest] > Self.narrowest {
            let second = flexible.filter { $0 != widest }.map { widths[$0] }.max() ?? Self.narrowest
            let step = min(excess, max(1, widths[widest] - max(second, Self.narrowest)))
            widths[widest] -= step
            excess -= step
        }
    }

    private func line(_ texts: [String], _ widths: [Int], cutting: Bool = false) -> String {
        let cells = columns.indices.map { index in
            let room = cutting ? widths[index] : Self.longest
            let text = columns[index].keepsEnd ? texts[index].tail(inColumns: room) : texts[index].cut(toColumns: room)
            let blanks = String(repeating: " ", count: max(0, widths[index] - text.columns))
            return columns[index].isRight ? blanks + text : text + blanks
        }
        let line = cells.joined(separator: String(repeating: " ", count: Self.gap))
        return String(line.reversed().drop { $0 == " " }.reversed())
    }
}
