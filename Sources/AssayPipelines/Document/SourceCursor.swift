/// Turns byte offsets of a text into lines and columns, in one pass for offsets that grow.
struct SourceCursor {
    private let bytes: [UInt8]
    private var offset = 0
    private var line = 1
    private var column = 1

    /// A cursor at the beginning of `bytes`.
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Where the byte at `target` stands; `target` is at least that of the call before.
    mutating func position(of target: Int) -> SourcePosition {
        while offset < target {
            let byte = bytes[offset]
            offset += 1
            if byte == 0x0A {
                (line, column) = (line + 1, 1)
            } else if offset == bytes.count || bytes[offset] & 0xC0 != 0x80 {
                // Counted at the last byte of each code point.
                column += 1
            }
        }
        return SourcePosition(line: line, column: column)
    }
}
