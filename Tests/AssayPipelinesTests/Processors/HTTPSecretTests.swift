import Assay
@testable import AssayPipelines
import AssayTesting
import Foundation
import FoundationNetworking
import Testing

@Suite("Secrets and web services") struct HTTPSecretTests {
    private static let secret = "SECRET0123456789abcdefghijklmnopqrstuvwxyz"

    /// What a service does with the header it is sent.
    static let echoes: [(status: Int, type: String, body: @Sendable (String) -> String)] = [
        (401, "text/plain", { String(repeating: "x", count: 480) + $0 + " is wrong" }),
        (403, "text/plain", { Data($0.utf8).base64EncodedString() + " is wrong" }),
        (403, "text/plain", { $0.utf8.map { String(format: "%%%02X", $0) }.joined() }),
        (200, "application/json", { "[1, \($0)" }),
    ]

    @Test("A service that sends a secret back shows nothing of it in what is kept", arguments: echoes)
    func echo(row: (status: Int, type: String, body: @Sendable (String) -> String)) async throws {
        let folder = try TemporaryFolder()
        let provider = try CountingProvider { call in
            .reply(row.status, row.body(call.headers["x-key"] ?? ""), headers: [("Content-Type", row.type)])
        }
        let pipeline = try folder.load(
            PipelineText.type("http", parameters: "{url: '\(provider.url)/', headers: {X-Key: '${KEY}'}}"),
            environment: ["KEY": Self.secret])
        let engine = Engine()
        let report = try await engine.run(pipeline.single, over: [Item("a", 1)], options: pipeline.options)
        let kept =
            try await engine.store.events(of: report.runID, after: 0, limit: 99).map(\.jsonValue.json)
            + [try report.jsonValue().json]
        #expect(report.outcomes[0].error?.code == .api)
        let encoded = Data(Self.secret.utf8).base64EncodedString()
        for text in kept {
            for part in ["SECRET", "0123456789", "uvwxyz", encoded.prefix(12).description, "%53%45"] {
                #expect(!text.contains(part))
            }
        }
    }

    @Test("A webhook that cannot be reached does not tell its path")
    func webhook() async throws {
        let hook = Webhook(try #require(URL(string: "https://example.com/hooks/T0123456789?key=abcdef"))) { request in
            throw HTTPFailure(message: "no route to \(request.url?.absoluteString ?? "")", isCertain: true)
        }
        let error = await #expect(throws: ProcessingError.self) { try await hook.send(PipelineWatchTests.alert()) }
        #expect(error?.message == "webhook 'example.com': no route to ***")
    }
}
