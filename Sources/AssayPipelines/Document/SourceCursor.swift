/// A converter from byte offsets of a text to lines and columns, in one pass for increasing offsets.
struct SourceCursor {
    private let bytes: [UInt8]
    private var offset = 0
    private var line = 1
    private var column = 1

    /// Creates a cursor at the beginning of `bytes`.
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Returns the position of the byte at `target`, which must not be less than in the previous call.
    mutating func position(of target: Int) -> SourcePosition {
        while offset < target {
            let byte = bytes[offset]
            offset += 1
            if byte == 0x0A {
                (line, column) = (line + 1, 1)
            } else if offset == bytes.count || bytes[offset] & 0xC0 != 0x80 {
                // Count at the last byte of each code point.
                column += 1
            }
        }
        return SourcePosition(line: line, column: column)
    }
}
