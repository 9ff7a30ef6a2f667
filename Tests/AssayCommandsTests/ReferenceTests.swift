import Assay
import AssaySQLite
import Testing

@Suite("A run") struct ReferenceTests {
    /// A folder with runs of these names on record, the last one newest.
    private static func shell(_ names: String...) async throws -> TestShell {
        let shell = try TestShell()
        let store = try SQLiteStore.open(shell.folder + "/.assay/assay.db")
        defer { store.close() }
        for name in names {
            let id = try #require(Identifier(name))
            var run = Run(
                id: id, executionID: id, processorID: id, definition: Digest(of: 1), scope: Scope(),
                lineage: Lineage(parentRunID: id), runner: "sequential", request: [:], startedAt: .init("2025-03-01")!)
            try await store.begin(run)
            run.status = .succeeded
            try await store.update(run)
        }
        return shell
    }

    @Test(
        "is named by its whole name, by how no other begins, or as the last one",
        arguments: [
            ("abcd", "abcd"), ("abcde-2", "abcde-2"), ("abcde-", nil), ("abcde", nil), ("wxyz", "wxyz-1"), ("wxy", nil),
            ("last", "wxyz-1"), ("none", nil), ("../x", nil),
        ] as [(String, String?)])
    func names(name: String, run: String?) async throws {
        let shell = try await Self.shell("abcd", "abcde-1", "abcde-2", "wxyz-1")
        let (text, code) = await shell.output(of: "runs", "show", name, "-o", "json")
        if let run {
            #expect(code == 0)
            #expect(try JSONValue(json: text)["run_id"] == .string(run))
        } else {
            #expect(code == (name.hasPrefix("abcde") ? 64 : 66))
            #expect(shell.messages.text.contains(name.hasPrefix("abcde") ? "abcde-2, abcde-1" : "is not on record"))
        }
    }
}
