/// The numbers of the rows of entries, most of which are consecutive.
struct CSVRowNumbers {
    /// The first entry of each part whose rows follow each other, and the number of its row.
    private var starts: [(entry: UInt32, row: UInt32)] = []
    private var count: UInt32 = 0

    mutating func append(_ row: Int) {
        let row = UInt32(clamping: row)
        if starts.last.map({ row - $0.row != count - $0.entry }) ?? true { starts.append((count, row)) }
        count += 1
    }

    subscript(entry: Int) -> Int {
        var (low, high) = (0, starts.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if Int(starts[middle].entry) <= entry { low = middle } else { high = middle }
        }
        return Int(starts[low].row) + entry - Int(starts[low].entry)
    }
}
