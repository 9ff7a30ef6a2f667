import Assay
import AssayPipelines
import Testing

@Suite("Reading by key and kind") struct DocumentSchemaTests {
    enum Strategy: String, CaseIterable { case skip, retry, halt, composite }

    /// A row of the table: a file in both languages, and what is found wrong with it.
    struct Row: Sendable, CustomTestStringConvertible {
        let yaml: String
        let json: String
        let expected: [String]
        let position: (yaml: String, json: String)
        var testDescription: String { yaml }

        init(_ yaml: String, _ yamlPosition: String, _ json: String, _ jsonPosition: String, _ expected: String...) {
            self.yaml = yaml
            self.json = json.replacing("'", with: "\"")
            self.expected = expected
            position = (yamlPosition, jsonPosition)
        }
    }

    static let rows: [Row] = [
        Row(
            "retries: three", "1:10", "{'retries': 'three'}", "1:13",
            "retries must be a whole number, found text 'three'"),
        Row("retries: 1.5", "1:10", "{'retries': 1.5}", "1:13", "retries must be a whole number, found 1.5"),
        Row(
            "retries: 1e30", "1:10", "{'retries': 1e30}", "1:13",
            "retries must be at least 0, found 1000000000000000000000000000000"),
        Row("retries: -1", "1:10", "{'retries': -1}", "1:13", "retries must be at least 0, found -1"),
        Row("retries: 007", "1:10", "{'retries': '007'}", "1:13", "retries must be a whole number, found text '007'"),
        Row("threshold: 1.5", "1:12", "{'threshold': 1.5}", "1:15", "threshold must be between 0 and 1, found 1.5"),
        Row(
            "threshold: .nan", "1:12", "{'threshold': '.nan'}", "1:15", "threshold must be a number, found text '.nan'"),
        Row("threshold: true", "1:12", "{'threshold': true}", "1:15", "threshold must be a number, found boolean true"),
        Row("timeout: -1s", "1:10", "{'timeout': '-1s'}", "1:13", "timeout must be greater than 0, found -1s"),
        Row("timeout: 0s", "1:10", "{'timeout': '0s'}", "1:13", "timeout must be greater than 0, found 0s"),
        Row("timeout: 30", "1:10", "{'timeout': 30}", "1:13", "timeout needs a unit, for example 30s"),
        Row("timeout: '30'", "1:10", "{'timeout': '30'}", "1:13", "timeout needs a unit, for example 30s"),
        Row(
            "timeout: 3 weeks", "1:10", "{'timeout': '3 weeks'}", "1:13",
            "timeout must be a duration, for example 30s, found text '3 weeks'"),
        Row(
            "timeout: [1]", "1:10", "{'timeout': [1]}", "1:13",
            "timeout must be a duration, for example 30s, found a list"),
        Row("timeout: 36501d", "1:10", "{'timeout': '36501d'}", "1:13", "timeout must be at most 36500d, found 36501d"),
        Row(
            "timeout: 99999999999999999999999999999999999999ms", "1:10",
            "{'timeout': '99999999999999999999999999999999999999ms'}", "1:13",
            "timeout must be at most 36500d, found 99999999999999999999999999999999999999ms"),
        Row(
            "timeout: 1e6000s", "1:10", "{'timeout': '1e6000s'}", "1:13",
            "timeout must be at most 36500d, found 1e6000s"),
        Row(
            "timeout: -9e40d", "1:10", "{'timeout': '-9e40d'}", "1:13",
            "timeout must be greater than 0, found -9e40d"),
        Row(
            "timeout: 0e6000h", "1:10", "{'timeout': '0e6000h'}", "1:13",
            "timeout must be greater than 0, found 0e6000h"),
        Row("delay: -0.5", "1:8", "{'delay': -0.5}", "1:11", "delay must be at least 0, found -0.5"),
        Row("enabled: yes", "1:10", "{'enabled': 'yes'}", "1:13", "enabled must be true or false, found text 'yes'"),
        Row(
            "strategy: retyr", "1:11", "{'strategy': 'retyr'}", "1:14",
            "unknown error strategy 'retyr'; did you mean 'retry'?"),
        Row(
            "strategy: parallel", "1:11", "{'strategy': 'parallel'}", "1:14",
            "unknown error strategy 'parallel'; known: skip, retry, halt, composite"),
        Row("strategy: {a: 1}", "1:11", "{'strategy': {'a': 1}}", "1:14", "strategy must be text, found a map"),
        Row(
            "price: 0.1234567891", "1:8", "{'price': 0.1234567891}", "1:11",
            "price must be a number of at most 9 decimals, found 0.1234567891"),
        Row(
            "price: '5'", "1:8", "{'price': '5'}", "1:11",
            "price must be a number of at most 9 decimals, found text '5'"),
        Row("price: -1", "1:8", "{'price': -1}", "1:11", "price must be between 0 and 1,000,000, found -1"),
        Row("id: a:b", "1:5", "{'id': 'a:b'}", "1:8", "id 'a:b' may only contain letters, digits, '.', '_' and '-'"),
        Row("id: .a", "1:5", "{'id': '.a'}", "1:8", "id '.a' must not begin with '.'"),
        Row("id: ''", "1:5", "{'id': ''}", "1:8", "id must be 1 to 128 characters long, found 0"),
        Row("id: 12", "1:5", "{'id': 12}", "1:8", "id must be text, found number 12"),
        Row("names: [a, 3]", "1:12", "{'names': ['a', 3]}", "1:17", "names[1] must be text, found number 3"),
        Row("names: a", "1:8", "{'names': 'a'}", "1:11", "names must be a list, found text 'a'"),
        Row("graf_id: a", "1:1", "{'graf_id': 'a'}", "1:2", "unknown key 'graf_id'; did you mean 'graph_id'?"),
        Row(
            "nodes: [{type: a, paramters: 1}]", "1:19", "{'nodes': [{'type': 'a', 'paramters': 1}]}", "1:26",
            "unknown key 'paramters' in nodes[0]; did you mean 'parameters'?"),
        Row("nodes: [{type: a}, {}]", "1:20", "{'nodes': [{'type': 'a'}, {}]}", "1:27", "nodes[1] needs 'type'"),
        Row("nodes: [{type: }]", "1:10", "{'nodes': [{'type': null}]}", "1:21", "nodes[0] needs 'type'"),
        Row("nodes: {a: 1}", "1:8", "{'nodes': {'a': 1}}", "1:11", "nodes must be a list, found a map"),
        Row("[1]", "1:1", "[1]", "1:1", "the file must be a map, found a list"),
        Row(
            "a: {b: 1, b: 2}\ngraph_id: x", "1:11", "{'a': {'b': 1, 'b': 2},\n'graph_id': 'x'}", "1:16",
            "key 'b' is given twice (first at line 1)"),
    ]

    static func read(_ map: MapReader) {
        _ = map["graph_id"]?.text()
        _ = map["id"]?.identifier()
        _ = map["retries"]?.integer(in: .atLeast(0))
        _ = map["threshold"]?.number(in: .between(0, and: 1))
        _ = map["timeout"]?.duration()
        _ = map["delay"]?.duration(in: .notNegative, plainSeconds: true)
        _ = map["enabled"]?.bool()
        _ = map["strategy"]?.word("error strategy", as: Strategy.self)
        _ = map["price"]?.amount()
        _ = map["names"]?.list()?.map { $0.text() }
        _ = map["a"]
        for node in map["nodes"]?.list() ?? [] {
            guard let node = node.map() else { continue }
            _ = node.required("type")?.text()
            _ = node["parameters"]?.map()
            node.finish()
        }
        map.finish()
    }

    @Test("reports each mistake where it stands", arguments: rows)
    func mistake(row: Row) {
        #expect(findings(of: row.yaml, schema: Self.read) == row.expected.map { "\(row.position.yaml): \($0)" })
        #expect(
            findings(of: row.json, as: .json, schema: Self.read) == row.expected.map { "\(row.position.json): \($0)" })
    }

    @Test(
        "reads durations exactly",
        arguments: [
            ("250ms", .milliseconds(250)), ("30s", .seconds(30)), ("0.5s", .milliseconds(500)), ("10m", .seconds(600)),
            ("2h", .seconds(7_200)), ("7d", .seconds(604_800)), ("1e-18s", Duration(attoseconds: 1)),
            ("0.1d", .seconds(8_640)), ("36500d", .seconds(3_153_600_000)),
        ] as [(String, Duration)])
    func durations(text: String, duration: Duration) throws {
        let value = try #require(ConfigurationDocument("key: \(text)").value.map()?["key"])
        #expect(value.duration() == duration)
        #expect(value.duration(plainSeconds: true) == duration)
        #expect(value.findings.isEmpty)
    }

    @Test("takes plain numbers for seconds where that is allowed")
    func plainSeconds() throws {
        let value = try #require(ConfigurationDocument("key: 0.5").value.map()?["key"])
        #expect(value.duration(plainSeconds: true) == .milliseconds(500))
        #expect(value.findings.isEmpty)
    }

    @Test("null counts as not given")
    func null() throws {
        let map = try #require(ConfigurationDocument("timeout: ~\nid:").value.map())
        #expect(map["timeout"] == nil && map["id"] == nil)
        #expect(map.contains("timeout") && !map.contains("other"))
        map.finish()
        #expect(map.value.findings.isEmpty)
    }

    @Test("reports names that are given twice, and parameters in the words of their processor")
    func namesAndParameters() {
        let yaml = "ids: [a, b]\nmore: [c, a]\nparameters: {funtion: upper}\n"
        let found = findings(of: yaml) { map in
            var names = UniqueNames()
            for value in (map["ids"]?.list() ?? []) + (map["more"]?.list() ?? []) {
                if let id = value.identifier() { names.take(id.text, from: value) }
            }
            let parameters = map["parameters"]?.parameters(of: "processor 'a' of type simple")
            _ = parameters?.required("function")
            parameters?.finish()
        }
        #expect(
            found == [
                "2:11: more[1] 'a' is already used at line 1",
                "3:13: processor 'a' of type simple needs parameter 'function'",
                "3:14: unknown parameter 'funtion' of processor 'a' of type simple; did you mean 'function'?",
            ])
    }

    @Test("shows 50 findings and counts the rest, while callers get them all")
    func many() throws {
        let yaml = (1...53).map { "k\($0): 1\n" }.joined()
        let document = try ConfigurationDocument(yaml)
        document.value.map()?.finish()
        let error = try #require(throws: ProcessingError.self) { try document.findings.check() }
        let lines = error.message.split(separator: "\n")
        #expect(lines.count == 51)
        #expect(lines.first == "p:1:1: unknown key 'k1'")
        #expect(lines.last == "and 3 more")
        #expect(error.code == .configuration)
        #expect(error.findings.count == 53)
        #expect(error.findings.last?.position == SourcePosition(line: 53, column: 1))
    }

    @Test("findings never carry control characters or endless texts")
    func visible() {
        let yaml = "\"a\\nb\\e[31m\": 1\n" + String(repeating: "x", count: 500) + ": 1"
        #expect(
            findings(of: yaml) { $0.finish() } == [
                "1:1: unknown key 'a\\u{a}b\\u{1b}[31m'",
                "2:1: unknown key '\(String(repeating: "x", count: 80))…'",
            ])
    }
}

@Suite("Suggestions") struct SuggestionTests {
    @Test(
        "name the word that was meant",
        arguments: [
            ("simpel", "simple"), ("retyr", "retry"), ("transfrom", "transform"), ("ab", "a"),
            ("funktionn", "function"),
            ("procesor_tpye", "processor_type"), ("haltxxx", nil), ("xyzxyzxyz", nil), ("", "a"),
        ] as [(String, String?)])
    func nearest(written: String, word: String?) {
        let known = ["retry", "halt", "simple", "transform", "function", "processor_type", "b", "a"]
        #expect(Suggestion(for: written, among: known).word == word)
    }

    @Test("allow a third edit beyond 8 letters only")
    func limits() {
        #expect(Suggestion(for: "abcdexyz", among: ["abcde"]).word == nil)
        #expect(Suggestion(for: "abcdefxyz", among: ["abcdef"]).word == "abcdef")
    }

    @Test("list at most 10 words when none is near")
    func known() {
        #expect(Suggestion(for: "zzzz", among: ["one", "two"]).ending == "; known: one, two")
        #expect(Suggestion(for: "zzzz", among: []).ending == "")
        #expect(
            Suggestion(for: "zzzzzz", among: (0..<11).map { "w\($0)" }).ending
                == "; known: w0, w1, w2, w3, w4, w5, w6, w7, w8, w9, …")
    }
}
