import Assay
import AssaySQLite
import AssayTesting
import Testing

@Suite("Every store") struct StoreConformanceTests {
    @Test("in memory conforms", arguments: StoreConformance.all)
    func memory(conforms: StoreConformance) async throws { try await conforms(MemoryStore()) }

    @Test("in SQLite conforms", arguments: StoreConformance.all)
    func sqlite(conforms: StoreConformance) async throws {
        let folder = TemporaryFolder()
        let store = try SQLiteStore.open(folder.database)
        try await conforms(store)
    }
}
