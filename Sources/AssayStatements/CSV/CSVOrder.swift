/// The rows of one account, oldest first.
struct CSVOrder: RandomAccessCollection {
    /// The rows, where they are not all there are.
    private let rows: [Int32]
    private let isReversed: Bool
    let endIndex: Int
    var startIndex: Int { 0 }

    /// All rows of a file.
    init(count: Int, isReversed: Bool) {
        (rows, endIndex, self.isReversed) = ([], count, isReversed)
    }

    /// Some rows of a file.
    init(_ rows: [Int32]) {
        (self.rows, endIndex, isReversed) = (rows, rows.count, false)
    }

    subscript(position: Int) -> Int {
        if !rows.isEmpty { return Int(rows[position]) }
        return isReversed ? endIndex - 1 - position : position
    }
}
