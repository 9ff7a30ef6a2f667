import Assay
import AssayTesting
import Testing

@Suite("The index of a queue") struct ExecutionIndexTests {
    /// The same kept in the simplest way: a list, which is searched.
    private struct Plain {
        var rows: [(id: Identifier, status: Status, priority: Double, number: Int, isOffered: Bool)] = []

        func place(of id: Identifier) -> Int? { rows.firstIndex { $0.id == id } }

        mutating func move(_ id: Identifier, to status: Status) {
            guard let place = place(of: id), rows[place].status != status else { return }
            var row = rows.remove(at: place)
            (row.status, row.isOffered) = (status, false)
            rows.append(row)
        }

        mutating func offer() -> Identifier? {
            let next = rows.indices.filter { rows[$0].status == .pending && !rows[$0].isOffered }
                .min { (rows[$0].priority, rows[$0].number) < (rows[$1].priority, rows[$1].number) }
            guard let next else { return nil }
            rows[next].isOffered = true
            return rows[next].id
        }
    }

    @Test("keeps numbers, lists and turns as a search through everything finds them, through thousands of changes")
    func agrees() throws {
        let seed = Rig.seed()
        let comment: Comment = "ASSAY_SEED=\(seed)"
        var chance = SeededNumbers(seed: seed)
        var (index, plain) = (ExecutionIndex(), Plain())
        for number in 1...4_000 {
            let known = plain.rows.randomElement(using: &chance)?.id
            switch (Int.random(in: 0..<10, using: &chance), known) {
            case (0...3, _), (_, nil):
                let id = try #require(Identifier("e\(number)"))
                let priority = Double(Int.random(in: 0..<8, using: &chance))
                index.add(id, .pending, priority: priority, number: number)
                plain.rows.append((id, .pending, priority, number, false))
            case (4, let id?):
                let status = try #require(Status.allCases.randomElement(using: &chance))
                index.move(id, to: status)
                plain.move(id, to: status)
            case (5, let id?):
                let priority = Double(Int.random(in: 0..<8, using: &chance))
                index.setPriority(priority, of: id)
                if let place = plain.place(of: id) { plain.rows[place].priority = priority }
            case (6, let id?):
                index.remove(id)
                plain.rows.removeAll { $0.id == id }
            case (7, let id?):
                index.giveBack(id)
                if let place = plain.place(of: id) { plain.rows[place].isOffered = false }
            case (_, _?):
                try #require(index.offer(at: .zero) == plain.offer(), comment)
            }
            guard number.isMultiple(of: 50) else { continue }
            for status in Status.allCases {
                let found = plain.rows.filter { $0.status == status }.map(\.id)
                try #require(index.list(status) == found, comment)
                try #require(index.counts[status] == found.count, comment)
            }
        }
        while let next = plain.offer() { try #require(index.offer(at: .zero) == next, comment) }
        #expect(index.offer(at: .zero) == nil, comment)
    }
}
