/// The way amounts are written in a file.
struct AmountStyle: Hashable, Sendable {
    /// The byte between units and decimals.
    var decimal: UInt8
    /// Whether digits may be grouped (`1,234.56`), by the other mark, a blank or an apostrophe.
    var grouped: Bool
    /// Whether currency signs and letters, brackets, and a trailing sign or `CR`/`DR` are allowed.
    var decorated: Bool

    static let plain = AmountStyle(decimal: UInt8(ascii: "."), grouped: false, decorated: false)
    static let plainComma = AmountStyle(decimal: UInt8(ascii: ","), grouped: false, decorated: false)
    static let printed = AmountStyle(decimal: UInt8(ascii: "."), grouped: true, decorated: true)
    static let printedComma = AmountStyle(decimal: UInt8(ascii: ","), grouped: true, decorated: true)
}

extension Amount {
    /// Reads `text` written as `-1234.56`; `nil` for anything else.
    public init?(_ text: String) {
        var text = text
        let parsed = text.withUTF8 { Amount($0.isEmpty ? Bytes() : Bytes($0), style: .plain) }
        guard let parsed else { return nil }
        self = parsed
    }

    /// Reads the whole of `bytes`, ignoring blanks around it; `nil` if any part is not an amount in that style.
    init?(_ bytes: Bytes, style: AmountStyle) {
        var text = bytes.trimmed()
        var negative = false
        if style.decorated {
            negative = Amount.undecorate(&text)
        }
        if text[0] == UInt8(ascii: "-") || text[0] == UInt8(ascii: "+") {
            if text[0] == UInt8(ascii: "-") { negative.toggle() }
            text = text.dropping(1)
            if style.decorated { Amount.dropCurrency(&text) }
        }
        guard let size = Amount.digits(text, style: style) else { return nil }
        self.init(billionths: negative ? -size : size)
    }

    /// Takes brackets, a trailing sign, `CR`, `DR` and currency marks away; true if they make the amount negative.
    private static func undecorate(_ text: inout Bytes) -> Bool {
        var negative = false
        if text[0] == UInt8(ascii: "("), text.last == UInt8(ascii: ")") {
            negative = true
            text = text.part(1, text.count - 1).trimmed()
        }
        dropCurrency(&text)
        if text.last == UInt8(ascii: "-") {
            negative.toggle()
            text = text.part(0, text.count - 1).trimmed()
        } else if text.hasSuffixIgnoringCase("DR") {
            negative.toggle()
            text = text.part(0, text.count - 2).trimmed()
        } else if text.hasSuffixIgnoringCase("CR") {
            text = text.part(0, text.count - 2).trimmed()
        }
        return negative
    }

    private static func dropCurrency(_ text: inout Bytes) {
        var start = 0
        var end = text.count
        // A currency mark is a dollar, a byte above ASCII (£, €, a hard blank) or an upper case ISO code.
        func isMark(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "$") || byte >= 0x80 }
        while start < end, isMark(text[start]) || text[start] == 0x20 { start += 1 }
        while end > start, isMark(text[end - 1]) || text[end - 1] == 0x20 { end -= 1 }
        if end - start > 3, (start..<start + 3).allSatisfy({ text[$0].isUpper }) { start += 3 }
        if end - start > 3, (end - 3..<end).allSatisfy({ text[$0].isUpper }) { end -= 3 }
        text = text.part(start, end).trimmed()
        if text[0] == UInt8(ascii: "$") { text = text.dropping(1) }
    }

    private static func digits(_ text: Bytes, style: AmountStyle) -> Int128? {
        var units: UInt64 = 0
        var unitDigits = 0
        var group = -1  // digits since the last group mark; -1 before the first
        var index = 0
        scan: while index < text.count {
            let byte = text[index]
            switch byte {
            case 0x30...0x39:
                guard units <= UInt64(Amount.largestUnits) else { return nil }
                units = units * 10 + UInt64(byte - 0x30)
                unitDigits += 1
                if group >= 0 { group += 1 }
            case style.decimal:
                break scan
            case UInt8(ascii: ","), UInt8(ascii: "."), UInt8(ascii: "'"), 0x20:
                guard style.grouped, unitDigits > 0, group == -1 ? unitDigits <= 3 : (2...3).contains(group) else {
                    return nil
                }
                group = 0
            case 0xC2 where style.grouped && text[index + 1] == 0xA0 && unitDigits > 0:
                guard group == -1 ? unitDigits <= 3 : (2...3).contains(group) else { return nil }
                group = 0
                index += 1
            default:
                return nil
            }
            index += 1
        }
        guard group == -1 || group == 3 else { return nil }
        var fraction: UInt64 = 0
        var fractionDigits = 0
        if index < text.count {
            index += 1
            while index < text.count {
                let byte = text[index]
                guard byte.isDigit else { return nil }
                if fractionDigits < 9 {
                    fraction = fraction * 10 + UInt64(byte - 0x30)
                } else if byte != 0x30 {
                    return nil
                }
                fractionDigits += 1
                index += 1
            }
        }
        guard unitDigits + fractionDigits > 0, units <= UInt64(Amount.largestUnits) else { return nil }
        for _ in 0..<max(0, 9 - fractionDigits) { fraction *= 10 }
        return Int128(units) * Amount.one + Int128(fraction)
    }
}
