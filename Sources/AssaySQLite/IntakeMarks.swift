import Assay

/// What a run knows of an item as it takes the item in.
struct IntakeMark: Equatable {
    /// The outcome of an earlier run that counts as the item's own.
    struct Source: Equatable {
        /// The key of the run that wrote the outcome.
        var run: Int64
        var place: Int
        var status: Status
        var isKept: Bool
    }

    var basis: ItemBasis?
    var inputChanged: Bool
    var settled: Bool
    var source: Source?
}

/// The marks of consecutive items of a run. Items in a row with like marks take a few bytes together.
struct IntakeMarks {
    private struct Stretch {
        var count: Int
        /// The mark of the first item. The places of sources rise with those of the items.
        var mark: IntakeMark

        func mark(at offset: Int) -> IntakeMark {
            var mark = mark
            mark.source?.place += offset
            return mark
        }
    }

    private static let bases: [ItemBasis] = [.new, .unfinished, .changed, .restarted, .finished, .notFailed, .reopened]
    private static let statuses: [Status] = [.succeeded, .failed, .skipped, .cancelled]

    /// The place of the first item in the run.
    let start: Int
    private var stretches: [Stretch] = []

    init(start: Int, _ marks: some Sequence<IntakeMark>) {
        self.start = start
        for mark in marks { add(mark) }
    }

    /// The number of items.
    var count: Int { stretches.reduce(0) { $0 + $1.count } }

    /// The places of its items in the run.
    var places: Range<Int> { start..<start + count }

    private mutating func add(_ mark: IntakeMark) {
        if let last = stretches.last, last.mark(at: last.count) == mark {
            stretches[stretches.count - 1].count += 1
        } else {
            stretches.append(Stretch(count: 1, mark: mark))
        }
    }

    /// The mark of each item, in order.
    var marks: some Sequence<IntakeMark> {
        stretches.lazy.flatMap { stretch in (0..<stretch.count).lazy.map { stretch.mark(at: $0) } }
    }

    /// Returns the mark of the item at `place`, which must be one of ``places``.
    func mark(at place: Int) -> IntakeMark? {
        var offset = place - start
        for stretch in stretches {
            if offset < stretch.count { return stretch.mark(at: offset) }
            offset -= stretch.count
        }
        return nil
    }

    /// Makes the item at `place` one without an outcome of an earlier run.
    mutating func detach(at place: Int) {
        self = IntakeMarks(
            start: start,
            zip(places, Array(marks)).map { at, mark in
                var mark = mark
                if at == place { mark.source = nil }
                return mark
            })
    }

    /// The stretches of items with outcomes of one earlier run, and the source of the first item of each.
    var carried: [(places: Range<Int>, source: IntakeMark.Source)] {
        var (found, place) = ([(places: Range<Int>, source: IntakeMark.Source)](), start)
        for stretch in stretches {
            if let source = stretch.mark.source { found.append((place..<place + stretch.count, source)) }
            place += stretch.count
        }
        return found
    }

    // MARK: Stored form

    /// The marks as bytes: for each stretch its length, its flags and, if there is one, its source.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        for stretch in stretches {
            let (mark, source) = (stretch.mark, stretch.mark.source)
            var flags = mark.basis.flatMap { Self.bases.firstIndex(of: $0) }.map { $0 + 1 } ?? 0
            flags |= (mark.inputChanged ? 8 : 0) | (mark.settled ? 16 : 0)
            if let source {
                flags |= 32 | (source.isKept ? 64 : 0) | (Self.statuses.firstIndex(of: source.status) ?? 0) << 7
            }
            bytes.pack(stretch.count)
            bytes.pack(flags)
            guard let source else { continue }
            bytes.pack(Int(source.run))
            bytes.pack(source.place)
        }
        return bytes
    }

    /// Creates the marks in `bytes`; `nil` when they are damaged.
    init?(start: Int, bytes: [UInt8]) {
        self.start = start
        var reader = PackedReader(bytes[...])
        while !reader.isAtEnd {
            guard let count = reader.number(), let flags = reader.number(), count > 0, flags & 7 <= Self.bases.count
            else { return nil }
            var mark = IntakeMark(
                basis: flags & 7 == 0 ? nil : Self.bases[flags & 7 - 1], inputChanged: flags & 8 != 0,
                settled: flags & 16 != 0)
            if flags & 32 != 0 {
                guard let run = reader.number(), let place = reader.number() else { return nil }
                mark.source = IntakeMark.Source(
                    run: Int64(run), place: place, status: Self.statuses[flags >> 7 & 3], isKept: flags & 64 != 0)
            }
            stretches.append(Stretch(count: count, mark: mark))
        }
    }
}
