import Assay
import AssayPipelines
import Testing

@Suite("A hostile configuration file") struct DocumentAbuseTests {
    typealias Format = ConfigurationDocument.Format

    /// Nine lists, each of ten references to the one before.
    static let aliases =
        "a0: &a0 [x]\n"
        + (1...9).map { level in
            "a\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ") + "]\n"
        }.joined()
    static let keys =
        "a0: &a0 {x: y}\n"
        + (1...9).map { "a\($0): &a\($0) {? *a\($0 - 1) : 1, ? [*a\($0 - 1)] : 2}\n" }
        .joined()
    static let merges =
        "a0: &a0 {x: y}\n"
        + (1...24).map { "a\($0): &a\($0)\n  <<: [*a\($0 - 1), *a\($0 - 1)]\n" }
        .joined()

    @Test("may not use aliases, anchors or merge keys to grow")
    func bombs() {
        for bomb in [Self.aliases, Self.keys, Self.merges] {
            let found = findings(of: bomb)
            #expect(found.first == "1:5: anchors are not allowed")
            #expect(found.contains { $0.hasSuffix("aliases are not allowed") })
        }
        #expect(findings(of: Self.merges).contains("3:3: merge keys are not allowed"))
        #expect(findings(of: Self.keys).contains("2:23: non-text keys are not allowed"))
    }

    @Test(
        "may nest 64 levels and no more",
        arguments: [
            (Format.json, "[", "]"), (.yaml, "[", "]"), (.yaml, "{a: ", "}"), (.yaml, "- ", ""),
            (.json, "{\"a\":", "}"), (.yaml, "? ", ""),
        ])
    func depth(format: ConfigurationDocument.Format, open: String, close: String) {
        func nested(_ depth: Int) -> [String] {
            let text = String(repeating: open, count: depth) + "0" + String(repeating: close, count: depth)
            do {
                try ConfigurationDocument(text, as: format).findings.check()
                return []
            } catch {
                return error.findings.map(\.message).filter { $0 != "non-text keys are not allowed" }
            }
        }
        #expect(nested(64) == [])
        #expect(nested(65) == ["nested more than 64 deep"])
        #expect(nested(100_000) == ["nested more than 64 deep"])
    }

    @Test("may have 10,000 values and no more, keys not counted")
    func values() {
        for format in [Format.yaml, .json] {
            func list(_ count: Int) -> String { "[" + Array(repeating: "1", count: count).joined(separator: ",") + "]" }
            #expect(findings(of: list(9_999), as: format) == ["1:1: the file must be a map, found a list"])
            #expect(findings(of: list(10_000), as: format) == ["1:20000: more than 10000 values"])
            let map = "{" + (1...9_999).map { "\"k\($0)\": 1" }.joined(separator: ",\n") + "}"
            #expect(findings(of: map, as: format) == [])
        }
    }

    @Test("may be 1 MiB large and no more")
    func size() {
        for format in [Format.yaml, .json] {
            let text = "\"" + String(repeating: "x", count: 1_048_574) + "\""
            #expect(
                findings(of: text, as: format) == [
                    "1:1: the file must be a map, found text '\(String(repeating: "x", count: 80))…'"
                ])
            #expect(findings(of: text + " ", as: format) == ["1:1: file is larger than 1 MiB"])
            #expect(findings(of: text + text, as: format) == ["1:1: file is larger than 1 MiB"])
        }
    }

    @Test(
        "is refused whatever fills it",
        arguments: [
            "%TAG !a! b\n", "&a ", "!a ", "? ", "- ", "[", "{", "\"", "'", "|\n", "# c\n", "...\n", "---\n", ": ",
            "\u{0}", "\t", "*a ", "<<: ", "a", "é", "a:\n ", "{\"a\":",
        ])
    func filled(unit: String) {
        let text = String(repeating: unit, count: 1_048_576 / unit.utf8.count)
        for format in [Format.yaml, .json] { #expect(!findings(of: text, as: format).isEmpty) }
    }

    @Test("is accepted or refused after any change of bytes", arguments: [Format.yaml, .json])
    func mutations(format: Format) {
        let original = format == .yaml ? Self.yaml : Self.json
        #expect(findings(of: original, as: format, schema: DocumentSchemaTests.read) == [])
        var random = SplitMix(state: 20_240_131)
        var accepted = 0
        for _ in 0..<20_000 {
            var bytes = Array(original.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) { Self.mutate(&bytes, using: &random) }
            do {
                let value = try ConfigurationDocument(bytes, as: format, file: "p").value.resolving(["A": "x"]).value
                if let map = value.map() { DocumentSchemaTests.read(map) }
                try value.findings.check()
                accepted += 1
            } catch {
                #expect(error.code == .configuration && !error.findings.isEmpty)
            }
        }
        #expect((1..<20_000).contains(accepted))
    }

    private static let yaml = """
        # A file with something of everything.
        graph_id: "sample \\u00e9"
        id: 'a-1'   # quoted
        retries: 3
        threshold: 0.50
        timeout: 30s
        delay: 0.5
        enabled: true
        strategy: retry
        price: 5.00
        names: [one, "two", 'three']
        a:
          b: {c: ~, d: [1, {e: null}], f: "${A}"}
          g: |
            some
              text
        nodes:
          - {type: simple, parameters: {function: "$${upper}"}}
          - type: >-
              folded
              text
            parameters:

        """
    private static let json = #"""
        {"graph_id": "sample \u00e9\ud83d\ude00", "id": "a-1", "retries": 3, "threshold": 5.0e-1, "timeout": "30s",
         "delay": 0.5, "enabled": true, "strategy": "retry", "price": 5.00, "names": ["one", "two\n"],
         "a": {"b": null, "c": [1, {"d": [[]]}], "f": "${A} ü"},
         "nodes": [{"type": "simple", "parameters": {"function": "$${upper}"}}, {"type": "x", "parameters": {}}]}
        """#

    private static let interesting =
        Array("{}[],:&*!|>'\"%#-?@`\\~<\n\r\t 0e.+$\u{0}\u{7F}".utf8) + [0x85, 0xC2, 0xE2, 0xFF]

    private static func mutate(_ bytes: inout [UInt8], using random: inout SplitMix) {
        guard let index = bytes.indices.randomElement(using: &random) else { return }
        switch Int.random(in: 0..<5, using: &random) {
        case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes[index] = interesting.randomElement(using: &random) ?? 0
        case 2: bytes.insert(interesting.randomElement(using: &random) ?? 0, at: index)
        case 3: bytes.remove(at: index)
        default:
            let end = min(bytes.count, index + Int.random(in: 1...60, using: &random))
            bytes.insert(contentsOf: Array(bytes[index..<end]), at: bytes.indices.randomElement(using: &random) ?? 0)
        }
    }
}

/// A small generator of random numbers, so that a failing test fails again.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
