/// The entries that two statements share on the days that both cover.
///
/// An entry is known by the bank's own mark where both have one, else by day, amount and text; of equal ones the larger
/// count counts. Marks that a bank makes anew for each export tell nothing: if no mark of one statement occurs in the
/// other, entries are known by their content.
struct LedgerOverlap {
    struct Entry {
        /// Its place in its statement, or among the lines so far.
        var place: Int
        var day: Day
        var amount: Amount
        var text: Int
        /// The digest of the bank's own mark; 0 if there is none.
        var id: Int64
    }

    private struct Content: Hashable {
        var day: Day
        var amount: Amount
        var text: Int
        var isMarked: Bool

        init(_ entry: Entry, isMarked: Bool) {
            (day, amount, text, self.isMarked) = (entry.day, entry.amount, entry.text, isMarked)
        }
    }

    /// The places of the later statement's entries that the earlier ones hold, too.
    private(set) var repeated: Set<Int> = []
    /// Whether one of them has an entry that the other lacks although it covers the whole day, or says otherwise of
    /// one.
    private(set) var isConflict = false

    /// - Parameters:
    ///   - end: the last day of the earlier statements, which may end within it.
    ///   - start: the first day of the later one, which may begin within it.
    init(_ earlier: [Entry], _ later: [Entry], end: Day, start: Day) {
        let marks = Set(earlier.map(\.id)).subtracting([0])
        let marksLast = later.contains { marks.contains($0.id) }
        var open = Set(earlier.indices)
        if marksLast {
            var byMark = Dictionary(grouping: earlier.indices.reversed()) { earlier[$0].id }
            for entry in later where entry.id != 0 {
                guard let found = byMark[entry.id]?.popLast() else { continue }
                open.remove(found)
                repeated.insert(entry.place)
                if earlier[found].amount != entry.amount { isConflict = true }
            }
        }
        // Beside marks that last, another mark is another entry.
        func content(_ entry: Entry) -> Content { Content(entry, isMarked: marksLast && entry.id != 0) }
        var byContent = Dictionary(grouping: open.sorted(by: >)) { content(earlier[$0]) }
        for entry in later where !repeated.contains(entry.place) {
            let unmarked = Content(entry, isMarked: false)
            var found = byContent[unmarked]?.popLast()
            if found == nil, marksLast, entry.id == 0 { found = byContent[Content(entry, isMarked: true)]?.popLast() }
            guard let found else {
                if entry.day != end { isConflict = true }
                continue
            }
            open.remove(found)
            repeated.insert(entry.place)
        }
        if open.contains(where: { earlier[$0].day != start }) { isConflict = true }
    }
}
