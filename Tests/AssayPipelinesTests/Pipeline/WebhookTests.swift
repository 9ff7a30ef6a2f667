import Assay
@testable import AssayPipelines
import AssayTesting
import Foundation
import Synchronization
import Testing

@Suite("A webhook over HTTP") struct WebhookTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A run of three items, of which the second fails, watched by an alert that calls `url`.
    private func run(alerting url: String, engine: Engine = Engine()) async throws -> (
        report: Report, states: [AlertState], log: [String]
    ) {
        let pipeline = try folder.load(
            PipelineText.type("simple", parameters: "{function: uppercase}")
                + "\nalerts: [{name: failures, on: [item_error], action: {webhook: '\(url)'}}]\n")
        let log = Mutex<[String]>([])
        let alerts = try engine.watch(pipeline.alerts) { line in log.withLock { $0.append(line) } }
        let report = try await engine.run(pipeline.single, over: [Item("a", "a"), Item("b", 2), Item("c", "c")])
        await alerts.finish()
        return (report, alerts.states, log.withLock { $0 })
    }

    @Test("gets the record of the event it fired at, and nothing of the item's data")
    func record() async throws {
        let provider = try CountingProvider()
        let (report, states, log) = try await run(alerting: "\(provider.url)/hooks/secret")
        #expect(report.status == .partial)
        #expect(states.map(\.fired) == [1] && states.map(\.errors) == [0] && log.isEmpty)
        let call = try #require(provider.calls.first)
        #expect(provider.calls.count == 1)
        #expect(call.method == "POST" && call.path == "/hooks/secret")
        #expect(call.headers["content-type"] == "application/json")
        #expect(call.headers["authorization"] == nil && call.headers["cookie"] == nil)
        let body = try #require(try JSONValue(json: call.body).object)
        #expect(body.members.map(\.key).sorted() == ["event", "fired_at", "name", "schema"])
        #expect(body["schema"] == "assay/alert/1" && body["name"] == "failures")
        let event = try #require(body["event"])
        #expect(event["event_type"] == "item_error" && event["run_id"] == .string(report.runID.text))
        #expect(event["input_id"] == .string(report.outcomes[1].inputID))
        #expect(
            event.object?.members.map(\.key).sorted() == [
                "data", "event_id", "event_type", "execution_id", "graph_id", "input_id", "level", "processor_id",
                "run_id", "schema", "sequence", "timestamp",
            ])
        #expect(event["data"]?["code"] == "validation")
    }

    @Test(
        "that fails is logged without its path and counted, and the run is as without it", arguments: [500, 404, 302])
    func refusal(status: Int) async throws {
        let provider = try CountingProvider { _ in
            .reply(status, headers: status == 302 ? [("Location", "http://localhost:1/elsewhere")] : [])
        }
        let (report, states, log) = try await run(alerting: "\(provider.url)/hooks/secret")
        #expect(report.counts.succeeded == 2 && report.counts.failed == 1)
        #expect(states.map(\.fired) == [1] && states.map(\.errors) == [1])
        #expect(
            log == ["the action of alert 'failures' failed: api: webhook '127.0.0.1' answered \(status)"])
        #expect(provider.calls.count == 1)
    }

    @Test("where nobody listens is logged and counted")
    func refusedConnection() async throws {
        let provider = try CountingProvider()
        provider.stop()
        let (report, states, log) = try await run(alerting: "\(provider.url)/hooks/secret")
        #expect(report.counts.succeeded == 2 && states.map(\.errors) == [1])
        #expect(log.count == 1 && log[0].hasPrefix("the action of alert 'failures' failed: api: webhook '127.0.0.1': "))
        #expect(!log[0].contains("secret"))
    }

    @Test("is followed to another path of its host with what it carries, and to no other host")
    func redirect() async throws {
        let provider = try CountingProvider { call in
            call.path == "/old" ? .reply(307, headers: [("Location", "/new")]) : .reply(204)
        }
        let (_, states, _) = try await run(alerting: "\(provider.url)/old")
        #expect(states.map(\.errors) == [0])
        #expect(provider.calls.map(\.path) == ["/old", "/new"] && provider.calls[0].body == provider.calls[1].body)
    }

    @Test("that does not answer is given up after 30 s of its clock, and the request with it")
    func timeout() async throws {
        let (brake, time) = (Brake(), ManualTime())
        let provider = try CountingProvider { _ in .reply().held(by: brake) }
        let hook = Webhook(try #require(URL(string: "\(provider.url)/slow")), time: time)
        let sent = Task { try await hook.send(PipelineWatchTests.alert()) }
        await provider.waitForCalls()
        await time.waitForSleepers()
        time.advance(by: .seconds(30))
        let error = await #expect(throws: ProcessingError.self) { try await sent.value }
        #expect(error?.code == .timeout && error?.message == "webhook '127.0.0.1' did not answer within 30.0 s")
        brake.release()
    }
}
