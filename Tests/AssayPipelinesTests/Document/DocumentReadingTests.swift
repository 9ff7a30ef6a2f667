import Assay
import AssayPipelines
import Foundation
import Testing

@Suite("Reading a configuration file") struct DocumentReadingTests {
    typealias Value = ConfigurationNode.Value

    @Test(
        "takes plain YAML scalars for what they are",
        arguments: [
            ("null", .null), ("~", .null), ("", .null), ("Null", .text("Null")), ("true", .bool(true)),
            ("false", .bool(false)), ("True", .text("True")), ("yes", .text("yes")), ("no", .text("no")),
            ("on", .text("on")), ("off", .text("off")), ("0", .number(0)), ("-7", .number(-7)),
            ("0x1F", .text("0x1F")), ("0o17", .text("0o17")), ("007", .text("007")), ("1:30", .text("1:30")),
            (".inf", .text(".inf")), (".nan", .text(".nan")), ("1_000", .text("1_000")), ("+1", .text("+1")),
            (".5", .text(".5")), ("5.", .text("5.")), ("2024-01-31", .text("2024-01-31")), ("30s", .text("30s")),
            ("'true'", .text("true")), ("\"12\"", .text("12")), ("''", .text("")), ("|-\n  1\n", .text("1")),
            ("a b", .text("a b")), ("=", .text("=")),
        ] as [(String, Value)])
    func coercion(text: String, value: Value) throws {
        let document = try ConfigurationDocument("key: \(text)")
        #expect(document.root.value(at: "key") == value)
    }

    @Test("keeps the digits of numbers", arguments: ["1.0", "0.10", "5.00", "1e3", "-0.5", "12345678901234567890.5"])
    func digits(text: String) throws {
        for (format, file) in [(.yaml, "key: \(text)"), (.json, "{\"key\": \(text)}")]
            as [(ConfigurationDocument.Format, String)]
        {
            let number = try ConfigurationDocument(file, as: format).root.json["key"]?.number
            #expect(number?.description == Number(text)?.description)
        }
        #expect(Number("5.00")?.description == "5.00")
    }

    @Test("gives the same tree for YAML and JSON")
    func sameTree() throws {
        let yaml = "b: [1, two, {c: null}]\na: {x: true, y: \"\\u00e9\\n\"}\n"
        let json = #"{"b": [1, "two", {"c": null}], "a": {"x": true, "y": "\u00e9\n"}}"#
        #expect(try ConfigurationDocument(yaml).root.json == ConfigurationDocument(json, as: .json).root.json)
        #expect(
            try ConfigurationDocument(yaml).root.json.json == #"{"a":{"x":true,"y":"é\n"},"b":[1,"two",{"c":null}]}"#)
    }

    @Test("counts lines and columns from 1, in code points, for keys and values")
    func positions() throws {
        let files: [(ConfigurationDocument.Format, String)] = [
            (.yaml, "# first\n'é😀': [ü, x]\nb:\n  c: 1\nd:\n"),
            (.json, "{\n'é😀': ['ü', 'x'],\n'b':\n { 'c': 1},\n'd': null}".replacing("'", with: "\"")),
        ]
        let expected: [[(Int, Int)]] = [
            [(2, 7), (2, 8), (2, 11), (4, 3), (4, 3), (4, 6), (5, 1), (5, 1)],
            [
                (2, 7), (2, 8), (2, 13), (4, 2), (4, 4), (4, 9), (5, 1), (5, 6),
            ],
        ]
        for (file, expected) in zip(files, expected) {
            let root = try ConfigurationDocument(file.1, as: file.0).root
            guard case .map(let top) = root.value, case .list(let list) = top[0].value.value,
                case .map(let inner) = top[1].value.value
            else { throw CocoaError(.coderInvalidValue) }
            let found = [
                top[0].value.position, list[0].position, list[1].position, top[1].value.position,
                inner[0].keyPosition, inner[0].value.position, top[2].keyPosition, top[2].value.position,
            ]
            #expect(found.map { [$0.line, $0.column] } == expected.map { [$0.0, $0.1] })
            #expect(top.map(\.key) == ["é😀", "b", "d"])
        }
    }

    @Test("an empty YAML file is null, an empty JSON file an error")
    func empty() throws {
        #expect(try ConfigurationDocument("# nothing\n").root.value == .null)
        #expect(findings(of: "") == ["1:1: the file must be a map, found null"])
        #expect(findings(of: " ", as: .json) == ["1:2: not valid JSON: unexpected end"])
    }

    @Test(
        "refuses YAML that is more than plain maps, lists and scalars",
        arguments: [
            ("a: *b", ["1:4: aliases are not allowed"]),
            ("a: &b 1", ["1:4: anchors are not allowed"]),
            ("a: &b [1]\nc: &d {}", ["1:4: anchors are not allowed", "2:4: anchors are not allowed"]),
            ("a: !!str 1", ["1:4: tags are not allowed"]),
            ("a: !python/object:os.system []", ["1:4: tags are not allowed"]),
            ("a: ! b", ["1:4: tags are not allowed"]),
            ("a: 1\n<<: {b: 2}", ["2:1: merge keys are not allowed"]),
            ("a: 1\n---\nb: 2", ["2:1: second documents are not allowed"]),
            ("%TAG !a! b\n---\na: 1", ["1:1: directives are not allowed"]),
            ("a: 1\n\u{2028}%YAML 1.2\n---\na: 1", ["2:2: directives are not allowed"]),
            ("1: a", ["1:1: non-text keys are not allowed"]),
            ("true: a", ["1:1: non-text keys are not allowed"]),
            ("? [a, b]\n: 1", ["1:3: non-text keys are not allowed"]),
            ("{? {b: 1} : c}", ["1:4: non-text keys are not allowed"]),
            ("?\n: 1", ["1:2: non-text keys are not allowed"]),
            ("*a : 1", ["1:1: aliases are not allowed"]),
            ("a: 1\nb: 2\na: 3", ["3:1: key 'a' is given twice (first at line 1)"]),
            (
                "a: 1\na: 2\n'a': 3",
                [
                    "2:1: key 'a' is given twice (first at line 1)", "3:1: key 'a' is given twice (first at line 1)",
                ]
            ),
            ("a: [1\nb: 2", ["2:2: not valid YAML: did not find expected ',' or ']' while parsing a flow sequence"]),
            ("a: b: c", ["1:5: not valid YAML: mapping values are not allowed in this context"]),
            ("a: \u{1}", ["1:4: not valid YAML: control characters are not allowed"]),
            ("\u{FEFF}a: 1", ["1:1: byte order marks are not allowed"]),
            (
                "a: 999999999999999999999999999999999999999",
                [
                    "1:4: a number has at most 38 digits and a power of ten from -6144 to 6144"
                ]
            ),
        ])
    func refusedYAML(text: String, expected: [String]) {
        #expect(findings(of: text) == expected)
    }

    @Test(
        "refuses JSON that breaks a rule",
        arguments: [
            (#"{"a": 1, "a": 2}"#, "1:10: key 'a' is given twice (first at line 1)"),
            ("{\"a\": 1,\n\"\\u0061\": 2}", "2:1: key 'a' is given twice (first at line 1)"),
            ("{a: 1}", "1:2: not valid JSON: expected a key in quotes"),
            (#"{"a": 1,}"#, "1:9: not valid JSON: expected a key in quotes"),
            (#"{"a" 1}"#, "1:6: not valid JSON: expected ':'"),
            (#"{"a": 1 "b": 2}"#, "1:9: not valid JSON: expected ',' or '}'"),
            (#"{"a": [1 2]}"#, "1:10: not valid JSON: expected ',' or ']'"),
            (#"{"a": [1,]}"#, "1:10: not valid JSON: expected a value"),
            (#"{"a": 1} x"#, "1:10: not valid JSON: unexpected text after the value"),
            (#"{"a": 01}"#, "1:8: not valid JSON: expected ',' or '}'"),
            (#"{"a": NaN}"#, "1:7: not valid JSON: expected a value"),
            (#"{"a": "\x"}"#, "1:8: not valid JSON: not an escape"),
            (#"{"a": "\ud800"}"#, "1:8: not valid JSON: half of a surrogate pair"),
            (#"{"a": "b"#, "1:9: not valid JSON: unexpected end of a text"),
            ("{\"a\": \"\n\"}", "1:8: not valid JSON: control characters in texts must be escaped"),
            ("\u{FEFF}{}", "1:1: byte order marks are not allowed"),
            (
                #"{"a": 999999999999999999999999999999999999999}"#,
                "1:7: a number has at most 38 digits and a power of ten from -6144 to 6144"
            ),
            (#"{"a": 1e99999}"#, "1:7: a number has at most 38 digits and a power of ten from -6144 to 6144"),
        ])
    func refusedJSON(text: String, expected: String) {
        #expect(findings(of: text, as: .json) == [expected])
    }

    @Test("reads JSON's escapes and pairs of surrogates")
    func escapes() throws {
        let document = try ConfigurationDocument(#"["\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"]"#, as: .json)
        #expect(document.root.json == ["\"\\/\u{8}\u{C}\n\r\té😀"])
    }

    @Test("refuses what is not UTF-8, at the first wrong byte")
    func encoding() {
        for (format, name) in [(.yaml, "YAML"), (.json, "JSON")] as [(ConfigurationDocument.Format, String)] {
            let bytes = Array("\"é\n".utf8) + [0xFF, 0x22]
            let error = #expect(throws: ProcessingError.self) {
                try ConfigurationDocument(bytes, as: format, file: "p")
            }
            #expect(error?.message == "p:2:1: not valid \(name): not UTF-8")
        }
    }

    @Test("two spellings of an accented letter are two keys")
    func spellings() throws {
        let yaml = "\"caf\\u00e9\": 1\n\"cafe\\u0301\": 2"
        #expect(findings(of: yaml) == [])
        #expect(try ConfigurationDocument(yaml).root.json.object?.keys.count == 2)
    }

    @Test("goes on after mistakes that leave the rest readable, and says all of them by position")
    func several() {
        let yaml = "a: &x 1\nb: *x\nb: 2\nretries: three\n"
        let found = findings(of: yaml) { map in
            _ = map["retries"]?.integer()
            _ = map["a"]?.integer()
            _ = map["b"]?.integer()
        }
        #expect(
            found == [
                "1:4: anchors are not allowed", "2:4: aliases are not allowed",
                "3:1: key 'b' is given twice (first at line 2)",
                "4:10: retries must be a whole number, found text 'three'",
            ])
    }
}

@Suite("A configuration file on disk") struct DocumentFileTests {
    private func message(_ path: String) -> String? {
        #expect(throws: ProcessingError.self) { try ConfigurationDocument(path: path) }?.message
    }

    @Test("is refused without a position when it cannot be opened or has another suffix")
    func unreadable() throws {
        let name = UUID().uuidString + String(repeating: "-", count: 80)
        let folder = FileManager.default.temporaryDirectory.appending(path: name).path
        try FileManager.default.createDirectory(atPath: folder + "/d.json", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for name in ["p.toml", "plain", "p.yaml", "big.yml"] {
            let text = name == "big.yml" ? String(repeating: "#", count: 2_097_152) : "a: 1"
            try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)"))
        }
        #expect(message("\(folder)/none.yaml") == "\(folder)/none.yaml: no such file")
        #expect(
            message("\(folder)/p.toml") == "\(folder)/p.toml: unsupported file type '.toml'; use .yaml, .yml or .json")
        #expect(message("\(folder)/plain") == "\(folder)/plain: unsupported file type ''; use .yaml, .yml or .json")
        #expect(message("\(folder)/d.json") == "\(folder)/d.json: cannot be read: not a regular file")
        #expect(message("\(folder)/p.yaml/x.yaml") == "\(folder)/p.yaml/x.yaml: cannot be read: not a directory")
        #expect(message("\(folder)/big.yml") == "\(folder)/big.yml:1:1: file is larger than 1 MiB")
        #expect(try ConfigurationDocument(path: "\(folder)/p.yaml").root.json == ["a": 1])
    }
}

extension ConfigurationNode {
    /// The value under `key` of a map.
    fileprivate func value(at key: String) -> Value? {
        guard case .map(let entries) = value else { return nil }
        return entries.first { $0.key == key }?.value.value
    }
}
