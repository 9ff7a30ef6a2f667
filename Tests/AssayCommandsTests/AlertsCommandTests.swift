import Assay
import AssayCommands
import AssaySQLite
import Foundation
import Testing

@Suite("assay alerts") struct AlertsCommandTests {
    private static let pipeline = """
        run_as: processor
        processors:
          - {processor_id: capitals, processor_type: simple, parameters: {function: uppercase}}
        alerts:
          - {name: failures, on: [item_error], condition: event.data.code == 'validation'}
          - {name: hook, on: [item_error], action: {webhook: 'http://127.0.0.1:1/'}, cooldown: 0}
          - {name: never, on: [budget_exceeded]}

        """

    /// A folder in which a run has ended whose items two and three failed.
    private static func afterRun() async throws -> TestShell {
        let shell = try TestShell()
        try shell.write(pipeline, to: "p.yaml")
        try shell.write("{\"data\":\"one\"}\n{\"data\":2}\n{\"data\":3}\n", to: "in.jsonl")
        #expect(await shell.assay("run", "p.yaml", "--inputs", "in.jsonl", "-o", "none") == 2)
        return shell
    }

    private static func alerts(_ shell: TestShell) async throws -> [[JSONValue?]] {
        let (text, code) = await shell.output(of: "alerts", "-o", "json")
        #expect(code == 0)
        let alerts = try #require(try JSONValue(json: text)["alerts"]?.array)
        return alerts.sorted { ($0["name"]?.string ?? "") < ($1["name"]?.string ?? "") }
            .map { alert in ["name", "active", "fired", "suppressed", "errors"].map { alert[$0] } }
    }

    @Test("shows what fired when the program that watched has ended, until it is cleared by another")
    func acrossPrograms() async throws {
        let shell = try await Self.afterRun()
        #expect(try await Self.alerts(shell) == [["failures", true, 1, 1, 0], ["hook", true, 2, 0, 2]])
        #expect(await shell.assay("alerts", "clear", "failures") == 0)
        #expect(try await Self.alerts(shell) == [["failures", false, 1, 1, 0], ["hook", true, 2, 0, 2]])
        #expect(await shell.assay("run", "p.yaml", "--inputs", "in.jsonl", "-o", "none") == 2)
        #expect(try await Self.alerts(shell) == [["failures", true, 2, 2, 0], ["hook", true, 4, 0, 4]])
        let (table, _) = await shell.output(of: "alerts")
        #expect(table.contains("failures") && table.contains("active") && !table.contains("never"))
    }

    @Test("tells the firings of one run, and refuses names of alerts that never fired")
    func ofARun() async throws {
        let shell = try await Self.afterRun()
        let (text, code) = await shell.output(of: "alerts", "--run", "last", "-o", "json")
        #expect(code == 0)
        let firings = try JSONValue(json: text)["firings"]?.array
        #expect(firings?.compactMap { $0["name"]?.string }.sorted() == ["failures", "hook", "hook"])
        #expect(firings?.allSatisfy { $0["event_type"] == "item_error" } == true)
        #expect(await shell.assay("alerts", "clear", "never") == 66)
        #expect(await shell.assay("alerts", "clear", "nobody") == 66)
    }

    @Test("knows what a worker of the queue was watching for") func ofQueue() async throws {
        let shell = try TestShell.queueing(
            TestShell.queued
                + "alerts: [{name: over, on: [execution_status], condition: event.data.to == 'succeeded', cooldown: 0}]\n"
        )
        #expect(await shell.submit("first") == 0)
        #expect(await shell.assay("queue", "work", "--pipeline", "p.yaml", "--until-empty", "-o", "none") == 0)
        #expect(try await Self.alerts(shell) == [["over", true, 1, 0, 0]])
    }

    @Test("clears through the program that owns the store while one does")
    func throughOwner() async throws {
        let shell = try await Self.afterRun()
        let store = try SQLiteStore.open("\(shell.folder)/.assay/assay.db")
        defer { store.close() }
        let asked = AsyncStream.makeStream(of: String.self)
        let desk = OwnerDesk(alerts: { name in
            asked.continuation.yield(name)
            return name == "failures"
        })
        let socket = try OwnerSocket(SQLiteStore.socketName, in: store.folder, desk: desk)
        #expect(await shell.assay("alerts", "clear", "failures") == 0)
        #expect(await shell.assay("alerts", "clear", "nobody") == 66)
        var names = asked.stream.makeAsyncIterator()
        #expect(await names.next() == "failures")
        #expect(await names.next() == "nobody")
        await socket.close()
    }
}
