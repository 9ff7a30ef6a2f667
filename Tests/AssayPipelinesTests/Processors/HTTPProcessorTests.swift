import Assay
import AssayPipelines
import AssayTesting
import Foundation
import Synchronization
import Testing

@Suite("The type http") struct HTTPProcessorTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func load(_ parameters: String, more: String = "", environment: [String: String] = [:]) throws -> Pipeline {
        try folder.load(
            PipelineText.type("http", parameters: parameters, more: more), environment: environment)
    }

    private func run(
        _ provider: CountingProvider, _ parameters: String = "", more: String = "", over inputs: [JSONValue] = [1],
        engine: Engine = Engine()
    ) async throws -> Report {
        let pipeline = try load("{url: '\(provider.url)/v1/check'\(parameters)}", more: more)
        let items = inputs.enumerated().map { Item("\($0 + 1)", payload: Payload(json: $1)) }
        return try await engine.run(pipeline.single, over: items, options: pipeline.options)
    }

    @Test("sends the data with an idempotency key, and files what the call cost")
    func call() async throws {
        let provider = try CountingProvider { _ in .reply(200, #"{"score": 1.50}"#) }
        let report = try await run(
            provider, ", headers: {X-Version: '2'}, query: {q: 'a b&c', n: 1.50, exact: true}, maximum_cost: 0.75",
            over: [["name": "ACME"]])
        #expect(report.outcomes.first?.error == nil)
        #expect(try report.outcomes.first?.output?.json().json == #"{"score":1.50}"#)
        let call = try #require(provider.calls.first)
        #expect(call.method == "POST")
        #expect(call.path == "/v1/check?q=a%20b%26c&n=1.50&exact=true")
        #expect(call.text == #"{"name":"ACME"}"#)
        #expect(call.headers["content-type"] == "application/json")
        #expect(call.headers["x-version"] == "2")
        #expect(call.idempotencyKey?.count == 64)
        let charge = try #require(report.bill.trackedCosts.first)
        #expect([charge.service, charge.operation, "\(charge.cost)"] == ["127.0.0.1", "POST /v1/check", "0.75"])
    }

    /// A status with headers and body, and what it means: code, whether another attempt may help, and the message.
    static let refusals: [(status: Int, headers: [String], body: String, retryable: Bool, message: String)] = [
        (400, [], "", false, "answered 400"),
        (401, [], "who are you", false, "answered 401: who are you"),
        (404, [], #"{"error":"no"}"#, false, #"answered 404: {"error":"no"}"#),
        (408, [], "", true, "answered 408"),
        (409, [], "", false, "answered 409"),
        (422, [], "bad\u{1B}[2J", false, #"answered 422: bad\u{1b}[2J"#),
        (425, [], "", true, "answered 425"),
        (429, [], "", true, "answered 429"),
        (500, [], "", true, "answered 500"),
        (503, [], "", true, "answered 503"),
        (304, [], "", false, "answered 304, a redirect that is not followed: only those within the same host are"),
    ]

    @Test("takes every other status for a failure of the service", arguments: refusals)
    func refusal(row: (status: Int, headers: [String], body: String, retryable: Bool, message: String)) async throws {
        let provider = try CountingProvider { _ in .reply(row.status, row.body) }
        let report = try await run(provider, ", maximum_cost: 1")
        let error = try #require(report.outcomes.first?.error)
        #expect(error.code == .api)
        #expect(error.retryable == row.retryable)
        #expect(error.message == "POST \(provider.url)/v1/check \(row.message)")
        #expect(report.bill.totalCost == .zero)
        // After these nobody knows whether the service did its work.
        let leavesDoubt = [408, 500, 503].contains(row.status)
        #expect(report.bill.inDoubtCost == (leavesDoubt ? try Money(1) : .zero))
        #expect(provider.calls.count == 1)
    }

    @Test(
        "makes a call whose end nobody knows again under the same key, and one that was refused under a new one",
        arguments: [(408, 1), (500, 1), (502, 1), (503, 1), (504, 1), (425, 2), (429, 2)])
    func repeats(status: Int, keys: Int) async throws {
        let count = Mutex(0)
        let provider = try CountingProvider { _ in
            count.withLock { count in
                count += 1
                return count == 1 ? .reply(status) : .reply()
            }
        }
        let report = try await run(
            provider, ", maximum_cost: 5", more: "error_strategy: {type: retry, initial_delay: 0}",
            engine: Engine(world: .testing(time: ManualTime(runsFree: true))))
        #expect(report.success)
        #expect(provider.calls.count == 2)
        #expect(provider.distinctKeys.count == keys)
        #expect(report.bill.totalCost == (try Money(5)))
        #expect(report.bill.inDoubtCost == .zero)
    }

    @Test("keeps the key of a call in doubt whose repeat is not taken")
    func refusedRepeat() async throws {
        let answers = Mutex([504, 429, 503, 200][...])
        let provider = try CountingProvider { _ in .reply(answers.withLock { $0.popFirst() ?? 200 }) }
        let report = try await run(
            provider, ", maximum_cost: 5", more: "error_strategy: {type: retry, max_retries: 3, initial_delay: 0}",
            engine: Engine(world: .testing(time: ManualTime(runsFree: true))))
        #expect(report.success)
        #expect(provider.calls.count == 4)
        #expect(provider.distinctKeys.count == 1)
        #expect(report.bill.totalCost == (try Money(5)))
        #expect(report.bill.inDoubtCost == .zero)
    }

    @Test("keeps a doubt beside the next call of a service that ignores keys")
    func ignored() async throws {
        let count = Mutex(0)
        let provider = try CountingProvider { _ in
            count.withLock { count in
                count += 1
                return count == 1 ? .reply(504) : .reply()
            }
        }
        let report = try await run(
            provider, ", maximum_cost: 5, service: x",
            more: "error_strategy: {type: retry, initial_delay: 0}\nservices: {x: {keys: ignored}}",
            engine: Engine(world: .testing(time: ManualTime(runsFree: true))))
        #expect(report.success)
        #expect(provider.distinctKeys.count == 2)
        #expect(report.bill.totalCost == (try Money(5)))
        #expect(report.bill.inDoubtCost == (try Money(5)))
    }

    @Test("sends the key in the header that the service wants it in")
    func keyHeader() async throws {
        let provider = try CountingProvider()
        let report = try await run(provider, ", service: x", more: "services: {x: {keys: X-Request-Key}}")
        #expect(report.success)
        #expect(provider.calls[0].headers["x-request-key"]?.count == 64)
        #expect(provider.calls[0].idempotencyKey == nil)
    }

    static let outputs: [(response: String, type: String, body: String, output: String?)] = [
        ("auto", "application/json; charset=utf-8", "[1.10]", "[1.10]"),
        ("auto", "application/problem+json", "{}", "{}"),
        ("auto", "text/plain", "[1]", #""[1]""#),
        ("auto", "text/plain", "", "null"),
        ("json", "text/plain", "[1]", "[1]"),
        ("json", "text/plain", "", "null"),
        ("text", "application/json", "[1]", #""[1]""#),
        ("text", "application/json", "", #""""#),
        ("json", "application/json", "[1", nil),
        ("auto", "application/json", #"{"a":1,"a":2}"#, nil),
    ]

    @Test("makes an output of the answer, or fails when it is none, and was paid for either way", arguments: outputs)
    func output(row: (response: String, type: String, body: String, output: String?)) async throws {
        let provider = try CountingProvider { _ in .reply(201, row.body, headers: [("Content-Type", row.type)]) }
        let report = try await run(provider, ", response: \(row.response), maximum_cost: 2", over: [1, 1])
        #expect(try report.outcomes[0].output?.json().json == row.output)
        if row.output == nil {
            #expect(report.outcomes[0].error?.code == .api)
            #expect(report.outcomes[0].error?.retryable == false)
        }
        // What is of no use is not kept either: the second item asks again.
        #expect(provider.calls.count == (row.output == nil ? 2 : 1))
        #expect(report.bill.totalCost == (try Money(row.output == nil ? 4 : 2)))
    }

    @Test("asks once for two items of one request, and the second one costs nothing")
    func cache() async throws {
        let provider = try CountingProvider()
        let report = try await run(provider, ", maximum_cost: 5, service: clear", over: [["a": 1], ["a": 1]])
        #expect(report.outcomes.map(\.cost) == [try Money(5), .zero])
        #expect(report.outcomes.map(\.avoidedCost) == [.zero, try Money(5)])
        #expect(provider.calls.count == 1)
    }

    @Test("makes the key of what is sent", arguments: [("method: GET", 1), ("body: none", 1), ("method: PUT", 2)])
    func key(parameters: String, calls: Int) async throws {
        let provider = try CountingProvider()
        let report = try await run(provider, ", \(parameters)", over: [1, 2])
        #expect(report.success)
        #expect(provider.calls.count == calls)
        #expect(provider.calls.map { $0.body.isEmpty } == Array(repeating: calls == 1, count: calls))
    }

    @Test(
        "waits as long as the service asks for, up to max_delay",
        arguments: [("7", 7), ("100", 30), ("Mon, 03 Mar 2025 09:15:20 GMT", 0), ("soon", 1)])
    func retryAfter(header: String, seconds: Int) async throws {
        let count = Mutex(0)
        let provider = try CountingProvider { _ in
            let number = count.withLock { count in
                count += 1
                return count
            }
            return number == 1 ? .reply(503, headers: [("Retry-After", header)]) : .reply()
        }
        let time = ManualTime(runsFree: true)
        let report = try await run(
            provider, more: "error_strategy: {type: retry, initial_delay: 0, max_delay: 30}",
            engine: Engine(world: .testing(time: time)))
        #expect(report.outcomes.map(\.attempts) == [2])
        #expect(time.waits.contains(.seconds(seconds == 1 || seconds == 0 ? 0 : seconds)))
        #expect(provider.distinctKeys.count == 1)
    }

    @Test("tells what it was trusted with to no other port of the host")
    func credentials() async throws {
        let other = try CountingProvider()
        let provider = try CountingProvider { _ in
            .reply(307, headers: [("Location", "http://127.0.0.1:\(other.port)/")])
        }
        let report = try await run(provider, ", headers: {Authorization: 'Bearer abc', X-Key: abc}")
        #expect(report.success)
        #expect(provider.calls[0].headers["authorization"] == "Bearer abc")
        #expect(other.calls.map { $0.headers["authorization"] } == [nil])
        #expect(other.calls.map { $0.headers["x-key"] } == [nil])
        #expect(other.calls[0].idempotencyKey == provider.calls[0].idempotencyKey)
    }

    @Test("follows redirects within the host only, and takes the idempotency key along")
    func redirect() async throws {
        let other = try CountingProvider()
        let provider = try CountingProvider { call in
            switch call.path {
            case "/v1/check": .reply(307, headers: [("Location", "/v2/check?again")])
            case "/v2/check?again": .reply(308, headers: [("Location", "check")])
            case "/v2/check": .reply(200, #""here""#)
            default: .reply(404)
            }
        }
        let report = try await run(provider, over: ["x"])
        #expect(try report.outputs(as: String.self) == ["here"])
        #expect(provider.calls.map(\.text) == Array(repeating: #""x""#, count: 3))
        #expect(provider.distinctKeys.count == 1)

        let around = try CountingProvider { call in .reply(307, headers: [("Location", call.path)]) }
        let lost = try await run(around)
        #expect(lost.outcomes[0].error?.message.contains("answered 307, a redirect that is not followed") == true)
        #expect(around.calls.count == 6)

        let elsewhere = try CountingProvider { call in
            call.method == "GET" ? .reply(200, "[\"\(call.text)\"]") : .reply(303, headers: [("Location", "/see")])
        }
        let seen = try await run(elsewhere, over: ["x"])
        #expect(try seen.outputs(as: [String].self) == [[""]])

        let away = try CountingProvider { _ in
            .reply(307, headers: [("Location", "http://localhost:\(other.port)/")])
        }
        let refused = try await run(away)
        #expect(refused.outcomes[0].error?.message.contains("answered 307, a redirect that is not followed") == true)
        #expect(refused.outcomes[0].error?.retryable == true)
        #expect(other.calls.isEmpty)
    }

    /// What a service that has carried a request out answers to the one for its result.
    static let lostResults: [@Sendable (CountingProvider.Call) -> CountingProvider.Answer] = [
        { _ in .reply(404) }, { _ in .reply(500) }, { _ in .drop },
        { call in .reply(302, headers: [("Location", call.path)]) },
        { _ in .reply(303, headers: [("Location", "http://localhost:9/")]) },
        // Nobody listens there.
        { _ in .reply(302, headers: [("Location", "http://127.0.0.1:1/")]) },
    ]

    @Test("is in doubt when the request was carried out and its result cannot be fetched", arguments: 0..<6)
    func lostResult(index: Int) async throws {
        let provider = try CountingProvider { call in
            call.method == "GET" ? Self.lostResults[index](call) : .reply(303, headers: [("Location", "/result")])
        }
        let report = try await run(provider, ", maximum_cost: 5")
        #expect(report.outcomes[0].error?.code == .api)
        #expect(report.bill.totalCost == .zero)
        #expect(report.bill.inDoubtCost == (try Money(5)))
        #expect(provider.calls.count { $0.method == "POST" } == 1)
    }

    @Test(
        "is in doubt after a redirect to another host, which is not followed", arguments: [302, 303, 307, 308])
    func elsewhere(status: Int) async throws {
        let provider = try CountingProvider { _ in
            .reply(status, headers: [("Location", "http://localhost:9/")])
        }
        let report = try await run(provider, ", maximum_cost: 5")
        #expect(report.bill.inDoubtCost == (try Money(5)))
    }

    @Test("takes 16 MiB and no more")
    func large() async throws {
        let provider = try CountingProvider { call in
            .reply(200, String(repeating: "x", count: call.text == "1" ? 16 << 20 : (16 << 20) + 1))
        }
        let report = try await run(provider, ", response: text, maximum_cost: 1", over: [1, 2])
        #expect(try report.outcomes[0].output?.json().string?.utf8.count == 16 << 20)
        #expect(report.outcomes[1].error?.message.hasSuffix("answered 200, but with more than 16 MiB") == true)
        #expect(report.bill.totalCost == (try Money(2)))
    }

    @Test("fails for certain when nobody is there, and may try again")
    func refusedConnection() async throws {
        let provider = try CountingProvider()
        provider.stop()
        let report = try await run(provider, ", maximum_cost: 1")
        #expect(report.outcomes[0].error?.code == .api)
        #expect(report.outcomes[0].error?.retryable == true)
        #expect(report.bill.inDoubtCost == .zero)
    }

    @Test("leaves a call in doubt whose connection is lost, and resumes it with the same key for one charge")
    func inDoubt() async throws {
        let provider = try CountingProvider { _ in .drop }
        let engine = Engine()
        let first = try await run(provider, ", maximum_cost: 5", engine: engine)
        #expect(first.outcomes[0].error?.code == .api)
        #expect(first.bill.totalCost == .zero)
        #expect(first.bill.inDoubtCost == (try Money(5)))
        let pipeline = try load("{url: '\(provider.url)/v1/check', maximum_cost: 5}")
        let second = try await engine.resume(first.runID, with: pipeline.single, options: pipeline.options)
        #expect(second.success)
        #expect(second.bill.totalCost == (try Money(5)))
        #expect(try await engine.bill(ofExecution: first.executionID).inDoubtCost == .zero)
        #expect(provider.distinctKeys.count == 1)
        #expect(provider.charges == 1)
    }

    @Test("is in doubt when its time is out, and the request is given up")
    func timeout() async throws {
        let brake = Brake()
        let provider = try CountingProvider { _ in .reply().held(by: brake) }
        let time = ManualTime()
        let engine = Engine(world: .testing(time: time))
        async let report = run(provider, ", maximum_cost: 5", engine: engine)
        await provider.waitForCalls()
        await time.waitForSleepers()
        time.advance(by: .seconds(3_600))
        let ended = try await report
        brake.release()
        #expect(ended.outcomes[0].error?.code == .timeout)
        #expect(ended.bill.inDoubtCost == (try Money(5)))
    }

    @Test("never tells a secret of its address or headers")
    func secrets() async throws {
        let secret = "s3cr3t/0815 +"
        let provider = try CountingProvider { call in
            // A service that tells everything it was told.
            .reply(call.text == "1" ? 200 : 403, call.text == "1" ? "1" : "\(call.path) \(call.headers)")
        }
        let pipeline = try load(
            "{url: 'http://127.0.0.1:${PORT}/v1', query: {token: '${TOKEN}'}, headers: {Authorization: 'Bearer ${TOKEN}'}}",
            environment: ["PORT": "\(provider.port)", "TOKEN": secret])
        let engine = Engine()
        let events = Mutex<[String]>([])
        let subscription = engine.events.subscribe { event in events.withLock { $0.append(event.jsonValue.json) } }
        let report = try await engine.run(
            pipeline.single, over: [Item("1", 1), Item("2", 2)], options: pipeline.options)
        await subscription.finish()
        #expect(report.outcomes.map(\.status) == [.succeeded, .failed])
        #expect(provider.calls.allSatisfy { $0.headers["authorization"] == "Bearer \(secret)" })
        #expect(provider.calls.allSatisfy { $0.path == "/v1?token=s3cr3t%2F0815%20%2B" })
        let charges = try await engine.store.charges(matching: ChargeFilter(runID: report.runID))
        #expect(charges.contains { $0.service == "127.0.0.1" && $0.operation == "POST /v1" })
        let written = events.withLock { $0 } + [try report.jsonValue().json, "\(charges)", "\(pipeline)"]
        #expect(written.filter { $0.contains("s3cr3t") }.isEmpty)
        #expect(report.outcomes[1].error?.message.contains("Bearer ***") == true)
    }

    static let mistakes: [(parameters: String, finding: String)] = [
        ("{}", "3:15: processor 'a' of type http needs parameter 'url'"),
        (
            "{url: 'example.com/x'}",
            "3:21: url must be an address such as https://example.com/v1/check, found example.com/x"
        ),
        ("{url: 'ftp://x/y'}", "3:21: url must be an address such as https://example.com/v1/check, found ftp://x/y"),
        (
            "{url: 'https://u:p@x/y'}",
            "3:21: url must not hold a user name or password; use the header 'Authorization'"
        ),
        ("{url: 'https://x', method: PSOT}", "3:42: unknown method 'PSOT'; did you mean 'POST'?"),
        ("{url: 'https://x', headers: {Host: y}}", "3:44: header 'Host' is set by the request itself"),
        ("{url: 'https://x', headers: {'a b': y}}", "3:44: 'a b' is not the name of a header"),
        ("{url: 'https://x', headers: {A: '${LINES}'}}", "3:47: header 'A' must not hold control characters"),
        ("{url: 'https://x', query: {q: [1]}}", "3:45: q must be text, a number, true or false, found a list"),
        ("{url: 'https://x', maximum_cost: -1}", "3:48: maximum_cost must be between 0 and 1,000,000, found -1"),
        ("{url: 'https://x', cache_ttl: 5}", "3:45: cache_ttl needs a unit, for example 30s"),
        (
            "{url: '${BASE}/x'}",
            "3:15: a url that begins with an environment variable needs parameters 'service' and 'operation'"
        ),
    ]

    @Test("finds mistakes when the file is loaded", arguments: mistakes)
    func mistake(row: (parameters: String, finding: String)) throws {
        let found = try folder.findings(
            of: PipelineText.type("http", parameters: row.parameters),
            environment: ["LINES": "a\r\nHost: b", "BASE": "https://x"])
        #expect(found == [row.finding])
    }
}
