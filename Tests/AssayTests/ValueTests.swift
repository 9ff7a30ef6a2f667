import Assay
import Testing

@Suite("Values") struct ValueTests {
    @Test(
        "an identifier is 1 to 128 letters, digits, dots, underscores and hyphens",
        arguments: [
            ("a", true), ("run-1_A.b", true), (String(repeating: "x", count: 128), true), ("", false), (".a", false),
            ("a b", false), ("é", false), ("a/b", false), ("a#2", false), (String(repeating: "x", count: 129), false),
        ])
    func identifier(text: String, valid: Bool) { #expect((Identifier(text) != nil) == valid) }

    @Test(
        "an external id is 1 byte to 1 KiB of text without control characters",
        arguments: [
            ("a", true), ("Größe 3/4 #5", true), (String(repeating: "é", count: 512), true), ("", false),
            ("a\nb", false), ("a\u{7F}", false), ("a\u{85}", false), ("a\u{202E}b", false),
            (String(repeating: "é", count: 512) + "x", false),
        ])
    func externalID(text: String, valid: Bool) { #expect((ExternalID(text) != nil) == valid) }

    @Test("external ids are compared by bytes, not by what they look like") func externalIDBytes() throws {
        let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")
        #expect(composed == decomposed)
        #expect(ExternalID(composed) != ExternalID(decomposed))
        #expect(Set([try #require(ExternalID(composed)), try #require(ExternalID(decomposed))]).count == 2)
    }

    @Test(
        "a time is written in UTC, with milliseconds only when there are any",
        arguments: [
            ("2025-03-03T09:15:00Z", "2025-03-03T09:15:00Z"), ("2025-03-03T09:15:00.250Z", "2025-03-03T09:15:00.250Z"),
            ("2025-03-03T09:15:00.000Z", "2025-03-03T09:15:00Z"), ("2025-03-03T10:15:00+01:00", "2025-03-03T09:15:00Z"),
            ("2024-02-29", "2024-02-29T00:00:00Z"), ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"), ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
        ])
    func time(text: String, written: String) { #expect(Timestamp(text)?.description == written) }

    @Test(
        "what is not a time is refused",
        arguments: [
            "", "2025", "2025-13-01", "2025-02-29", "2025-03-03T24:00:00Z", "2025-03-03T09:15:00", "2025-03-03T09:15Z",
            "2025-03-03T09:15:00.Z", "2025-03-03T09:15:00Zz", "yesterday",
        ])
    func noTime(text: String) { #expect(Timestamp(text) == nil) }
}

@Suite("Numbers and JSON") struct NumberTests {
    @Test(
        "a number keeps the digits it was written with",
        arguments: [
            "0", "0.00", "1.0", "1.50", "0.1", "123456789012345678901234567890.12345678", "-17",
            "0.00000000000000000000000000000000000001",
        ])
    func digits(text: String) throws { #expect(try JSONValue(json: text).json == text) }

    @Test("numbers are equal by value, and so are the digests of what holds them") func equality() throws {
        let values = try ["1", "1.0", "1e0", "10e-1", "0.1E1"].map { try JSONValue(json: "{\"n\": [\($0)]}") }
        #expect(Set(values.map { Digest(of: $0) }).count == 1)
        #expect(Set(values).count == 1)
        #expect(Digest(of: values[0]) != Digest(of: ["n": [2]]))
    }

    @Test("a digest is sha256 over canonical JSON") func digest() throws {
        let value = try JSONValue(json: #" { "b" : 1.0 , "a" : [ true , null ] } "#)
        #expect(Digest(of: value).text == "sha256:" + Digest.hex(of: Array(#"{"a":[true,null],"b":1}"#.utf8)))
        #expect(Digest(of: [:]).text == "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")
    }

    @Test("a number that no binary fraction can hold passes through a typed step unharmed") func exactThroughCodable()
        throws
    {
        struct Line: Codable, Equatable { var amount: Number }
        let line = try JSONValue(json: #"{"amount": 1234567890123456789.000000001}"#).decoded(as: Line.self)
        #expect(try JSONValue(encoding: line).json == #"{"amount":1234567890123456789.000000001}"#)
    }

    @Test(
        "a text that is not strict JSON is refused with the place",
        arguments: [
            "", "{", "[1,]", "01", "+1", "1.", ".5", "1e", "nul", "'a'", "\"\u{1}\"", "{\"a\":1,\"a\":2}", "1 2",
            "\"\\ud800\"",
            "\"\\", "-", "\u{FEFF}1", String(repeating: "9", count: 39), String(repeating: "4", count: 39),
            String(repeating: "1", count: 500), "1e7000",
            String(repeating: "[", count: 65) + String(repeating: "]", count: 65),
        ])
    func refused(text: String) { #expect(throws: JSONSyntaxError.self) { try JSONValue(json: text) } }

    @Test("64 levels and 38 digits are allowed") func limits() throws {
        _ = try JSONValue(json: String(repeating: "[", count: 64) + String(repeating: "]", count: 64))
        let digits = String(repeating: "9", count: 38)
        #expect(try JSONValue(json: digits).json == digits)
        #expect(Number(digits)?.coefficient == Int128(digits))
    }

    @Test(
        "numbers are ordered by value",
        arguments: [("-2", "-1.5"), ("-1", "0"), ("0", "1e-30"), ("9", "10"), ("1.0e2", "100.1"), ("0.1", "1e30")])
    func order(less: String, more: String) throws {
        let (less, more) = (try #require(Number(less)), try #require(Number(more)))
        #expect(less < more)
        #expect(!(more < less))
    }

    @Test("a key that is not there has no value, one that is null has null") func missing() throws {
        let object: JSONObject = ["a": .null]
        #expect(object["a"] == JSONValue.null)
        #expect(object["b"] == JSONValue?.none)
        #expect(JSONValue.object(object)["b"] == JSONValue?.none)
    }

    @Test("texts and keys are compared by bytes, as their digests are") func bytes() {
        let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")
        #expect(JSONValue.string(composed) != .string(decomposed))
        #expect(JSONObject(dictionaryLiteral: (composed, 1)) != JSONObject(dictionaryLiteral: (decomposed, 1)))
        #expect(Set<JSONValue>([.string(composed), .string(decomposed)]).count == 2)
    }

    @Test("escapes stand for what they mean") func escapes() throws {
        #expect(try JSONValue(json: #""\u00e9\ud83d\ude00\n\/""#) == .string("é😀\n/"))
        #expect(JSONValue.string("a\"\\\u{1}\n").json == #""a\"\\\u0001\n""#)
    }
}
