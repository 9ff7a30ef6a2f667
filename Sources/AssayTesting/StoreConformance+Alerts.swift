import Assay

extension StoreConformance {
    static let alerts = [
        StoreConformance("a store adds up how alerts stand, and knows which are active") { store in
            try expect(await store.alerts(), [])
            var (first, second) = (AlertRecord("b"), AlertRecord("a"))
            (first.fired, first.suppressed) = (1, 2)
            first.last = firing(10, .itemError, input: "jan")
            (second.fired, second.errors) = (1, 1)
            second.last = firing(20, .batchComplete)
            for record in [first, second] { try await store.add(record) }
            try expect(await store.alerts(), [second, first])
            try expect(await store.alerts().map(\.isActive), [true, true])

            var clearing = AlertRecord("b")
            clearing.clearedAt = Timestamp(milliseconds: 15)
            try await store.add(clearing)
            first.clearedAt = clearing.clearedAt
            try expect(await store.alerts(), [second, first])
            try expect(await store.alerts().map(\.isActive), [true, false])

            // A late report of a firing before the clearing does not undo the clearing.
            var late = AlertRecord("b")
            (late.fired, late.last) = (1, firing(12, .itemError))
            try await store.add(late)
            try expect(await store.alerts().map(\.isActive), [true, false])
            var again = AlertRecord("b")
            (again.fired, again.last) = (1, firing(16, .itemError))
            try await store.add(again)
            try expect(await store.alerts().map(\.fired), [1, 3])
            try expect(await store.alerts().map(\.isActive), [true, true])
        }
    ]

    private static func firing(_ milliseconds: Int64, _ kind: Event.Kind, input: String? = nil) -> AlertRecord.Firing {
        AlertRecord.Firing(
            firedAt: Timestamp(milliseconds: milliseconds), kind: kind, runID: .numbered("run_", 1), inputID: input)
    }
}
