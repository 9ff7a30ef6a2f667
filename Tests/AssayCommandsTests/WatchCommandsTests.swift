import Assay
import AssayCommands
import AssaySQLite
import AssayTesting
import Foundation
import Testing

@Suite("What was watched") struct WatchCommandsTests {
    @Test(
        "as checkpoints is listed, shown, handed out and deleted, in the store or a folder", arguments: [false, true])
    func checkpoints(inFolder: Bool) async throws {
        let shell = try TestShell()
        let folder = "\(shell.folder)/saved"
        let place = inFolder ? ["--storage-path", "saved"] : ["--store", "s.db"]
        let id: Identifier
        do {
            let store = inFolder ? nil : try SQLiteStore.open("\(shell.folder)/s.db")
            defer { store?.close() }
            let storage: any CheckpointStorage = try store ?? CheckpointFolder(path: folder)
            id = try await Checkpoints(in: storage).create("a state", of: .numbered("node_", 1), data: ["n": 1])
        }
        func output(_ words: String...) async -> (text: String, code: Int32) {
            await shell.output(of: ["checkpoints"] + words + place)
        }
        let list = try JSONValue(json: await output("list", "-o", "json").text)
        #expect(list["schema"] == "assay/checkpoints/1")
        #expect(list["checkpoints"]?.array?.map { $0["name"] } == ["a state"])
        #expect(await output("show", id.text).text.contains("a state"))
        #expect(await output("restore", id.text).text == "{\"n\":1}\n")
        #expect(await output("restore", "X").code == 66)
        #expect(await output("delete", id.text).code == 0)
        #expect(await output("delete", id.text).code == 66)
        #expect(await output("list", "-o", "jsonl").text.isEmpty)
    }
}
