/// The ending of a finding about an unknown word: the word that was probably meant, or else the known words.
package struct Suggestion: Sendable {
    /// The known word within 2 edits of the written one (3 if the written word has more than 8 letters): the nearest,
    /// then the alphabetically first.
    package let word: String?
    /// `; did you mean 'X'?`, `; known: a, b` with at most 10 words, or nothing if no word is known.
    package let ending: String

    /// Creates the suggestion for `written` out of `known`.
    package init(for written: String, among known: [String]) {
        let letters = Array(written.unicodeScalars)
        let limit = letters.count > 8 ? 3 : 2
        word = known.compactMap { word in Self.edits(letters, word, atMost: limit).map { ($0, word) } }.min(by: <)?.1
        if let word {
            ending = "; did you mean \(word.quoted)?"
        } else if known.isEmpty {
            ending = ""
        } else {
            let rest = known.count > 10 ? ", …" : ""
            ending = "; known: \(known.prefix(10).map(\.visible).joined(separator: ", "))\(rest)"
        }
    }

    /// Returns how many letters must be added, removed, replaced or swapped with their neighbor to turn one word into
    /// the other; `nil` if more than `limit`.
    static func edits(_ from: [Unicode.Scalar], _ word: String, atMost limit: Int) -> Int? {
        guard abs(from.count - word.unicodeScalars.count) <= limit else { return nil }
        let (to, tooMany) = (Array(word.unicodeScalars), limit + 1)
        // Three rows of the distance table. Only the cells around the diagonal are computed: those further away need
        // more edits than the limit. A letter takes part in only one edit (optimal string alignment).
        var (last, next) = (Array(0...to.count), Array(repeating: tooMany, count: to.count + 1))
        var before = last
        for row in from.indices {
            let columns = max(0, row - limit)..<max(0, min(to.count, row + limit + 1))
            next[columns.lowerBound] = columns.lowerBound == 0 ? row + 1 : tooMany
            var nearest = next[columns.lowerBound]
            for column in columns {
                var least = min(next[column], last[column + 1]) + 1
                least = min(least, last[column] + (from[row] == to[column] ? 0 : 1))
                if row > 0, column > 0, from[row] == to[column - 1], from[row - 1] == to[column] {
                    least = min(least, before[column - 1] + 1)
                }
                next[column + 1] = least
                nearest = min(nearest, least)
            }
            if columns.upperBound < to.count { next[columns.upperBound + 1] = tooMany }
            // A swap of neighbors may still reach past one such row, at the cost of one edit.
            guard nearest <= tooMany else { return nil }
            (before, last, next) = (last, next, before)
        }
        return last[to.count] <= limit ? last[to.count] : nil
    }
}

extension String {
    /// The text in quotes as findings show it: at most 80 characters, nothing that moves a terminal's cursor.
    package var quoted: String { "'\(visible)'" }

    /// The text as findings show it, without quotes.
    package var visible: String {
        let head = unicodeScalars.prefix(80)
        return head.endIndex < unicodeScalars.endIndex ? String(head).printable + "…" : printable
    }

    /// The last line that is not empty, without surrounding whitespace.
    package var lastLine: String {
        let lines = split(whereSeparator: \.isNewline)
        return String(lines.last { !$0.allSatisfy(\.isWhitespace) }.map { String($0).trimmed } ?? "")
    }

    /// The text with its control characters escaped.
    package var printable: String {
        unicodeScalars.contains(where: Self.isControl) ? unicodeScalars.map(Self.escaped).joined() : self
    }

    /// The text with its control characters escaped, except line ends and tabs.
    package var printableLines: String {
        split(separator: "\n", omittingEmptySubsequences: false)
            .map {
                $0.split(separator: "\t", omittingEmptySubsequences: false).map { String($0).printable }.joined(
                    separator: "\t")
            }
            .joined(separator: "\n")
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        isControl(scalar) ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
    }

    /// Returns whether `scalar` is a control character, a line break or a change of the writing direction.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
