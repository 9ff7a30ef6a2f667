/// Descriptions made comparable: upper case words, without what changes from one occurrence to the next.
enum NormalisedText {
    /// Returns the words of `text`, single blanks between them.
    ///
    /// Runs of three digits and more, dates, the values of `ID:`, punctuation and `RETRY PYMT` are dropped.
    static func of(_ text: String) -> String {
        var text = text
        return text.withUTF8 { buffer in
            let bytes = Bytes(buffer)
            return String(unsafeUninitializedCapacity: bytes.count) { write(bytes, into: $0) }
        }
    }

    private static func write(_ text: Bytes, into result: UnsafeMutableBufferPointer<UInt8>) -> Int {
        var length = 0
        var index = 0
        while index < text.count {
            let start = index
            guard isWord(text[index]) else {
                index += 1
                continue
            }
            while isWord(text[index]) { index += 1 }
            if text[index] == UInt8(ascii: ":"), index - start == 2, text[start].uppercased == UInt8(ascii: "I"),
                text[start + 1].uppercased == UInt8(ascii: "D")
            {
                while index < text.count, text[index] != 0x20 { index += 1 }
                continue
            }
            if let end = endOfDate(text, from: start, word: index) {
                index = end
                continue
            }
            let before = length
            if length > 0 {
                result[length] = 0x20
                length += 1
            }
            let wordStart = length
            append(text, start, index, to: result, &length)
            let retries = "RETRY PYMT" as StaticString
            if length == wordStart {
                length = before
            } else if length >= 10, Bytes(UnsafeBufferPointer(rebasing: result[length - 10..<length])) == retries {
                length = max(0, length - 11)
            }
        }
        return length
    }

    /// Appends a word in upper case without its long runs of digits.
    private static func append(
        _ text: Bytes, _ start: Int, _ end: Int, to result: UnsafeMutableBufferPointer<UInt8>, _ length: inout Int
    ) {
        var index = start
        while index < end {
            var digits = index
            while digits < end, text[digits].isDigit { digits += 1 }
            if digits - index >= 3 {
                index = digits
                continue
            }
            let stop = max(digits, index + 1)
            while index < stop {
                // Lower case letters of Latin-1 beyond ASCII are C3 A0 to C3 BE.
                let isAccented = text[index - 1] == 0xC3 && (0xA0...0xBE).contains(text[index]) && text[index] != 0xB7
                result[length] = isAccented ? text[index] - 0x20 : text[index].uppercased
                length += 1
                index += 1
            }
        }
    }

    /// Returns the end of a date such as `01/15`, `01-15` or `2025-01-15`, whose first number is the word at `start`.
    private static func endOfDate(_ text: Bytes, from start: Int, word end: Int) -> Int? {
        guard text[end] == UInt8(ascii: "/") || text[end] == UInt8(ascii: "-") || text[end] == UInt8(ascii: ".") else {
            return nil
        }
        guard end - start <= 4, (start..<end).allSatisfy({ text[$0].isDigit }), text[end + 1].isDigit else {
            return nil
        }
        var index = end
        var groups = 1
        while groups < 3, text[index] == text[end], text[index + 1].isDigit {
            index += 1
            let group = index
            while text[index].isDigit { index += 1 }
            if index - group > 4 || text[index].isLetter { return nil }
            groups += 1
        }
        return groups > 1 ? index : nil
    }

    private static func isWord(_ byte: UInt8) -> Bool { byte.isLetter || byte.isDigit || byte >= 0x80 }
}
