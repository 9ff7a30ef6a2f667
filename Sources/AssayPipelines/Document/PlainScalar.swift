import Assay

/// The meaning of the plain (unquoted) scalars of a YAML file.
enum PlainScalar {
    /// Returns the value of a plain scalar. `null`, `~` and the empty text are null; `true` and `false` are booleans;
    /// what JSON would read as a number is a number. All else is text, so `no`, `0x1F`, `007`, `1:30` and `.nan` stay
    /// as written.
    ///
    /// - Returns: `nil` for a number that ``DecimalText`` cannot hold.
    static func value(of text: String) -> ConfigurationNode.Value? {
        switch text {
        case "", "~", "null": .null
        case "true": .bool(true)
        case "false": .bool(false)
        default: DecimalText.isNumber(text) ? DecimalText.number(text).map { .number($0) } : .text(text)
        }
    }
}

/// The grammar of JSON's numbers, used for decimal numbers everywhere in configuration files.
enum DecimalText {
    /// The rule for findings about a well-formed number that is too long.
    static let tooLong = "a number has at most 38 digits and a power of ten from -6144 to 6144"

    /// Returns whether all of `text` is a decimal number of any length.
    static func isNumber(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return length(bytes[...]) == bytes.count
    }

    /// Returns the number in `text`; `nil` if it is not a number or is longer than ``tooLong`` allows.
    static func number(_ text: String) -> Number? {
        let mantissa = text.utf8.prefix { $0 | 0x20 != UInt8(ascii: "e") }
        let digits = mantissa.filter { $0 &- 48 < 10 }.drop { $0 == 48 }
        return digits.count <= 38 ? Number(text) : nil
    }

    /// Returns the number of bytes at the beginning of `bytes` that form a decimal number; `nil` if none do.
    static func length(_ bytes: ArraySlice<UInt8>) -> Int? {
        var index = bytes.startIndex
        func next() -> UInt8? { index < bytes.endIndex ? bytes[index] : nil }
        func digits() -> Bool {
            let start = index
            while let byte = next(), byte &- 48 < 10 { index += 1 }
            return index > start
        }
        if next() == UInt8(ascii: "-") { index += 1 }
        if next() == UInt8(ascii: "0") { index += 1 } else if !digits() { return nil }
        if next() == UInt8(ascii: ".") {
            index += 1
            guard digits() else { return nil }
        }
        if let byte = next(), byte | 0x20 == UInt8(ascii: "e") {
            index += 1
            if next() == UInt8(ascii: "-") || next() == UInt8(ascii: "+") { index += 1 }
            guard digits() else { return nil }
        }
        return index - bytes.startIndex
    }
}
