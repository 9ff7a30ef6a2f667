extension Bytes {
    /// The longest text, in bytes, that is kept of a field; the rest is cut.
    static let longestText = 1024

    /// The text of the bytes as data: blanks around it and control characters removed, at most 1 KiB.
    ///
    /// Bytes that are not UTF-8 are read as Windows-1252.
    var text: String {
        var cut = trimmed()
        if cut.count > Bytes.longestText {
            var end = Bytes.longestText
            while end > 0, cut[end] & 0xC0 == 0x80 { end -= 1 }
            cut = cut.part(0, end)
        }
        guard !cut.isPlain else { return cut.withBuffer { String(decoding: $0, as: UTF8.self) } }
        let decoded = cut.isUTF8 ? cut.withBuffer { String(decoding: $0, as: UTF8.self) } : cut.windows1252
        var result = String.UnicodeScalarView()
        for scalar in decoded.unicodeScalars where !scalar.isControl { result.append(scalar) }
        return String(result)
    }

    /// A short quotation for an error message.
    var quoted: String { "'\(part(0, 40).text)'" }

    private var isPlain: Bool {
        withBuffer { $0.allSatisfy { $0 &- 0x20 < 0x5F } }
    }

    var isUTF8: Bool { firstInvalidUTF8 == nil }

    /// Where the bytes first stop being UTF-8.
    var firstInvalidUTF8: Int? {
        withBuffer { buffer in
            guard let start = buffer.baseAddress else { return nil }
            var index = 0
            while index < buffer.count {
                let lead = buffer[index]
                if lead < 0x80 {
                    index += 1
                    // Nearly all of a file is ASCII, eight bytes of which are looked at at once.
                    while index + 8 <= buffer.count,
                        UnsafeRawPointer(start + index).loadUnaligned(as: UInt64.self) & 0x8080_8080_8080_8080 == 0
                    {
                        index += 8
                    }
                    continue
                }
                let length: Int
                switch lead {
                case 0xC2...0xDF: length = 2
                case 0xE0...0xEF: length = 3
                case 0xF0...0xF4: length = 4
                default: return index
                }
                guard index + length <= buffer.count else { return index }
                for next in index + 1..<index + length where buffer[next] & 0xC0 != 0x80 { return index }
                let second = buffer[index + 1]
                if (lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) || (lead == 0xF0 && second < 0x90)
                    || (lead == 0xF4 && second > 0x8F)
                {
                    return index
                }
                index += length
            }
            return nil
        }
    }

    /// The bytes as Windows-1252; the five codes it leaves open become U+FFFD.
    private var windows1252: String {
        let high: [UInt32] = [
            0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152,
            0xFFFD, 0x017D, 0xFFFD, 0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122,
            0x0161, 0x203A, 0x0153, 0xFFFD, 0x017E, 0x0178,
        ]
        var result = String.UnicodeScalarView()
        withBuffer { buffer in
            for byte in buffer {
                let code = byte &- 0x80 < 32 ? high[Int(byte &- 0x80)] : UInt32(byte)
                result.append(Unicode.Scalar(code) ?? "\u{FFFD}")
            }
        }
        return String(result)
    }
}

extension Unicode.Scalar {
    /// Whether the scalar is a control character or changes the direction of text.
    var isControl: Bool {
        value < 0x20 || (0x7F...0x9F).contains(value) || (0x202A...0x202E).contains(value)
            || (0x2066...0x2069).contains(value)
    }
}
