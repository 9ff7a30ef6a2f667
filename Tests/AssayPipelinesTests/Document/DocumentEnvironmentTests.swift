import Assay
import AssayPipelines
import Foundation
import Testing

@Suite("Environment variables in parameters") struct DocumentEnvironmentTests {
    private let environment = ["API_KEY": "hush-hush", "EMPTY": "", "_1": "one"]

    private func resolve(_ text: String) throws -> (value: ValueReader, parameters: Parameters) {
        try ConfigurationDocument("{\"key\": [\(text)]}", as: .json).value.resolving(environment)
    }

    @Test(
        "are put into texts",
        arguments: [
            ("Bearer ${API_KEY}!", "Bearer hush-hush!"), ("$${API_KEY}", "${API_KEY}"), ("$$${API_KEY}", "$${API_KEY}"),
            ("$API_KEY $ $$", "$API_KEY $ $$"), ("${_1}${EMPTY}${_1}", "oneone"), ("plain", "plain"),
        ])
    func texts(text: String, expected: String) throws {
        let (value, parameters) = try resolve("\"\(text)\"")
        #expect(parameters.values.revealed == ["key": [.string(expected)]])
        #expect(parameters.written == ["key": [.string(text)]])
        #expect(value.map()?["key"]?.list()?.first?.text() == expected)
        #expect(value.findings.isEmpty)
    }

    @Test(
        "are reported when they are not set or not well written",
        arguments: [
            (
                "${NONE} ${NADA}",
                [
                    "environment variable 'NONE' is not set", "environment variable 'NADA' is not set",
                ]
            ),
            ("${}", ["'${' needs a variable name and '}'; write '$${' for the text itself"]),
            ("${A B}", ["'${' needs a variable name and '}'; write '$${' for the text itself"]),
            ("${1A}", ["'${' needs a variable name and '}'; write '$${' for the text itself"]),
            ("${API_KEY", ["'${' needs a variable name and '}'; write '$${' for the text itself"]),
        ])
    func mistakes(text: String, expected: [String]) throws {
        let (value, _) = try resolve("\"\(text)\"")
        #expect(value.findings.all.map(\.message) == expected)
        #expect(value.findings.all.first?.position == SourcePosition(line: 1, column: 10))
        // What has been reported is not reported again.
        #expect(value.map()?["key"]?.list()?.first?.text() == nil)
        #expect(value.findings.all.count == expected.count)
    }

    @Test("may not make texts larger than 1 MiB")
    func bomb() throws {
        let document = try ConfigurationDocument("key: " + String(repeating: "${BIG}", count: 100_000))
        let value = document.value.resolving(["BIG": String(repeating: "x", count: 1_000)]).value
        #expect(value.findings.all.map(\.message) == ["texts are larger than 1 MiB with environment variables put in"])
    }

    @Test("never show in findings, descriptions, mirrors or encodings")
    func secrecy() throws {
        let (value, parameters) = try resolve("\"${API_KEY}\"")
        let text = try #require(value.map()?["key"]?.list()?.first)
        _ = text.integer()
        _ = text.duration()
        _ = text.word("function", of: ["upper"])
        _ = text.amount()
        #expect(value.findings.all.count == 4)
        var shown = ""
        dump((value.node, parameters, value.findings.all), to: &shown)
        shown += "\(parameters) \(value.node)" + String(reflecting: parameters)
        shown += try String(decoding: JSONEncoder().encode(parameters.secrets), as: UTF8.self)
        #expect(!shown.contains("hush"))
        #expect(shown.contains("***"))
        #expect(parameters.secrets.map(\.revealed) == ["hush-hush"])
    }
}
