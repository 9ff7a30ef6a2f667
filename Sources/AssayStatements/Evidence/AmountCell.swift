/// An amount as it is written, before its decimal mark is known.
struct AmountCell {
    /// Whether it contains a point.
    private(set) var writesPoint = false

    /// The direction of money, if the written amount tells it.
    enum Mark: UInt8 {
        case none, credit, debit
    }

    /// All digits as one number.
    private var digits: Int128 = 0
    /// The number of digits after the decimal mark.
    private(set) var places = Places()
    /// Whether brackets and minus signs make it negative.
    private(set) var isNegative = false
    /// Whether a plus sign precedes it.
    private(set) var hasPlus = false
    /// The `CR` or `DR` after it.
    private(set) var mark = Mark.none
    /// The currency that a sign or a code beside the digits names.
    private(set) var currency: CurrencyCode?

    /// The number of digits after the decimal mark, if that is a point or a comma; -1 if it cannot be one.
    struct Places: Equatable {
        fileprivate(set) var afterPoint: Int8 = -1
        fileprivate(set) var afterComma: Int8 = -1

        fileprivate func after(_ decimal: UInt8) -> Int8 { decimal == DecimalChoice.comma ? afterComma : afterPoint }

        /// Returns the value of the last digit with `decimal` as decimal mark, in billionths; 0 if it cannot be read
        /// that way.
        func unit(decimal: UInt8) -> Int64 {
            let places = Int(after(decimal))
            return (0...9).contains(places) ? Int64(Amount.power(9 - places)) : 0
        }
    }

    /// The digits as one number with its sign, if they are few enough and none is smaller than a billionth.
    var shortNumber: Int64? {
        guard digits <= Int128(Int64.max), places.afterPoint <= 9, places.afterComma <= 9 else { return nil }
        return isNegative ? -Int64(digits) : Int64(digits)
    }

    /// The content of a cell.
    enum Content {
        /// Nothing: blanks or a lone dash.
        case none
        case amount(AmountCell)
        case other
    }

    /// Reads a cell in any of the ways that banks write amounts.
    static func content(_ bytes: Bytes) -> Content {
        let text = bytes.trimmed()
        if text.isEmpty { return .none }
        guard text.count <= 64 else { return .other }
        if let cell = AmountCell(simple: text) { return .amount(cell) }
        if text.withBuffer({ $0.allSatisfy { $0 < 0x80 } }) { return content(ascii: text) }
        // Everything beyond ASCII that amounts are written with has a sign of ASCII that means the same.
        let plain = AmountCell.plain(text.withBuffer { String(decoding: $0, as: UTF8.self) })
        return plain.withUnsafeBufferPointer { content(ascii: Bytes($0).trimmed()) }
    }

    /// Returns the amount that `bytes` are, if the marks leave no doubt or `decimal` settles it.
    static func amount(_ bytes: Bytes, decimal: UInt8 = UInt8(ascii: ".")) -> Amount? {
        guard case .amount(let cell) = content(bytes) else { return nil }
        return cell.value(decimal: decimal)
    }

    var isZero: Bool { digits == 0 }

    /// Returns whether it can be read with `decimal` before the decimals.
    func allows(_ decimal: UInt8) -> Bool { places.after(decimal) >= 0 }

    /// Whether the two readings differ.
    var isAmbiguous: Bool {
        places.afterPoint >= 0 && places.afterComma >= 0 && places.afterPoint != places.afterComma
    }

    /// Returns the signed amount with `decimal` before the decimals; `nil` if it cannot be read so, or is out of range.
    func value(decimal: UInt8) -> Amount? {
        var places = Int(self.places.after(decimal))
        guard places >= 0 else { return nil }
        var digits = digits
        while places > 9 {
            guard digits % 10 == 0 else { return nil }
            digits /= 10
            places -= 1
        }
        return Amount(minor: isNegative ? -digits : digits, places: places)
    }

    // MARK: Reading

    init() {}

    /// Reads an amount as nearly all are written: digits with at most one mark, which cannot separate groups.
    private init?(simple text: Bytes) {
        let isMinus = text[0] == UInt8(ascii: "-")
        let start = isMinus ? 1 : 0
        guard (start + 1...start + 18).contains(text.count) else { return nil }
        var number: UInt64 = 0
        var mark: UInt8 = 0
        var place = 0
        for index in start..<text.count {
            let byte = text[index]
            if byte.isDigit {
                number = number * 10 + UInt64(byte - 0x30)
            } else if mark == 0, byte == DecimalChoice.point || byte == DecimalChoice.comma {
                (mark, place) = (byte, index)
            } else {
                return nil
            }
        }
        var after = 0
        if mark != 0 {
            after = text.count - place - 1
            guard place > start, after > 0, after != 3 else { return nil }
        }
        digits = Int128(number)
        isNegative = isMinus
        writesPoint = mark == DecimalChoice.point
        places = Places(
            afterPoint: mark == DecimalChoice.comma ? -1 : Int8(after),
            afterComma: mark == DecimalChoice.point ? -1 : Int8(after))
    }

    private static func plain(_ text: String) -> [UInt8] {
        var result: [UInt8] = []
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x200B, 0xFEFF, 0x200E, 0x200F: break
            case 0xA0, 0x1680, 0x2000...0x200A, 0x202F, 0x205F, 0x3000: result.append(0x20)
            case 0x2010...0x2015, 0x2212, 0xFE63, 0xFF0D, 0xAD: result.append(UInt8(ascii: "-"))
            case 0x2018, 0x2019, 0x2BC, 0xB4, 0x2032: result.append(UInt8(ascii: "'"))
            case 0x20AC: result += "EUR".utf8
            case 0x20B9: result += "INR".utf8
            case 0x142: result.append(UInt8(ascii: "l"))
            case 0x10D: result.append(UInt8(ascii: "c"))
            default:
                if scalar.value < 0x80 {
                    result.append(UInt8(scalar.value))
                } else if scalar.properties.generalCategory == .currencySymbol {
                    result.append(UInt8(ascii: "$"))
                } else {
                    result.append(0xFF)
                }
            }
        }
        return result
    }

    private static func content(ascii bytes: Bytes) -> Content {
        var text = bytes
        if text.isEmpty { return .none }
        var cell = AmountCell()
        guard cell.takeMarks(of: &text) else { return .other }
        if text.isEmpty {
            // A lone dash means an empty cell.
            return bytes.count == 1 && bytes[0] == UInt8(ascii: "-") ? .none : .other
        }
        guard cell.takeDigits(text) else { return .other }
        return .amount(cell)
    }

    /// Takes signs, brackets, currencies and `CR`/`DR` off both ends; false if brackets do not match.
    private mutating func takeMarks(of text: inout Bytes) -> Bool {
        var brackets = 0
        while !text.isEmpty {
            let first = text[0]
            if first.isDigit || first == UInt8(ascii: ".") || first == UInt8(ascii: ",") { break }
            if first == UInt8(ascii: "-") {
                isNegative.toggle()
            } else if first == UInt8(ascii: "+") {
                hasPlus = true
            } else if first == UInt8(ascii: "(") {
                brackets += 1
                isNegative.toggle()
            } else if first != 0x20 {
                guard let length = takeCurrency(text, atEnd: false) else { return false }
                text = text.dropping(length)
                continue
            }
            text = text.dropping(1)
        }
        while !text.isEmpty {
            let last = text.last
            if last.isDigit || last == UInt8(ascii: ".") && !isDecorated(text) || last == UInt8(ascii: ",") { break }
            if last == UInt8(ascii: "-") {
                isNegative.toggle()
            } else if last == UInt8(ascii: "+") {
                hasPlus = true
            } else if last == UInt8(ascii: ")") {
                brackets -= 1
            } else if last != 0x20 {
                guard let length = takeCurrency(text, atEnd: true) else { return false }
                text = text.part(0, text.count - length)
                continue
            }
            text = text.part(0, text.count - 1)
        }
        return brackets == 0
    }

    /// Returns whether the point at the end belongs to letters, as in `kr.`.
    private func isDecorated(_ text: Bytes) -> Bool { text[text.count - 2].isLetter }

    /// Returns the length of the currency, `CR` or `DR` at that end; `nil` if there is none.
    private mutating func takeCurrency(_ text: Bytes, atEnd: Bool) -> Int? {
        func isSign(_ byte: UInt8) -> Bool { byte.isLetter || byte == UInt8(ascii: "$") }
        let word: Bytes
        if atEnd {
            var start = text.last == UInt8(ascii: ".") ? text.count - 1 : text.count
            while start > 0, isSign(text[start - 1]) { start -= 1 }
            word = text.part(start, text.count)
        } else {
            var end = 0
            while isSign(text[end]) { end += 1 }
            // The point of `Rs.100` belongs to the abbreviation, that of `$.50` to the amount.
            if text[end] == UInt8(ascii: "."), end > 1, end != 3, text[end - 1].isLetter { end += 1 }
            word = text.part(0, end)
        }
        let length = word.count
        guard length > 0, length <= 5 else { return nil }
        if atEnd, mark == .none {
            if word.isWord("CR") || word.isWord("CR.") {
                mark = .credit
                return length
            }
            if word.isWord("DR") || word.isWord("DR.") {
                mark = .debit
                isNegative.toggle()
                return length
            }
        }
        guard let found = CurrencyCode.named(word) else { return nil }
        if case .code(let code) = found { currency = currency ?? code }
        return length
    }

    /// More are a reference, and no amount.
    private static let mostDigits = 30

    private mutating func takeDigits(_ text: Bytes) -> Bool {
        var reading = (point: GroupCheck(decimal: UInt8(ascii: ".")), comma: GroupCheck(decimal: UInt8(ascii: ",")))
        var count = 0
        for index in 0..<text.count {
            let byte = text[index]
            if byte.isDigit {
                count += 1
                guard count <= AmountCell.mostDigits else { return false }
                digits = digits * 10 + Int128(byte - 0x30)
            }
            if byte == DecimalChoice.point { writesPoint = true }
            reading.point.see(byte)
            reading.comma.see(byte)
        }
        guard count > 0 else { return false }
        places = Places(afterPoint: reading.point.result, afterComma: reading.comma.result)
        return places.afterPoint >= 0 || places.afterComma >= 0
    }

    /// A check that digits and marks form an amount under one reading of the marks.
    private struct GroupCheck {
        let decimal: UInt8
        private var group: UInt8 = 0
        private var run = 0
        private var units = 0
        private var beginsWithZero = false
        private var fraction = -1
        private var isValid = true

        init(decimal: UInt8) { self.decimal = decimal }

        mutating func see(_ byte: UInt8) {
            if byte.isDigit {
                if fraction >= 0 {
                    fraction += 1
                } else {
                    if units == 0 { beginsWithZero = byte == 0x30 }
                    units += 1
                    run += 1
                }
                return
            }
            if byte == decimal, fraction < 0 {
                closeGroup(isLast: true)
                fraction = 0
                return
            }
            let isGroup =
                byte == UInt8(ascii: ",") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "'") || byte == 0x20
            guard isGroup, byte != decimal, fraction < 0, units > 0, group == 0 || group == byte else {
                isValid = false
                return
            }
            if group == 0 {
                if run > 3 || beginsWithZero { isValid = false }
            } else {
                closeGroup(isLast: false)
            }
            group = byte
            run = 0
        }

        private mutating func closeGroup(isLast: Bool) {
            guard group != 0 else { return }
            if isLast ? run != 3 : !(2...3).contains(run) { isValid = false }
        }

        var result: Int8 {
            var check = self
            if fraction < 0 { check.closeGroup(isLast: true) }
            return check.isValid ? Int8(clamping: max(fraction, 0)) : -1
        }
    }
}

extension Bytes {
    /// Returns whether the bytes are `word`, in upper or lower case.
    func isWord(_ word: StaticString) -> Bool {
        count == word.utf8CodeUnitCount && hasPrefixIgnoringCase(word)
    }
}
