/// An error in text that is not the JSON that Assay reads, with its offset.
public struct JSONSyntaxError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The offset of the byte at which reading stopped, from 0.
    public let offset: Int
    /// The problem at that offset.
    public let reason: String

    /// The reason and the offset in one sentence.
    public var description: String { "\(reason) at byte \(offset)" }
}

extension JSONValue {
    /// The depth of nested arrays and objects beyond which text is refused.
    public static let maximumDepth = 64

    /// Reads one JSON text: UTF-8 without a byte order mark, no duplicate keys, at most 64 levels deep.
    ///
    /// - Throws: ``JSONSyntaxError`` naming the byte. Time and memory grow only with the length of the text.
    public init(json bytes: some Sequence<UInt8>) throws(JSONSyntaxError) {
        let value: Swift.Result<JSONValue, JSONSyntaxError>? = bytes.withContiguousStorageIfAvailable { buffer in
            Swift.Result { () throws(JSONSyntaxError) in
                var parser = JSONParser(buffer)
                return try parser.document()
            }
        }
        if let value {
            self = try value.get()
        } else {
            try self.init(json: ContiguousArray(bytes))
        }
    }

    /// Reads one JSON text.
    public init(json text: String) throws(JSONSyntaxError) { try self.init(json: ContiguousArray(text.utf8)) }

    /// The value as canonical JSON: keys sorted by code point, no whitespace, digits as written.
    public var json: String { String(decoding: jsonBytes, as: UTF8.self) }

    /// The UTF-8 bytes of ``json``.
    public var jsonBytes: [UInt8] {
        var bytes: [UInt8] = []
        write(into: &bytes)
        return bytes
    }

    /// Appends the value as JSON.
    ///
    /// - Parameter reducing: whether to write numbers in their shortest form, as digests need.
    public func write(into bytes: inout [UInt8], reducing: Bool = false) {
        switch self {
        case .null: bytes += "null".utf8
        case .bool(let value): bytes += (value ? "true" : "false").utf8
        case .number(let value): (reducing ? value.reduced : value).write(into: &bytes)
        case .string(let value): Self.write(value, into: &bytes)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                element.write(into: &bytes, reducing: reducing)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let object):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in object.members.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                Self.write(member.key, into: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.value.write(into: &bytes, reducing: reducing)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    /// Appends `text` as a JSON string; escapes only what must be escaped.
    static func write(_ text: String, into bytes: inout [UInt8]) {
        let hex = Array("0123456789abcdef".utf8)
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0x0A: bytes += "\\n".utf8
            case 0x0D: bytes += "\\r".utf8
            case 0x09: bytes += "\\t".utf8
            case 0..<0x20: bytes += "\\u00".utf8 + [hex[Int(byte >> 4)], hex[Int(byte & 15)]]
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}

/// A strict reader of one JSON text.
struct JSONParser {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var index = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    mutating func document() throws(JSONSyntaxError) -> JSONValue {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { throw error("byte order marks are not allowed") }
        let value = try value(depth: 0)
        skipSpace()
        guard index == bytes.count else { throw error("unexpected text after the value") }
        return value
    }

    private func error(_ reason: String) -> JSONSyntaxError { JSONSyntaxError(offset: index, reason: reason) }

    private mutating func skipSpace() {
        while index < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[index]) { index += 1 }
    }

    private func peek() -> UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        index += 1
        return true
    }

    private mutating func value(depth: Int) throws(JSONSyntaxError) -> JSONValue {
        skipSpace()
        switch peek() {
        case UInt8(ascii: "{"): return .object(try object(depth: depth + 1))
        case UInt8(ascii: "["): return .array(try array(depth: depth + 1))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case let byte? where byte == UInt8(ascii: "-") || byte &- 48 < 10: return .number(try number())
        case nil: throw error("unexpected end")
        default: throw error("expected a value")
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONSyntaxError) -> JSONValue {
        let length = word.utf8CodeUnitCount
        guard index + length <= bytes.count,
            (0..<length).allSatisfy({ bytes[index + $0] == word.utf8Start[$0] })
        else { throw error("expected a value") }
        index += length
        return value
    }

    private mutating func number() throws(JSONSyntaxError) -> Number {
        let start = index
        while let byte = peek(), byte &- 48 < 10 || byte | 0x20 == 0x65 || [0x2B, 0x2D, 0x2E].contains(byte) {
            index += 1
        }
        guard let number = Number.parse(bytes[start..<index]) else {
            throw JSONSyntaxError(offset: start, reason: "not a number of at most 38 digits")
        }
        return number
    }

    private mutating func array(depth: Int) throws(JSONSyntaxError) -> [JSONValue] {
        guard depth <= JSONValue.maximumDepth else { throw error("nested more than 64 deep") }
        index += 1
        var elements: [JSONValue] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return elements }
        while true {
            elements.append(try value(depth: depth))
            skipSpace()
            if take(UInt8(ascii: "]")) { return elements }
            guard take(UInt8(ascii: ",")) else { throw error("expected ',' or ']'") }
        }
    }

    private mutating func object(depth: Int) throws(JSONSyntaxError) -> JSONObject {
        guard depth <= JSONValue.maximumDepth else { throw error("nested more than 64 deep") }
        let start = index
        index += 1
        var members: [JSONObject.Member] = []
        skipSpace()
        if take(UInt8(ascii: "}")) { return JSONObject() }
        while true {
            skipSpace()
            guard peek() == UInt8(ascii: "\"") else { throw error("expected a key") }
            let key = try string()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw error("expected ':'") }
            members.append(JSONObject.Member(key: key, value: try value(depth: depth)))
            skipSpace()
            if take(UInt8(ascii: "}")) { break }
            guard take(UInt8(ascii: ",")) else { throw error("expected ',' or '}'") }
        }
        guard let object = JSONObject(unsorted: members) else {
            throw JSONSyntaxError(offset: start, reason: "a key is given twice in the object")
        }
        return object
    }

    private mutating func string() throws(JSONSyntaxError) -> String {
        index += 1
        let start = index
        var escaped = false
        scan: while true {
            guard let byte = peek() else { throw error("unexpected end of a string") }
            switch byte {
            case UInt8(ascii: "\""): break scan
            case UInt8(ascii: "\\"):
                escaped = true
                index += 2
            case 0..<0x20: throw error("control characters in strings must be escaped")
            default: index += 1
            }
        }
        guard index < bytes.count else { throw error("unexpected end of a string") }
        let raw = UnsafeBufferPointer(rebasing: bytes[start..<index])
        index += 1
        let text = escaped ? try unescape(raw, at: start) : String(validating: raw, as: UTF8.self)
        guard let text else { throw JSONSyntaxError(offset: start, reason: "not valid UTF-8") }
        return text
    }

    private func unescape(_ raw: UnsafeBufferPointer<UInt8>, at start: Int) throws(JSONSyntaxError) -> String? {
        var text: [UInt8] = []
        text.reserveCapacity(raw.count)
        var index = 0
        func fail() -> JSONSyntaxError { JSONSyntaxError(offset: start + index, reason: "not a valid escape") }
        func unit() throws(JSONSyntaxError) -> UInt32 {
            guard index + 4 <= raw.count else { throw fail() }
            var value: UInt32 = 0
            for byte in raw[index..<index + 4] {
                guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw fail() }
                value = value << 4 | UInt32(digit)
            }
            index += 4
            return value
        }
        while index < raw.count {
            let byte = raw[index]
            index += 1
            guard byte == UInt8(ascii: "\\") else {
                text.append(byte)
                continue
            }
            guard index < raw.count else { throw fail() }
            let kind = raw[index]
            index += 1
            switch kind {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(kind)
            case UInt8(ascii: "b"): text.append(0x08)
            case UInt8(ascii: "f"): text.append(0x0C)
            case UInt8(ascii: "n"): text.append(0x0A)
            case UInt8(ascii: "r"): text.append(0x0D)
            case UInt8(ascii: "t"): text.append(0x09)
            case UInt8(ascii: "u"):
                var code = try unit()
                if (0xD800..<0xDC00).contains(code) {
                    guard index + 6 <= raw.count, raw[index] == UInt8(ascii: "\\"), raw[index + 1] == UInt8(ascii: "u")
                    else { throw fail() }
                    index += 2
                    let low = try unit()
                    guard (0xDC00..<0xE000).contains(low) else { throw fail() }
                    code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
                }
                guard let scalar = Unicode.Scalar(code) else { throw fail() }
                text += Array(String(scalar).utf8)
            default: throw fail()
            }
        }
        return String(validating: text, as: UTF8.self)
    }
}
