/// A scanner that reads a well-formed XML document tag by tag.
///
/// Foundation's parser on Linux traps on some damaged documents, which a reader of other people's files cannot
/// accept. This one knows what bank messages use: elements, attributes, character data, CDATA, comments and
/// instructions. Document types and entities of one's own are refused.
struct XMLScanner {
    /// How deep elements may be nested.
    static let deepest = 64

    enum Event {
        case open(name: Bytes, attributes: Bytes)
        case text(Bytes)
        case close
        case end
    }

    private let reading: Reading
    private(set) var position = 0
    private var open: [Bytes] = []
    private var hasRoot = false
    private var closesNext = false

    init(_ reading: Reading) {
        self.reading = reading
        if reading.bytes.hasPrefix("\u{FEFF}") { position = 3 }
    }

    /// Returns the next tag or piece of text.
    ///
    /// - Throws: ``StatementError`` `malformed` where the document is not well formed.
    mutating func next() throws(StatementError) -> Event {
        if closesNext {
            closesNext = false
            open.removeLast()
            return .close
        }
        let bytes = reading.bytes
        while position < bytes.count {
            guard bytes[position] == UInt8(ascii: "<") else {
                let end = bytes.firstIndex(of: UInt8(ascii: "<"), from: position) ?? bytes.count
                let text = bytes.part(position, end)
                if open.isEmpty, !text.trimmed().isEmpty { throw malformed("text stands outside the document") }
                position = end
                if open.isEmpty { continue }
                return .text(text)
            }
            switch bytes[position + 1] {
            case UInt8(ascii: "?"): try skip(to: "?>")
            case UInt8(ascii: "!"):
                if bytes.part(position, position + 9) == "<![CDATA[" {
                    let start = position + 9
                    try skip(to: "]]>")
                    return .text(bytes.part(start, position - 3))
                }
                guard bytes.part(position, position + 4) == "<!--" else {
                    throw malformed("document types and entities are refused; export plain camt")
                }
                try skip(to: "-->")
            case UInt8(ascii: "/"): return try closeTag()
            default: return try openTag()
            }
        }
        guard open.isEmpty, hasRoot else { throw malformed("the document is cut off") }
        return .end
    }

    private func malformed(_ reason: String) -> StatementError {
        reading.malformed("\(reason); download the file again", at: position)
    }

    private mutating func skip(to mark: StaticString) throws(StatementError) {
        guard let found = reading.bytes.firstRange(of: mark, from: position + 2) else {
            throw malformed("markup is not closed")
        }
        position = found + mark.utf8CodeUnitCount
    }

    private mutating func closeTag() throws(StatementError) -> Event {
        let bytes = reading.bytes
        guard let end = bytes.firstIndex(of: UInt8(ascii: ">"), from: position), let last = open.last,
            bytes.part(position + 2, end).trimmed().isSame(as: last)
        else { throw malformed("an element is closed that is not open") }
        open.removeLast()
        position = end + 1
        return .close
    }

    private mutating func openTag() throws(StatementError) -> Event {
        let bytes = reading.bytes
        var end = position + 1
        var quote: UInt8 = 0
        while end < bytes.count, quote != 0 || bytes[end] != UInt8(ascii: ">") {
            let byte = bytes[end]
            if byte == UInt8(ascii: "<") { throw malformed("a tag is not closed") }
            if quote == 0, byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                quote = byte
            } else if byte == quote {
                quote = 0
            }
            end += 1
        }
        guard end < bytes.count else { throw malformed("a tag is not closed") }
        closesNext = bytes[end - 1] == UInt8(ascii: "/")
        var nameEnd = position + 1
        while nameEnd < end, bytes[nameEnd] > 0x20, bytes[nameEnd] != UInt8(ascii: "/") { nameEnd += 1 }
        let name = bytes.part(position + 1, nameEnd)
        guard name[0].isLetter || name[0] == UInt8(ascii: "_"), !(open.isEmpty && hasRoot) else {
            throw malformed("\(name.quoted) is no element")
        }
        guard open.count < XMLScanner.deepest else { throw malformed("elements are nested more than 64 deep") }
        open.append(name)
        hasRoot = true
        position = end + 1
        return .open(name: name, attributes: bytes.part(nameEnd, closesNext ? end - 1 : end))
    }
}

extension Bytes {
    func isSame(as other: Bytes) -> Bool {
        guard count == other.count else { return false }
        for index in 0..<count where self[index] != other[index] { return false }
        return true
    }

    /// Returns the value of `name="…"` among a tag's attributes.
    func attribute(_ name: StaticString) -> Bytes? {
        guard let found = firstRange(of: name), self[found - 1] <= 0x20 else { return nil }
        var index = found + name.utf8CodeUnitCount
        while self[index] == 0x20 || self[index] == UInt8(ascii: "=") { index += 1 }
        guard let end = firstIndex(of: self[index], from: index + 1) else { return nil }
        return part(index + 1, end)
    }
}
