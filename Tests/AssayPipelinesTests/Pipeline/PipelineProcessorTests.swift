import Assay
import AssayPipelines
import Testing

@Suite("Built-in processor types") struct PipelineProcessorTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    static let runners = ["sequential", "{type: thread, max_workers: 4}"]

    /// What a run of `type` over `inputs`, in JSON, gives.
    private func run(_ type: String, _ parameters: String, over inputs: [String], runner: String) async throws -> Report
    {
        let text = PipelineText.type(type, parameters: parameters, more: "runner: \(runner)")
        let pipeline = try folder.load(text)
        let items = try inputs.enumerated().map { index, json in
            Item("\(index + 1)", payload: Payload(json: try JSONValue(json: json)))
        }
        return try await Engine().run(pipeline.single, over: items, options: pipeline.options)
    }

    /// A type with its parameters, an input and its output in JSON.
    typealias Row = (type: String, parameters: String, input: String, output: String)

    static let rows: [Row] = [
        ("simple", "{function: passthrough}", #"{"b":[1.50,null],"a":"x"}"#, #"{"a":"x","b":[1.50,null]}"#),
        ("simple", "{function: passthrough}", "null", "null"),
        ("simple", "{function: uppercase}", #""hello, straße é""#, #""HELLO, STRASSE É""#),
        ("simple", "{function: uppercase}", #""""#, #""""#),
        // Case mapping does not depend on the locale: in Turkish this would be a dotted capital.
        ("simple", "{function: uppercase}", #""i""#, #""I""#),
        ("simple", "{function: lowercase}", #""HELLO, ÄÖ I""#, #""hello, äö i""#),
        ("simple", "{function: strip}", #""  a \t b\r\n""#, #""a \t b""#),
        ("simple", "{function: strip}", #""\u00a0x\u3000""#, #""x""#),
        ("simple", "{function: strip}", #"" \n ""#, #""""#),
        ("simple", "{function: multiply}", "21", "42"),
        ("simple", "{function: multiply}", "-0.5", "-1.0"),
        ("simple", "{function: multiply, multiplier: 0.1}", "3", "0.3"),
        ("simple", "{function: multiply, multiplier: 1.1}", "1.10", "1.210"),
        ("simple", "{function: multiply, multiplier: 0}", "5", "0"),
        (
            "simple", "{function: multiply, multiplier: 3}", "12345678901234567890123456789012345678",
            "37037036703703703670370370367037037034"
        ),
        // Zeros at the end need no room.
        ("simple", "{function: multiply, multiplier: 1000}", "10000000000000000000000000000000000000", "1e40"),
        ("data_filter", "{}", "[1,\"a\",null]", "[1,\"a\",null]"),
        ("data_filter", "{condition: numbers_only}", "[1,\"a\",true,2.50,null,[3]]", "[1,2.50]"),
        ("data_filter", "{condition: strings_only}", "[1,\"b\",true,\"a\"]", "[\"b\",\"a\"]"),
        ("data_filter", "{condition: numbers_only}", "5", "5"),
        ("data_filter", "{condition: numbers_only}", "\"5\"", "null"),
        ("data_filter", "{condition: all}", "{\"a\":1}", "{\"a\":1}"),
        ("aggregator", "{}", "[1,\"a\",null]", "3"),
        ("aggregator", "{operation: count}", "{\"a\":1,\"b\":[]}", "2"),
        ("aggregator", "{operation: count}", "\"abc\"", "1"),
        ("aggregator", "{operation: count}", "[]", "0"),
        ("aggregator", "{operation: sum}", "[]", "0"),
        ("aggregator", "{operation: sum}", "[0.1,0.2,0.70]", "1.00"),
        ("aggregator", "{operation: sum}", "{\"a\":1,\"b\":-3}", "-2"),
        ("aggregator", "{operation: sum}", "7.5", "7.5"),
        (
            "aggregator", "{operation: sum}", "[99999999999999999999999999999999999999,-1]",
            "99999999999999999999999999999999999998"
        ),
        ("text_transformer", "{}", #""As it is ""#, #""As it is ""#),
        ("text_transformer", "{transformation: none}", #""x""#, #""x""#),
        ("text_transformer", "{transformation: uppercase}", #""aß""#, #""ASS""#),
        ("text_transformer", "{transformation: lowercase}", #""AÉ""#, #""aé""#),
        ("text_transformer", "{transformation: reverse}", #""abc""#, #""cba""#),
        ("text_transformer", "{transformation: reverse}", #""xe\u0301!""#, #""!e\u0301x""#),
        ("text_transformer", "{transformation: reverse}", #""a👨‍👩‍👧b👍🏽""#, #""👍🏽b👨‍👩‍👧a""#),
        ("text_transformer", "{transformation: reverse}", #""🇩🇪🇫🇷""#, #""🇫🇷🇩🇪""#),
        ("text_transformer", "{transformation: reverse}", #""a\r\nb""#, #""b\r\na""#),
        ("text_transformer", "{transformation: length}", #""""#, "0"),
        ("text_transformer", "{transformation: length}", #""abc""#, "3"),
        ("text_transformer", "{transformation: length}", #""e\u0301""#, "1"),
        ("text_transformer", "{transformation: length}", #""👨‍👩‍👧👍🏽🇩🇪""#, "3"),
        ("text_transformer", "{transformation: length}", #""a\r\nb""#, "3"),
    ]

    @Test("turn an input into an output", arguments: rows, runners)
    func output(row: Row, runner: String) async throws {
        let report = try await run(row.type, row.parameters, over: [row.input], runner: runner)
        // Compared as JSON text, by bytes: texts that only look alike are not the same.
        let output = try report.outcomes.first?.output?.json().json
        let expected = try JSONValue(json: row.output).json
        #expect(output?.utf8.elementsEqual(expected.utf8) == true, "\(output ?? "none") is not \(expected)")
        #expect(report.success)
    }

    static let refusals: [(type: String, parameters: String, input: String, message: String)] = [
        ("simple", "{function: uppercase}", "5", "uppercase needs text, found number"),
        ("simple", "{function: uppercase}", "null", "uppercase needs text, found null"),
        ("simple", "{function: lowercase}", "true", "lowercase needs text, found boolean"),
        ("simple", "{function: strip}", "[]", "strip needs text, found list"),
        ("simple", "{function: strip}", "{}", "strip needs text, found map"),
        ("simple", "{function: multiply}", #""4""#, "multiply needs a number, found text"),
        ("simple", "{function: multiply}", "false", "multiply needs a number, found boolean"),
        (
            "simple", "{function: multiply, multiplier: 9}", "99999999999999999999999999999999999999",
            "99999999999999999999999999999999999999 × 9 has more than 38 digits"
        ),
        ("text_transformer", "{transformation: length}", "5", "text_transformer needs text, found number"),
        ("text_transformer", "{transformation: none}", "[1]", "text_transformer needs text, found list"),
        ("text_transformer", "{}", "null", "text_transformer needs text, found null"),
    ]

    @Test("refuse an input they are not made for, and only that one", arguments: refusals, runners)
    func refusal(row: (type: String, parameters: String, input: String, message: String), runner: String) async throws {
        let good = row.parameters.contains("multiply") ? "1" : #""a""#
        let report = try await run(row.type, row.parameters, over: [good, row.input, good], runner: runner)
        #expect(report.status == .partial)
        #expect(report.outcomes.map(\.status) == [.succeeded, .failed, .succeeded])
        let error = try #require(report.outcomes[1].error)
        #expect(error.message == row.message)
        #expect(error.code == .validation)
        #expect(error.phase == .extraction)
        #expect(error.step == "extraction")
        #expect(error.inputID == "2")
        #expect(!error.retryable)
        #expect(report.outcomes[1].attempts == 1)
    }

    @Test("do not try an input again that they refuse")
    func noRetry() async throws {
        let text = PipelineText.type(
            "simple", parameters: "{function: strip}", more: "error_strategy: {type: retry, initial_delay: 0}")
        let pipeline = try folder.load(text)
        let report = try await Engine().run(pipeline.single, over: [Item("1", 5)], options: pipeline.options)
        #expect(report.outcomes.map(\.attempts) == [1])
    }

    @Test("give the outputs in the order of the inputs", arguments: runners)
    func order(runner: String) async throws {
        let report = try await run(
            "simple", "{function: multiply, multiplier: 10}", over: (1...50).map(String.init), runner: runner)
        #expect(try report.outputs(as: Int.self) == (1...50).map { $0 * 10 })
        #expect(try report.summary(as: [Int].self) == (1...50).map { $0 * 10 })
    }
}
