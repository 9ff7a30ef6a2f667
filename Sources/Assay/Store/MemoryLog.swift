/// What was said in the runs of a store in memory: the newest of each item, and of all.
struct MemoryLog {
    private struct Place: Hashable {
        let runID: Run.ID
        let inputID: ExternalID?

        init(_ line: LogLine) {
            runID = line.runID
            inputID = line.inputID.map { ExternalID(unchecked: $0) }
        }
    }

    /// The lines of one item, the oldest first; those before `start` are gone.
    private struct Lines {
        var numbers: [Int] = []
        var start = 0
        var size = 0
    }

    private var lines: [Int: LogLine] = [:]
    private var places: [Place: Lines] = [:]
    private var last = 0
    private var oldest = 1
    private var size = 0

    /// Adds lines in their order and drops what is too much.
    mutating func append(_ new: [LogLine], keeping limits: LogLimits) {
        for var line in new {
            last += 1
            line.number = last
            let place = Place(line)
            lines[last] = line
            places[place, default: Lines()].numbers.append(last)
            places[place, default: Lines()].size += line.size
            size += line.size
            while let kept = places[place], kept.size > limits.item, kept.start < kept.numbers.count {
                drop(kept.numbers[kept.start])
            }
        }
        while size > limits.total, oldest <= last {
            drop(oldest)
            oldest += 1
        }
    }

    private mutating func drop(_ number: Int) {
        guard let line = lines.removeValue(forKey: number) else { return }
        let place = Place(line)
        size -= line.size
        places[place]?.size -= line.size
        // Of an item the oldest goes first, by whichever limit.
        places[place]?.start += 1
        if let kept = places[place], kept.start > 1_024, kept.start * 2 > kept.numbers.count {
            places[place]?.numbers.removeFirst(kept.start)
            places[place]?.start = 0
        }
    }

    /// Up to `limit` lines that fit `filter`, oldest first.
    func lines(matching filter: LogFilter, limit: Int) -> [LogLine] {
        let numbers =
            places.filter { $0.key.runID == filter.runID }.flatMap { $0.value.numbers[$0.value.start...] }.sorted()
        return Array(numbers.lazy.compactMap { lines[$0] }.filter(filter.matches).prefix(max(0, limit)))
    }

    /// Forgets what was said in runs.
    mutating func remove(_ runs: Set<Run.ID>) {
        for (place, kept) in places where runs.contains(place.runID) {
            for number in kept.numbers[kept.start...] { lines[number] = nil }
            size -= kept.size
            places[place] = nil
        }
    }
}
