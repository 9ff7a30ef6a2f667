/// A strict JSON reader: one value, no comments, no trailing commas, only the escapes of the standard.
struct JSONReader {
    private let bytes: [UInt8]
    private var index = 0
    private var cursor: SourceCursor
    private var builder: TreeBuilder

    /// Reads all of `bytes`, which are valid UTF-8, into a copy of `builder`.
    ///
    /// - Throws: ``Finding`` where the text cannot be read any further.
    static func read(_ bytes: [UInt8], into builder: TreeBuilder) throws(Finding) -> TreeBuilder {
        var reader = JSONReader(bytes: bytes, cursor: SourceCursor(bytes), builder: builder)
        try reader.value()
        reader.skipSpace()
        guard reader.index == bytes.count else { throw reader.syntaxError("unexpected text after the value") }
        return reader.builder
    }

    private init(bytes: [UInt8], cursor: SourceCursor, builder: TreeBuilder) {
        self.bytes = bytes
        self.cursor = cursor
        self.builder = builder
    }

    private mutating func syntaxError(_ reason: String) -> Finding {
        builder.failure("not valid JSON: \(reason)", at: here)
    }

    private var here: SourcePosition { mutating get { cursor.position(of: index) } }

    private func peek() -> UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func skipSpace() {
        while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { index += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard peek() == byte else { return false }
        index += 1
        return true
    }

    // Recursion is as deep as the builder allows lists and maps to nest.
    private mutating func value() throws(Finding) {
        skipSpace()
        let position = here
        switch peek() {
        case UInt8(ascii: "{"): try map(at: position)
        case UInt8(ascii: "["): try list(at: position)
        case UInt8(ascii: "\""): try builder.add(.text(string()), at: position)
        case nil: throw syntaxError("unexpected end")
        default: try builder.add(scalar(), at: position)
        }
    }

    private mutating func list(at position: SourcePosition) throws(Finding) {
        try builder.begin(map: false, at: position)
        index += 1
        if !take(UInt8(ascii: "]")) {
            repeat { try value() } while take(UInt8(ascii: ","))
            guard take(UInt8(ascii: "]")) else { throw syntaxError("expected ',' or ']'") }
        }
        builder.end()
    }

    private mutating func map(at position: SourcePosition) throws(Finding) {
        try builder.begin(map: true, at: position)
        index += 1
        if !take(UInt8(ascii: "}")) {
            repeat { try entry() } while take(UInt8(ascii: ","))
            guard take(UInt8(ascii: "}")) else { throw syntaxError("expected ',' or '}'") }
        }
        builder.end()
    }

    private mutating func entry() throws(Finding) {
        skipSpace()
        let position = here
        guard peek() == UInt8(ascii: "\"") else { throw syntaxError("expected a key in quotes") }
        try builder.add(.text(string()), at: position)
        guard take(UInt8(ascii: ":")) else { throw syntaxError("expected ':'") }
        try value()
    }

    private mutating func scalar() throws(Finding) -> ConfigurationNode.Value {
        let position = here
        let rest = bytes[index...]
        for (word, value) in [("null", ConfigurationNode.Value.null), ("true", .bool(true)), ("false", .bool(false))]
        where rest.starts(with: word.utf8) {
            index += word.utf8.count
            return value
        }
        guard let length = DecimalText.length(rest) else { throw syntaxError("expected a value") }
        index += length
        if let number = DecimalText.number(String(decoding: rest.prefix(length), as: UTF8.self)) {
            return .number(number)
        }
        builder.findings.report(DecimalText.tooLong, at: position)
        return .refused
    }

    private mutating func string() throws(Finding) -> String {
        index += 1
        var text: [UInt8] = []
        while true {
            let start = index
            while let byte = peek(), byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { index += 1 }
            text += bytes[start..<index]
            switch peek() {
            case UInt8(ascii: "\""):
                index += 1
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): text += String(try escape()).utf8
            case nil: throw syntaxError("unexpected end of a text")
            default: throw syntaxError("control characters in texts must be escaped")
            }
        }
    }

    private mutating func escape() throws(Finding) -> Unicode.Scalar {
        guard index + 1 < bytes.count else { throw syntaxError("unexpected end of a text") }
        let simple: Unicode.Scalar? =
            switch bytes[index + 1] {
            case UInt8(ascii: "\""): "\""
            case UInt8(ascii: "\\"): "\\"
            case UInt8(ascii: "/"): "/"
            case UInt8(ascii: "b"): "\u{8}"
            case UInt8(ascii: "f"): "\u{C}"
            case UInt8(ascii: "n"): "\n"
            case UInt8(ascii: "r"): "\r"
            case UInt8(ascii: "t"): "\t"
            default: nil
            }
        if let simple {
            index += 2
            return simple
        }
        guard let unit = unit(at: index) else { throw syntaxError("not an escape") }
        if let scalar = Unicode.Scalar(unit) {
            index += 6
            return scalar
        }
        // The first half of a pair must be followed by the second.
        guard unit < 0xDC00, let low = self.unit(at: index + 6), (0xDC00..<0xE000).contains(low),
            let scalar = Unicode.Scalar(0x10000 + (UInt32(unit) - 0xD800) << 10 + (UInt32(low) - 0xDC00))
        else { throw syntaxError("half of a surrogate pair") }
        index += 12
        return scalar
    }

    /// Returns the code unit of the `\uXXXX` at `start`.
    private func unit(at start: Int) -> UInt16? {
        guard start + 6 <= bytes.count, bytes[start] == UInt8(ascii: "\\"), bytes[start + 1] == UInt8(ascii: "u") else {
            return nil
        }
        var unit: UInt16 = 0
        for byte in bytes[start + 2..<start + 6] {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): unit = unit << 4 | UInt16(byte & 15)
            case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"):
                unit = unit << 4 | UInt16(byte & 15 + 9)
            default: return nil
            }
        }
        return unit
    }
}
