/// Text of two-byte units, as some banks' spreadsheets export it.
enum UTF16Text {
    /// Returns the text as UTF-8 if it begins with the mark of UTF-16; half of a pair becomes U+FFFD.
    static func transcoded(_ bytes: Bytes) -> [UInt8]? {
        let isLittle = bytes[0] == 0xFF && bytes[1] == 0xFE
        guard bytes.count >= 2, isLittle || (bytes[0] == 0xFE && bytes[1] == 0xFF) else { return nil }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count / 2)
        let units = stride(from: 2, to: bytes.count - 1, by: 2).lazy.map { index -> UInt16 in
            let (first, second) = (UInt16(bytes[index]), UInt16(bytes[index + 1]))
            return isLittle ? second << 8 | first : first << 8 | second
        }
        _ = transcode(units.makeIterator(), from: UTF16.self, to: UTF8.self, stoppingOnError: false) {
            result.append($0)
        }
        return result
    }
}
