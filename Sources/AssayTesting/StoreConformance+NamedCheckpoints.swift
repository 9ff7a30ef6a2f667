import Assay

extension StoreConformance {
    static let namedCheckpoints = [
        StoreConformance("a store keeps named checkpoints, lists them newest first, and forgets one") { store in
            let (first, second) = (named(1, ["a": [1, .null]]), named(2, "text"))
            try await store.keep(first, atMost: 10)
            try await store.keep(second, atMost: 10)
            try expect(await store.namedCheckpoint(first.summary.id), first)
            try expect(await store.namedCheckpoint(Sample.id("nobody")), nil)
            try expect(await store.checkpointSummaries(of: nil), [second.summary, first.summary])
            try expect(await store.checkpointSummaries(of: first.summary.processorID), [first.summary])
            try expect(await store.removeNamedCheckpoint(first.summary.id), true)
            try expect(await store.removeNamedCheckpoint(first.summary.id), false)
            try expect(await store.checkpointSummaries(of: nil), [second.summary])
        },
        StoreConformance("a store removes the oldest tenth of its named checkpoints when there are too many") { store in
            func numbers() async throws -> [String] { try await store.checkpointSummaries(of: nil).map(\.name) }
            for number in 1...20 { try await store.keep(named(number, 1), atMost: 20) }
            try expect(await numbers().count, 20)
            try await store.keep(named(21, 1), atMost: 20)
            try expect(await numbers(), (3...21).reversed().map { "name \($0)" })
            try await store.keep(named(22, 1), atMost: 5)
            try expect(await numbers(), (18...22).reversed().map { "name \($0)" })
        },
        StoreConformance("a store keeps one named checkpoint under an identifier") { store in
            try await store.keep(named(1, 1), atMost: 1)
            do {
                try await store.keep(named(1, 2), atMost: 1)
                throw Finding("a second checkpoint was kept under the identifier of the first")
            } catch let error as ProcessingError {
                try expect(error.code, .exists)
            }
            try expect(await store.checkpointSummaries(of: nil).count, 1)
        },
    ]

    private static func named(_ number: Int, _ data: JSONValue) -> NamedCheckpoint {
        NamedCheckpoint(
            id: .numbered("checkpoint_", number), name: "name \(number)",
            processorID: .numbered("processor_", number % 2),
            createdAt: Timestamp(milliseconds: 1_000 * Int64(number)), data: data,
            metadata: ["number": JSONValue(number)])
    }
}

extension JSONValue {
    fileprivate init(_ number: Int) { self = .number(Number(number)) }
}
