import Assay

extension String {
    /// The text with everything escaped that could move a cursor, change colours or turn the direction of writing.
    package var safe: String {
        guard unicodeScalars.contains(where: \.isUnsafe) else { return self }
        var text = ""
        for scalar in unicodeScalars {
            switch scalar {
            case "\n": text += "\\n"
            case "\t": text += "\\t"
            case "\r": text += "\\r"
            case _ where scalar.isUnsafe: text += "\\u{\(String(scalar.value, radix: 16))}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    /// JSON text in which what a terminal would act on is written as `\uXXXX`; the value stays the same, and lines end where
    /// they did, since values hold no line breaks.
    package var safeJSON: String {
        func isUnsafe(_ scalar: Unicode.Scalar) -> Bool { scalar.isUnsafe && scalar != "\n" }
        guard unicodeScalars.contains(where: isUnsafe) else { return self }
        var text = ""
        for scalar in unicodeScalars {
            if isUnsafe(scalar) {
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    /// How many columns of a terminal the text takes.
    package var columns: Int { reduce(0) { $0 + $1.columns } }

    /// The text, or its beginning and `…`, in at most `width` columns.
    package func cut(toColumns width: Int) -> String {
        guard columns > width else { return self }
        var (text, used) = ("", 0)
        for character in self {
            guard used + character.columns < width else { break }
            text.append(character)
            used += character.columns
        }
        return width > 0 ? text + "…" : ""
    }

    /// The text, or `…` and its end, in at most `width` columns.
    package func tail(inColumns width: Int) -> String {
        guard columns > width else { return self }
        return "…" + String(String(reversed()).cut(toColumns: width).dropLast().reversed())
    }
}

extension Unicode.Scalar {
    /// Control characters, line and paragraph separators, and what turns the direction of writing.
    fileprivate var isUnsafe: Bool {
        switch value {
        case 0..<0x20, 0x7F..<0xA0, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}

extension Character {
    /// 2 for what East Asian scripts and pictures take, 0 for what only changes the character before, else 1.
    fileprivate var columns: Int {
        guard let scalar = unicodeScalars.first else { return 0 }
        switch scalar.value {
        case 0x0300...0x036F, 0x200B...0x200D, 0xFE00...0xFE0F: return 0
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
            0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF,
            0x20000...0x3FFFD:
            return 2
        default: return 1
        }
    }
}

/// What is said at the end of a complaint about an unknown word.
enum Nearest {
    /// `; did you mean 'X'?`, else `; known: a, b`.
    static func ending(for word: String, among known: [String]) -> String {
        Suggestion(for: word, among: known).ending
    }
}
