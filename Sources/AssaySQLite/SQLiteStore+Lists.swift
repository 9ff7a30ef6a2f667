public import Assay

extension SQLiteStore {
    public func list(of run: Run.ID) async throws -> InputList? { try read { try $0.list(of: run) } }

    public func items(of list: InputList.ID, from start: Int, limit: Int) async throws -> [Item] {
        try await readAside { connection in
            try connection.snapshot { try connection.items(of: list, from: start, limit: limit) }
        }
    }

    public func append(_ items: [Item], to list: InputList.ID) async throws {
        let chunks = try InputChunks(items)
        try await write { try $0.append(chunks, toSubmission: list.executionID) }
    }

    public func discard(_ list: InputList.ID) async throws {
        try await write { connection in
            guard try connection.queued(list.executionID) == nil else { return }
            if let found = try connection.find(list), found.maker == nil { try connection.release(list: found.key) }
        }
    }
}

/// A list as its writes see it.
struct ListStand {
    let key: Int64
    /// The key of the run that appends to it; `nil` for a list that is submitted to the queue.
    let maker: Int64?
    var count: Int
}

/// A page of a list: some items of a chunk.
private struct ListPage {
    static let columns = Columns("place, count, chunk, first, seal")
    static let insertion = "INSERT INTO list_pages (\(columns)) VALUES (\(columns.marks))"
    static let selection = "SELECT \(columns) FROM list_pages"
    /// The pages that have an item between two places, in order.
    static let overlapping =
        selection + """
             WHERE place BETWEEN coalesce((SELECT max(place) FROM list_pages WHERE place BETWEEN ?1 AND ?2), ?2) AND ?3
            ORDER BY place
            """

    var start: Int
    var count: Int
    var chunk: Int64
    /// The place in the chunk of the page's first item.
    var first: Int

    var places: Range<Int> { start..<start + count }
}

private enum ChunkRow {
    static let columns = Columns("key, count, data, seal, users")
    static let insertion = "INSERT INTO chunks (\(columns)) VALUES (\(columns.marks))"
    static let selection = "SELECT \(columns) FROM chunks"
}

/// Reads items of one list. Items at rising places read each chunk once.
final class ListReader {
    private let connection: Connection
    private let list: Int64
    private var page: ListPage?
    private var chunk: (key: Int64, chunk: InputChunk)?

    init(_ list: Int64, in connection: Connection) { (self.list, self.connection) = (list, connection) }

    /// Returns the item at `place`; `nil` behind the end of the list.
    func item(at place: Int) throws -> Item? {
        guard let (chunk, offset) = try find(place) else { return nil }
        guard let item = try? chunk.item(at: offset) else { throw ProcessingError.damaged("an input") }
        return item
    }

    /// Returns the name of the item at `place`.
    func name(at place: Int) throws -> String {
        guard let (chunk, offset) = try find(place), let name = chunk.name(at: offset) else {
            throw ProcessingError.damaged("an input")
        }
        return name
    }

    private func find(_ place: Int) throws -> (InputChunk, Int)? {
        if page?.places.contains(place) != true { page = try connection.page(at: place, ofList: list) }
        guard let page, page.places.contains(place) else { return nil }
        if chunk?.key != page.chunk { chunk = (page.chunk, try connection.chunk(page.chunk)) }
        guard let chunk = chunk?.chunk, page.first + page.count <= chunk.count else {
            throw ProcessingError.damaged("a page of an input list")
        }
        return (chunk, page.first + place - page.start)
    }
}

extension Connection {
    func list(of run: Run.ID) throws -> InputList? {
        let find = try statement(
            """
            SELECT l.execution_id, l.number, l.count FROM lists l JOIN run_lists r ON r.list = l.key
            JOIN runs ON runs.key = r.run WHERE runs.id = ?
            """)
        find.bind(run.text)
        return try find.first { row in
            let (execution, number, count) = (Identifier(row.text()), row.int(), row.int())
            return execution.map { InputList(id: InputList.ID(executionID: $0, number: number), count: count) }
        } ?? nil
    }

    func find(_ list: InputList.ID) throws -> ListStand? {
        let find = try statement("SELECT key, maker, count FROM lists WHERE execution_id = ? AND number = ?")
        find.bind(list.executionID.text)
        find.bind(list.number)
        return try find.first { ListStand(key: $0.integer(), maker: $0.optionalInteger(), count: $0.int()) }
    }

    func list(_ key: Int64) throws -> ListStand? {
        let find = try statement("SELECT key, maker, count FROM lists WHERE key = ?")
        find.bind(key)
        return try find.first { ListStand(key: $0.integer(), maker: $0.optionalInteger(), count: $0.int()) }
    }

    func items(of list: InputList.ID, from start: Int, limit: Int) throws -> [Item] {
        guard let list = try find(list), start < list.count else { return [] }
        let reader = ListReader(list.key, in: self)
        return try (start..<start + min(limit, list.count - start)).compactMap { try reader.item(at: $0) }
    }

    fileprivate func page(at place: Int, ofList list: Int64) throws -> ListPage? {
        let find = try prepare(ListPage.selection + " WHERE place BETWEEN ? AND ? ORDER BY place DESC LIMIT 1")
        find.bind(Place.of(0, inRun: list))
        find.bind(Place.of(place, inRun: list))
        return try find.first { try $0.readListPage() }
    }

    fileprivate func chunk(_ key: Int64) throws -> InputChunk {
        let find = try prepare(ChunkRow.selection + " WHERE key = ?")
        find.bind(key)
        guard let chunk = try find.first({ try $0.readChunk() }) else { throw ProcessingError.damaged("an input list") }
        return chunk
    }

    // MARK: Writing

    /// Makes a list with the next number of its execution, which one run or submission refers to.
    func makeList(of execution: String, maker: Int64?) throws -> ListStand {
        let insert = try statement(
            """
            INSERT INTO lists (execution_id, number, maker, count, users)
            VALUES (?1, (SELECT coalesce(max(number), 0) + 1 FROM lists WHERE execution_id = ?1), ?2, 0, 1)
            RETURNING key
            """)
        insert.bind(execution)
        insert.bind(maker)
        guard let key = try insert.first({ $0.integer() }) else { throw ProcessingError.damaged("an input list") }
        return ListStand(key: key, maker: maker, count: 0)
    }

    /// Appends items to the list of an execution that is about to be submitted, which is made if there is none.
    func append(_ chunks: InputChunks, toSubmission execution: Execution.ID) throws {
        var list =
            try find(Execution.submittedList(of: execution)) ?? makeList(of: execution.text, maker: nil)
        try append(chunks, to: &list)
    }

    func append(_ chunks: InputChunks, to list: inout ListStand) throws {
        let next = try statement("SELECT coalesce(max(key), 0) + 1 FROM chunks")
        var key = try next.first { $0.integer() } ?? 1
        for chunk in chunks.chunks {
            let insert = try prepare(ChunkRow.insertion)
            insert.bind(key)
            insert.bind(chunk.count)
            insert.bind(blob: chunk.bytes)
            insert.bindSeal()
            insert.bind(1)
            try insert.run()
            try insertPage(ListPage(start: list.count, count: chunk.count, chunk: key, first: 0), of: list.key)
            list.count += chunk.count
            key += 1
        }
        try setCount(of: list)
    }

    /// Appends items of another list by reference to their chunks.
    func append(_ places: Range<Int>, of other: Int64, to list: inout ListStand) throws {
        let find = try prepare(ListPage.overlapping)
        find.bind(Place.of(0, inRun: other))
        find.bind(Place.of(places.lowerBound, inRun: other))
        find.bind(Place.of(places.upperBound - 1, inRun: other))
        for page in try find.all({ try $0.readListPage() }) {
            let shared = page.places.clamped(to: places)
            guard !shared.isEmpty else { continue }
            let reference = ListPage(
                start: list.count, count: shared.count, chunk: page.chunk,
                first: page.first + shared.lowerBound - page.start)
            try insertPage(reference, of: list.key)
            let use = try statement("UPDATE chunks SET users = users + 1 WHERE key = ?")
            use.bind(page.chunk)
            try use.run()
            list.count += shared.count
        }
        try setCount(of: list)
    }

    private func insertPage(_ page: ListPage, of list: Int64) throws {
        let insert = try prepare(ListPage.insertion)
        insert.bind(Place.of(page.start, inRun: list))
        insert.bind(page.count)
        insert.bind(page.chunk)
        insert.bind(page.first)
        insert.bindSeal()
        try insert.run()
    }

    private func setCount(of list: ListStand) throws {
        let update = try statement("UPDATE lists SET count = ? WHERE key = ?")
        update.bind(list.count)
        update.bind(list.key)
        try update.run()
    }

    /// Makes a run refer to a list, in place of any that it referred to before.
    func refer(run: Int64, to list: Int64, isNew: Bool) throws {
        try releaseList(ofRun: run)
        let insert = try statement("INSERT INTO run_lists (run, list) VALUES (?, ?)")
        insert.bind(run)
        insert.bind(list)
        try insert.run()
        guard !isNew else { return }
        let use = try statement("UPDATE lists SET users = users + 1 WHERE key = ?")
        use.bind(list)
        try use.run()
    }

    /// Ends a run's reference to its list.
    func releaseList(ofRun run: Int64) throws {
        let delete = try statement("DELETE FROM run_lists WHERE run = ? RETURNING list")
        delete.bind(run)
        if let list = try delete.first({ $0.integer() }) { try release(list: list) }
    }

    /// Ends one reference to a list. What nothing refers to any longer is deleted: the list, and chunks of it.
    func release(list: Int64) throws {
        let release = try statement("UPDATE lists SET users = users - 1 WHERE key = ? RETURNING users")
        release.bind(list)
        guard let users = try release.first({ $0.int() }), users <= 0 else { return }
        let pages = try prepare(ListPage.selection + " WHERE place BETWEEN ? AND ?")
        pages.bind(Place.of(0, inRun: list))
        pages.bind(Place.of(.max, inRun: list))
        for page in try pages.all({ try $0.readListPage() }) {
            let use = try statement("UPDATE chunks SET users = users - 1 WHERE key = ?")
            use.bind(page.chunk)
            try use.run()
            let delete = try statement("DELETE FROM chunks WHERE key = ? AND users <= 0")
            delete.bind(page.chunk)
            try delete.run()
        }
        let empty = try statement("DELETE FROM list_pages WHERE place BETWEEN ? AND ?")
        empty.bind(Place.of(0, inRun: list))
        empty.bind(Place.of(.max, inRun: list))
        try empty.run()
        let delete = try statement("DELETE FROM lists WHERE key = ?")
        delete.bind(list)
        try delete.run()
    }

    /// Reads every row of the lists and reports its errors.
    func forEachListRow(_ read: (String, (SQLStatement) throws -> Void) throws -> Void) throws {
        try read(ListPage.selection) { _ = try $0.readListPage() }
        try read(ChunkRow.selection) { row in
            let chunk = try row.readChunk()
            for place in 0..<chunk.count where try chunk.item(at: place) == nil {
                throw ProcessingError.damaged("an input")
            }
        }
    }
}

extension SQLStatement {
    fileprivate func readListPage() throws -> ListPage {
        try sealed("a page of an input list") { row in
            ListPage(
                start: Int(row.integer() & Place.largestIndex), count: row.int(), chunk: row.integer(),
                first: row.int())
        }
    }

    fileprivate func readChunk() throws -> InputChunk {
        try sealed("an input list") { row in
            _ = row.integer()
            let count = row.int()
            return InputChunk(row.blob(), count: count)
        }
    }
}
