/// A cutter that splits the list of a run into batches, one at a time, on demand.
///
/// A batch holds consecutive items. A new batch begins where the slot changes, unless the caller set the size.
struct BatchCutter {
    /// A batch that is filed but not yet worked on.
    struct Cut: Sendable {
        let session: RunSession
        let id: String
        let index: Int
        /// The violation of a list rule by one of its items.
        let violation: GateFailure?
    }

    private let engine: Engine
    private let whole: RunSession
    private let batching: Batching
    private var gate: ListGate
    private var count = 0
    private var position = 0
    private var waiting: ArraySlice<Item> = []
    private var source: Source

    /// The source of items.
    private enum Source {
        /// From the caller, filed batch by batch.
        case list(Engine.ItemSource, History)
        /// From the record, which holds all of them.
        case record
    }

    /// Creates a cutter for items that are still to be filed.
    init(
        _ engine: Engine, _ whole: RunSession, _ batching: Batching, over items: @escaping Engine.ItemSource,
        _ history: History
    ) {
        self.init(engine, whole, batching, .list(items, history))
    }

    /// Creates a cutter for items that are on record.
    init(onRecordOf engine: Engine, _ whole: RunSession, _ batching: Batching) {
        self.init(engine, whole, batching, .record)
    }

    private init(_ engine: Engine, _ whole: RunSession, _ batching: Batching, _ source: Source) {
        (self.engine, self.whole, self.batching, self.source) = (engine, whole, batching, source)
        gate = ListGate(whole.options, runID: whole.run.id)
    }

    /// Cuts the next batch and files it; `nil` at the end of the list.
    mutating func next() async throws -> Cut? {
        switch source {
        case .list(let items, let history):
            let batch = try await take(items)
            guard !batch.isEmpty else { return nil }
            let session = whole.beginBatch(from: position)
            var intake = ListIntake(session: session, history: history)
            try await intake.file(batch)
            source = .list(items, intake.history)
            return finish(session, batch)
        case .record:
            let page = try await engine.store.items(
                of: whole.run.id, from: position, limit: batching.policy.maxBatchSize)
            guard let first = page.first else { return nil }
            let batch = page.prefix(end(of: page.prefix(try size(from: first.item)).map(\.item)))
            let session = whole.beginBatch(from: position)
            session.items.add(batch.count, resuming: batch.map(\.index).filter(whole.resumes))
            let settled = batch.filter(\.settled).map(\.index)
            if !settled.isEmpty {
                session.items.keep(
                    try await engine.store.outcomes(of: whole.run.id, from: position, limit: batch.count)
                        .filter { settled.contains($0.index) })
                session.withBatch { $0.told.formUnion(settled) }
            }
            return finish(session, batch.map(\.item))
        }
    }

    private mutating func finish(_ session: RunSession, _ items: [Item]) -> Cut {
        for (place, item) in items.enumerated() { gate.check(item, at: position + place) }
        defer {
            position += items.count
            count += 1
        }
        return Cut(session: session, id: engine.nextBatchID(), index: count, violation: gate.takeViolation())
    }

    /// Takes the items of the next batch, and no more than it needs to find where that batch ends.
    private mutating func take(_ items: Engine.ItemSource) async throws -> [Item] {
        if waiting.isEmpty { waiting = try await items(1)[...] }
        guard let first = waiting.first else { return [] }
        let size = try size(from: first)
        while waiting.count < size {
            let page = try await items(size - waiting.count)
            guard !page.isEmpty else { break }
            waiting += page
        }
        let end = end(of: waiting.prefix(size))
        defer { waiting = waiting.dropFirst(end) }
        return Array(waiting.prefix(end))
    }

    /// Returns the size of a batch that begins with `item`.
    private func size(from item: Item) throws -> Int {
        try batching.size(of: whole.processor, slot: batching.size == nil ? item.slot : nil)
    }

    /// Returns how many of `items` one batch may have.
    private func end(of items: some Collection<Item>) -> Int {
        guard batching.size == nil, let first = items.first else { return items.count }
        return items.prefix { $0.slot == first.slot }.count
    }
}
