/// A form of text that reveals a secret, as letters that are recognized in several spellings.
struct SecretForm: Hashable, Sendable {
    /// The extent of a match.
    enum Match: Equatable {
        case none
        /// The whole form, up to `end`.
        case whole(end: Int)
        /// The beginning of the form, where the text ends.
        case part(letters: Int, endsInBreak: Bool)
    }

    /// A spelling of letters.
    private enum Spelling: CaseIterable {
        case plain, percent, json
    }

    /// The minimum length of a secret's line that is hidden on its own.
    private static let shortestLine = 8
    /// The maximum number of spaces and tabs on each side of a line break within a secret.
    private static let longestGap = 64

    private let letters: [Unicode.Scalar]
    private let bytes: [[UInt8]]
    private let isBase64: Bool

    private init(_ text: some StringProtocol, isBase64: Bool = false) {
        // A line may end anywhere, so the line ends of the secret do not matter.
        letters = text.unicodeScalars.filter { $0 != "\n" && $0 != "\r" }
        bytes = letters.map { Array(String($0).utf8) }
        self.isBase64 = isBase64
    }

    /// The bytes with which the form may begin.
    var beginnings: Set<UInt8> {
        guard let first = bytes.first?.first else { return [] }
        // Base64 for URLs uses other characters for two digits.
        let other: [UInt8] = isBase64 ? [UInt8(ascii: "-"), UInt8(ascii: "_")] : []
        return Set([first, UInt8(ascii: "%"), UInt8(ascii: "\\")] + other)
    }

    /// Returns all forms of `secret`.
    static func all(of secret: String) -> Set<SecretForm> {
        let trimmed = String(secret.trimmed)
        var forms: Set<SecretForm> = [SecretForm(trimmed)]
        for text in Set([secret, trimmed]) { forms.formUnion(base64(of: text)) }
        let lines = trimmed.split(whereSeparator: \.isNewline).map { String($0).trimmed }
        if lines.count > 1 {
            for line in lines where line.count >= shortestLine {
                forms.insert(SecretForm(line))
                forms.formUnion(base64(of: String(line)))
            }
        }
        return forms
    }

    /// Returns the base64 digits of `secret` that do not depend on what surrounds it, and the whole encoding of
    /// `secret` alone.
    private static func base64(of secret: String) -> Set<SecretForm> {
        let bytes = Array(secret.utf8)
        var forms: Set<SecretForm> = []
        for shift in 0..<3 {
            let encoded = Base64.encoded([UInt8](repeating: 0, count: shift) + bytes)
            let certain = (shift * 8 + 5) / 6..<((shift + bytes.count) * 8) / 6
            forms.insert(SecretForm(String(encoded[certain]), isBase64: true))
            guard shift == 0 else { continue }
            let filling = String(repeating: "=", count: (3 - bytes.count % 3) % 3)
            for end in ["", filling] { forms.insert(SecretForm(String(encoded) + end, isBase64: true)) }
        }
        return forms
    }

    /// Returns how far `text` matches the form at `start`.
    func match(_ text: UnsafeBufferPointer<UInt8>, at start: Int) -> Match {
        var part = Match.none
        for spelling in Spelling.allCases {
            switch match(text, at: start, spelled: spelling) {
            case .none: break
            case .whole(let end): return .whole(end: end)
            case .part(let letters, let endsInBreak):
                if case .part(let more, _) = part, more >= letters { continue }
                part = .part(letters: letters, endsInBreak: endsInBreak)
            }
        }
        return part
    }

    private func match(_ text: UnsafeBufferPointer<UInt8>, at start: Int, spelled spelling: Spelling) -> Match {
        var place = start
        for index in letters.indices {
            if let next = letter(index, text, place, spelling) {
                guard next <= text.count else { return .part(letters: index, endsInBreak: false) }
                place = next
                continue
            }
            guard index > 0, var next = lineBreak(text, place, spelling) else { return .none }
            // Text that was wrapped where a line of the secret ends has two breaks there.
            next = lineBreak(text, next, spelling) ?? next
            guard next < text.count else { return .part(letters: index, endsInBreak: true) }
            guard let end = letter(index, text, next, spelling) else {
                // A line that was broken at a space has lost that space.
                guard letters[index] == " " else { return .none }
                place = next
                continue
            }
            guard end <= text.count else { return .part(letters: index, endsInBreak: false) }
            place = end
        }
        return .whole(end: place)
    }

    /// Returns the place after a letter at `place`; a place past the end when the text ends within the letter; `nil`
    /// when another letter is there.
    private func letter(
        _ index: Int, _ text: UnsafeBufferPointer<UInt8>, _ place: Int, _ spelling: Spelling
    ) -> Int? {
        switch spelling {
        case .plain: return plain(index, text, place)
        case .percent:
            var place = place
            for byte in bytes[index] {
                guard place < text.count else { return text.count + 1 }
                switch text[place] {
                case UInt8(ascii: "%"):
                    guard let end = same(Self.hex(byte), text, place + 1) else { return nil }
                    place = end
                case UInt8(ascii: "+") where byte == UInt8(ascii: " "), byte: place += 1
                case let found where isSameDigit(found, byte): place += 1
                default: return nil
                }
            }
            return place
        case .json:
            guard place < text.count else { return text.count + 1 }
            guard text[place] == UInt8(ascii: "\\") else {
                // A character that JSON must escape appears only as an escape.
                let mustEscape = letters[index] == "\\" || letters[index] == "\"" || letters[index].value < 0x20
                return mustEscape ? nil : plain(index, text, place)
            }
            var end: Int?
            for escape in Self.escapes(of: letters[index]) {
                guard let next = same(escape, text, place + 1) else { continue }
                end = next
                if next <= text.count { break }
            }
            return end
        }
    }

    private func plain(_ index: Int, _ text: UnsafeBufferPointer<UInt8>, _ place: Int) -> Int? {
        var place = place
        for byte in bytes[index] {
            guard place < text.count else { return text.count + 1 }
            guard text[place] == byte || isSameDigit(text[place], byte) else { return nil }
            place += 1
        }
        return place
    }

    /// Returns the place after `escape`, whose letters match in either case.
    private func same(_ escape: [UInt8], _ text: UnsafeBufferPointer<UInt8>, _ place: Int) -> Int? {
        for (offset, byte) in escape.enumerated() {
            guard place + offset < text.count else { return text.count + 1 }
            guard text[place + offset] == byte || text[place + offset] | 0x20 == byte else { return nil }
        }
        return place + escape.count
    }

    /// Returns the place after a line break at `place`, with the spaces around it; `nil` when there is none.
    private func lineBreak(_ text: UnsafeBufferPointer<UInt8>, _ place: Int, _ spelling: Spelling) -> Int? {
        func behindSpaces(_ place: Int) -> Int {
            var end = place
            while end < text.count, end < place + Self.longestGap, [9, 32].contains(text[end]) { end += 1 }
            return end
        }
        var end = behindSpaces(place)
        guard end < text.count else { return end > place ? end : nil }
        if spelling == .json, text[end] == UInt8(ascii: "\\") {
            if let next = same(Array("r\\n".utf8), text, end + 1), next <= text.count {
                end = next
            } else if let next = same([UInt8(ascii: "n")], text, end + 1), next <= text.count {
                end = next
            } else {
                return nil
            }
            return behindSpaces(end)
        }
        if spelling == .percent, text[end] == UInt8(ascii: "%") {
            for sign in ["0d%0a", "0a"] {
                guard let next = same(Array(sign.utf8), text, end + 1) else { continue }
                return next <= text.count ? next : nil
            }
            return nil
        }
        if text[end] == 13 { end += 1 }
        guard end < text.count else { return end }
        guard text[end] == 10 else { return nil }
        return behindSpaces(end + 1)
    }

    /// Returns whether `found` is how base64 for URLs writes the digit `byte`; two digits differ.
    private func isSameDigit(_ found: UInt8, _ byte: UInt8) -> Bool {
        switch (found, byte) {
        case _ where !isBase64: false
        case (UInt8(ascii: "-"), UInt8(ascii: "+")), (UInt8(ascii: "_"), UInt8(ascii: "/")): true
        default: false
        }
    }

    private static func hex(_ byte: UInt8) -> [UInt8] {
        [byte >> 4, byte & 15].map { $0 < 10 ? UInt8(ascii: "0") + $0 : UInt8(ascii: "a") + $0 - 10 }
    }

    /// Returns the ways to escape a letter in JSON, without the backslash, in lowercase.
    private static func escapes(of letter: Unicode.Scalar) -> [[UInt8]] {
        let units = String(letter).utf16.map { unit in
            [UInt8(ascii: "u")] + hex(UInt8(unit >> 8)) + hex(UInt8(unit & 0xFF))
        }
        var escapes = [Array(units.joined(separator: [UInt8(ascii: "\\")]))]
        switch letter {
        case "\"", "\\", "/": escapes.append([UInt8(letter.value)])
        case "\u{8}": escapes.append([UInt8(ascii: "b")])
        case "\u{C}": escapes.append([UInt8(ascii: "f")])
        case "\n": escapes.append([UInt8(ascii: "n")])
        case "\r": escapes.append([UInt8(ascii: "r")])
        case "\t": escapes.append([UInt8(ascii: "t")])
        default: break
        }
        return escapes
    }
}

/// A base64 encoding without padding.
private enum Base64 {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")

    static func encoded(_ bytes: [UInt8]) -> [Character] {
        var result: [Character] = []
        var (bits, count) = (0, 0)
        for byte in bytes {
            (bits, count) = (bits << 8 | Int(byte), count + 8)
            while count >= 6 {
                count -= 6
                result.append(digits[bits >> count & 63])
            }
            bits &= (1 << count) - 1
        }
        if count > 0 { result.append(digits[bits << (6 - count) & 63]) }
        return result
    }
}
