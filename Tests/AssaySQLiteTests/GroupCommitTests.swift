import Assay
import Foundation
import GRDB
import Testing

@testable import AssaySQLite

@Suite("Writes that come together", .timeLimit(.minutes(5))) struct GroupCommitTests {
    private struct Refused: Error {}

    private let folder = TemporaryFolder()

    /// Holds the writer in a request until `body` has queued others, so that these end up in one group.
    private func queued<Value: Sendable>(
        _ store: SQLiteStore, _ count: Int, _ body: @escaping @Sendable (Int) async throws -> Value
    ) async throws -> [Result<Value, any Error>] {
        let (entries, entered) = AsyncStream<Void>.makeStream()
        let release = DispatchSemaphore(value: 0)
        return try await withThrowingTaskGroup(of: (Int, Result<Value, any Error>)?.self) { group in
            group.addTask {
                try await store.write { _ in
                    entered.finish()
                    release.wait()
                }
                return nil
            }
            for await _ in entries {}
            for number in 0..<count {
                group.addTask {
                    do { return (number, .success(try await body(number))) } catch { return (number, .failure(error)) }
                }
            }
            await store.waited(by: count)
            release.signal()
            return try await group.reduce(into: []) { $0 += [$1].compactMap { $0 } }.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    @Test("are one transaction, at most a thousand at a time")
    func together() async throws {
        let store = try SQLiteStore.open(folder.database)
        let before = store.commitCount
        let results = try await queued(store, 2_500) { number in
            try await store.add(
                Price(Money(billionths: 1)), for: .processor("p\(number)"), at: Timestamp(milliseconds: 0))
        }
        #expect(results.allSatisfy { (try? $0.get()) != nil })
        #expect(store.commitCount - before == 1 + 3)
        #expect(try await store.prices().entries.count == 2_500)
    }

    @Test("fail each for itself")
    func oneFails() async throws {
        let store = try SQLiteStore.open(folder.database)
        let results = try await queued(store, 10) { number in
            try await store.write { connection in
                let subject = PriceSubject.processor("p\(number)")
                try connection.add(Price(Money(billionths: 1)), for: subject, at: Timestamp(milliseconds: 0))
                if number % 3 == 0 { throw Refused() }
                if number % 5 == 0 { try connection.database.execute(sql: "INSERT INTO runs (id) VALUES (NULL)") }
            }
        }
        let written = results.indices.filter { (try? results[$0].get()) != nil }
        #expect(written == [1, 2, 4, 7, 8])
        #expect(try await store.prices().entries.count == 5)
    }

    @Test("are all refused when the disk is full, and go on when it is not any more")
    func diskFull() async throws {
        let store = try SQLiteStore.open(folder.database)
        func limit(_ pages: String) async throws {
            try await store.write { _ = try Int.fetchOne($0.database, sql: "PRAGMA max_page_count = \(pages)") }
        }
        let value = JSONValue.string(String(repeating: "x", count: 100_000))
        try await limit("1")
        let results = try await queued(store, 5) { number in
            try await store.write { try $0.store(CacheRow(Sample.cacheEntry("key\(number)", value))) }
        }
        for result in results {
            let error = #expect(throws: ProcessingError.self) { try result.get() }
            #expect(error?.message.hasPrefix("the disk is full") == true)
        }
        try await limit("1073741823")
        try await store.write { try $0.store(CacheRow(Sample.cacheEntry("key", value))) }
        #expect(try await store.info().counts["cache"] == 1)
    }

    @Test("end the store when it is unknown what is on the disk")
    func diskFails() async throws {
        let store = try SQLiteStore.open(folder.database)
        let run = try await Sample.fill(store)
        let results = try await queued(store, 5) { number in
            try await store.write { _ in
                if number == 2 { throw DatabaseError(resultCode: .SQLITE_IOERR_FSYNC, message: "disk I/O error") }
            }
        }
        for result in results {
            let error = #expect(throws: ProcessingError.self) { try result.get() }
            #expect(
                error?.message == "the database could not be written: disk I/O error; nothing was acknowledged; restart"
            )
        }
        await #expect(throws: ProcessingError.self) { try await store.begin(Sample.run("run_2")) }
        await #expect(throws: ProcessingError.self) { try await store.run(run.id) }
        store.close()
        let again = try SQLiteStore.open(folder.database)
        #expect(try await again.check() == [])
        #expect(try await again.run(run.id)?.status == .succeeded)
    }
}
