import Assay
@testable import AssayPipelines
import AssayTesting
import Foundation
import FoundationNetworking
import Logging
import Synchronization
import Testing

@Suite("What watches a run, in a pipeline file,") struct PipelineWatchTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    static let node: Identifier = .numbered("node_", 1)

    static func alert() -> Alert {
        let event = Event(
            .itemError, timestamp: ManualTime().now(), runID: .numbered("run_", 1), executionID: nil,
            processorID: node, inputID: "jan", data: ["code": "extraction"])
        return Alert(name: "failures", event: event, firedAt: ManualTime().now())
    }

    /// Reads `text` as the value of a key, and what is wrong with it.
    func read<Value>(_ text: String, _ body: (WatchSchema, ValueReader) -> Value) throws -> (Value, [String]) {
        let document = try ConfigurationDocument(Array(text.utf8), as: .yaml, file: "p.yaml")
        let schema = WatchSchema(folder: folder.path, environment: ["PATH": "/usr/bin:/bin"])
        let value = body(schema, document.value)
        do { try document.findings.check() } catch {
            return (
                value,
                ((error.cause as? ConfigurationError)?.lines ?? [error.message]).map {
                    $0.replacing(/^p\.yaml:( )?/, with: "")
                }
            )
        }
        return (value, [])
    }

    @Test("is read with its defaults") func defaults() throws {
        let pipeline = try folder.load(PipelineText.top("description: x"))
        #expect(pipeline.monitoring == Monitoring(isEnabled: true, level: .info, maxEvents: 10_000))
        #expect(pipeline.alerts.isEmpty)
        #expect(pipeline.checkpoints == CheckpointSettings())
        #expect(pipeline.checkpoints.maxCheckpoints == 1_000)
    }

    @Test("is read as it stands") func asWritten() throws {
        let monitoring = try folder.load(
            PipelineText.top("monitoring: {enabled: false, log_level: WARNING, max_events: 5}"))
        #expect(monitoring.monitoring == Monitoring(isEnabled: false, level: .warning, maxEvents: 5))
        let checkpoints = try folder.load(
            PipelineText.top("checkpoints: {enabled: false, storage_path: saved, max_checkpoints: 7}")
        ).checkpoints
        #expect(checkpoints.folder == "\(folder.path)/saved")
        #expect(checkpoints.maxCheckpoints == 7 && !checkpoints.isEnabled)
        let alerts = try folder.load(
            PipelineText.top(
                "alerts: [{name: failures, on: [processor_error], condition: event.data.retryable == false, action: log, cooldown: 60}, {name: b, cooldown: 2m}, {name: c, on: batch_complete, action: {webhook: 'https://example.com/x'}}, {name: d, on: [admission_denied, execution_status], action: {command: [true]}}]"
                    .replacing("[true]", with: "['true']"))
        ).alerts
        #expect(alerts.map(\.name) == ["failures", "b", "c", "d"])
        #expect(alerts.map(\.cooldown) == [.seconds(60), .seconds(120), .seconds(60), .seconds(60)])
        #expect(
            alerts.map(\.kinds) == [
                [.processorError], nil, [.batchComplete], [.admissionDenied, .executionStatus],
            ])
    }

    static let wrong = [
        ("monitoring: {log_level: loud}", "unknown log level 'loud'; known: debug, info, warning, error, critical"),
        ("monitoring: {max_events: 0}", "max_events must be between 1 and 1000000, found 0"),
        ("monitoring: {level: info}", "unknown key 'level' in monitoring; known: enabled, log_level, max_events"),
        (
            "checkpoints: {enabled: true}",
            "checkpoints are made of the nodes of a graph; with run_as: processor use steps"
        ),
        ("checkpoints: {enabled: yes}", "enabled must be true or false, found text 'yes'"),
        ("checkpoints: {max_checkpoints: 0}", "max_checkpoints must be between 1 and 1000000, found 0"),
        ("alerts: [{on: [run_start]}]", "alerts[0] needs 'name'"),
        ("alerts: [{name: a, on: [run_strat]}]", "unknown kind of event 'run_strat'; did you mean 'run_start'?"),
        (
            "alerts: [{name: a, condition: event.data.x == 1 and}]",
            "condition: expected a comparison after 'and', at character 22"
        ),
        ("alerts: [{name: a, cooldown: -1}]", "cooldown must be at least 0, found -1"),
        ("alerts: [{name: a, action: shout}]", "unknown alert action 'shout'; known: log"),
        ("alerts: [{name: a, action: {}}]", "action needs one of 'webhook' and 'command'"),
        (
            "alerts: [{name: a, action: {webhook: 'ftp://x'}}]",
            "webhook must be an address such as https://example.com/alerts, found ftp://x"
        ),
        (
            "alerts: [{name: a, action: {webhook: 'https://me:pw@example.com/'}}]",
            "webhook must not hold a user name or password"
        ),
        ("alerts: [{name: a, action: {command: [pyton3x]}}]", "command 'pyton3x' was not found"),
        ("alerts: [{name: a, action: {command: true}}]", "command must be a list, found boolean true"),
        ("alerts: [{name: a}, {name: a}]", "alert 'a' is already used at line 3"),
    ]

    @Test("is refused where it is wrong", arguments: wrong) func findings(line: String, message: String) throws {
        let findings = try folder.findings(of: PipelineText.top(line), environment: ["PATH": "/usr/bin:/bin"])
        #expect(findings.map { $0.replacing(#/^3:\d+: /#, with: "") } == [message])
    }

    @Test("has breakpoints of nodes there are") func breakpoints() throws {
        let text = "[{processor_id: node_1, condition: value.amount > 100, hit_count: 2, enabled: false}]"
        let (found, findings) = try read(text) { $0.breakpoints($1, processors: [Self.node]) }
        #expect(findings.isEmpty)
        #expect(
            found.map(\.jsonValue) == [
                [
                    "processor_id": "node_1", "condition": "value.amount > 100", "hit_count": 2, "enabled": false,
                    "total_hits": 0,
                ]
            ])
        let (_, wrong) = try read("[{processor_id: nodd_1}, {processor_id: node_1, hit_count: 0, condition: x == 1}]") {
            $0.breakpoints($1, processors: [Self.node])
        }
        #expect(
            wrong.map { $0.replacing(#/^1:\d+: /#, with: "") } == [
                "breakpoints[0]: unknown processor 'nodd_1'; did you mean 'node_1'?".replacing(
                    "breakpoints", with: "the file"),
                "hit_count must be at least 1, found 0",
                "condition: unknown name 'x', at character 1; known: value, input_id, attempt, processor_id",
            ])
    }

    @Test("has taps of pipes there are") func taps() throws {
        let pipes = ["a:output->b:input"]
        let text = "[{pipe: 'a:output->b:input', to: log}, {pipe: 'a:output->b:input', to: taps/a.jsonl}]"
        let (found, _) = try read(text) { $0.taps($1, pipes: pipes) }
        #expect(found.map(\.file) == [nil, "\(folder.path)/taps/a.jsonl"])
        let (_, wrong) = try read("[{pipe: 'a:output->c:input', to: log}]") { $0.taps($1, pipes: pipes) }
        #expect(wrong.first?.contains("unknown pipe 'a:output->c:input'; did you mean 'a:output->b:input'?") == true)
    }

    @Test("a webhook gets the alert as JSON; every answer but success is told, without its path") func webhook()
        async throws
    {
        let requests = Mutex<[URLRequest]>([])
        let url = try #require(URL(string: "https://example.com/secret"))
        let hook = { (status: Int) in
            Webhook(url) { request in
                requests.withLock { $0.append(request) }
                return status
            }
        }
        try await hook(204).send(Self.alert())
        let request = try #require(requests.withLock { $0.first })
        #expect(request.httpMethod == "POST")
        #expect(request.url == url)
        #expect(try JSONValue(json: Array(try #require(request.httpBody))) == Self.alert().jsonValue)
        let error = await #expect(throws: ProcessingError.self) { try await hook(500).send(Self.alert()) }
        #expect(error?.message == "webhook 'example.com' answered 500")
    }

    @Test("a webhook that does not answer is given up") func slowWebhook() async throws {
        let time = ManualTime()
        let url = try #require(URL(string: "https://example.com/"))
        let hook = Webhook(url, time: time) { _ in
            try await time.sleep(until: .seconds(1_000))
            return 200
        }
        let sent = Task { try await hook.send(Self.alert()) }
        await time.waitForSleepers(2)
        time.advance(by: .seconds(30))
        let error = await #expect(throws: ProcessingError.self) { try await sent.value }
        #expect(error?.code == .timeout)
    }

    @Test("a command gets the alert on its input and in its environment, without a shell") func command() async throws {
        let file = "\(folder.path)/out"
        try folder.write(
            "#!/bin/sh\ncat > \"$1\"; echo \"$2 $ASSAY_ALERT $ASSAY_EVENT_TYPE $ASSAY_RUN_ID $HOME\" >> \"$1\"\n",
            to: "hook")
        chmod("\(folder.path)/hook", 0o700)
        let command = AlertCommand(
            "\(folder.path)/hook", [file, "$(id)"], folder: folder.path,
            environment: ["PATH": "/usr/bin:/bin", "HOME": "/root"])
        try await command.perform(Self.alert())
        let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
        #expect(try JSONValue(json: String(lines[0])) == Self.alert().jsonValue)
        #expect(lines[1] == "$(id) failures item_error run_1 ")
    }

    @Test("a command that fails or takes too long is told") func failingCommand() async throws {
        let failing = AlertCommand("/bin/sh", ["-c", "exit 3"], folder: "/", environment: [:])
        let error = await #expect(throws: ProcessingError.self) { try await failing.perform(Self.alert()) }
        #expect(error?.message == "command '/bin/sh' exited with status 3")
        let time = ManualTime()
        let hanging = AlertCommand(
            "/bin/sleep", ["1000"], folder: "/", environment: [:], timeout: .seconds(30), time: time)
        let performed = Task { try await hanging.perform(Self.alert()) }
        await time.waitForSleepers()
        time.advance(by: .seconds(30))
        let late = await #expect(throws: ProcessingError.self) { try await performed.value }
        #expect(late?.code == .timeout)
    }
}
