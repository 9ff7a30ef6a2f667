import Assay
import AssaySQLite
import AssayTesting
import Testing

@Suite("Batches") struct BatchTests {
    @Test("in SQLite follow the rules", arguments: BatchConformance.all)
    func sqlite(rule: BatchConformance) async throws {
        let folder = TemporaryFolder()
        try await rule(try SQLiteStore.open(folder.database))
    }
}
