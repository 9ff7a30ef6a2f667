import Assay
import AssaySQLite
import AssayTesting
import Foundation
import Testing

@Suite("A damaged file") struct DamageTests {
    /// Everything a run left, as text, or the first error.
    private func content(_ path: String) async -> Result<String, any Error> {
        do {
            let store = try SQLiteStore.open(path)
            defer { store.close() }
            guard let run = try await store.run(Sample.id("run_1")) else { return .success("no run") }
            let outcomes = try await store.outcomes(of: run.id, from: 0, limit: .max).map { try $0.jsonValue().json }
            let items = try await store.items(of: run.id, from: 0, limit: .max).map { try $0.item.data.json().json }
            let charges = try await store.charges(matching: ChargeFilter()).map(\.jsonValue.json)
            let steps = try await store.checkpoints(of: Sample.subject(of: run)).saved.map(\.value.json)
            let events = try await store.events(of: run.id, after: 0, limit: 9).map(\.jsonValue.json)
            let cached = try await store.cacheEntry("key")?.value.json
            let problems = try await store.check()
            guard problems.isEmpty else { return .success("problems") }
            let parts = [
                [try run.jsonValue.json], outcomes, items, charges, steps, events, [cached ?? "no cached value"],
            ]
            return .success(parts.joined().joined(separator: "\n"))
        } catch {
            return .failure(error)
        }
    }

    @Test("never stops the program and never gives a wrong value", arguments: [1 as UInt64, 2, 3, 4])
    func flippedBits(seed: UInt64) async throws {
        let folder = TemporaryFolder()
        let store = try SQLiteStore.open(folder.database)
        _ = try await Sample.fill(store, items: 40)
        store.close()
        let whole = try Data(contentsOf: URL(fileURLWithPath: folder.database))
        let right = try await content(folder.database).get()
        var numbers = SeededNumbers(seed: seed)
        var silent = 0
        for _ in 0..<40 {
            var damaged = whole
            switch Int.random(in: 0..<10, using: &numbers) {
            case 0: damaged.removeLast(Int.random(in: 1..<whole.count, using: &numbers))
            case 1:
                let page = Int.random(in: 0..<whole.count / 4_096, using: &numbers) * 4_096
                damaged.replaceSubrange(page..<page + 4_096, with: Data(count: 4_096))
            default:
                damaged[Int.random(in: 0..<whole.count, using: &numbers)] ^=
                    1 << UInt8.random(in: 0..<8, using: &numbers)
            }
            for suffix in ["-wal", "-shm"] { unlink(folder.database + suffix) }
            try damaged.write(to: URL(fileURLWithPath: folder.database))
            chmod(folder.database, 0o600)
            switch await content(folder.database) {
            case .failure(let error): #expect(error is ProcessingError)
            case .success(let found):
                // What differs must have been told; a damaged step or cached value counts as absent.
                if found != "problems", found != right { silent += 1 }
            }
        }
        #expect(silent == 0)
    }
}
