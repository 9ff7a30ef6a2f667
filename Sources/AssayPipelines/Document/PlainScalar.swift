import Assay

/// What the plain (unquoted) scalars of a YAML file mean.
enum PlainScalar {
    /// `null`, `~` and nothing are null; `true` and `false` are booleans; what JSON would read as a number is one;
    /// all else is text, so `no`, `0x1F`, `007`, `1:30` and `.nan` stay as they are written.
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

/// The grammar of JSON's numbers, which is that of decimal numbers everywhere in configuration files.
enum DecimalText {
    /// What is said of a number that is well written but too long.
    static let tooLong = "a number has at most 38 digits and a power of ten from -6144 to 6144"

    /// Whether all of `text` is a decimal number, of whatever length.
    static func isNumber(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return length(bytes[...]) == bytes.count
    }

    /// The number that `text` writes; `nil` if it is none or longer than ``tooLong`` says.
    static func number(_ text: String) -> Number? {
        let mantissa = text.utf8.prefix { $0 | 0x20 != UInt8(ascii: "e") }
        let digits = mantissa.filter { $0 &- 48 < 10 }.drop { $0 == 48 }
        return digits.count <= 38 ? Number(text) : nil
    }

    /// How many bytes at the beginning of `bytes` are a decimal number; `nil` if none are.
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
