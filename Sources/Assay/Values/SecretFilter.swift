/// A filter that keeps secrets out of what is shown or stored.
///
/// All text from a program, a service or user code passes through a filter before any of it is cut off, because part of
/// a secret is no longer recognized. Secrets are recognized in whole, without surrounding whitespace, in percent
/// encoding, as JSON escapes, in base64 at any offset, and broken across lines.
package struct SecretFilter: Sendable, Hashable {
    /// The minimum length of a hidden secret; shorter values may be ordinary words.
    private static let shortest = 4
    /// The number of bytes that are scanned before text is cut to a much shorter one.
    private static let looked = 1 << 20

    private let secrets: Secret<Set<String>>
    /// The forms, indexed by the bytes with which they may begin.
    private let forms: Secret<[[SecretForm]]>

    /// A filter that hides nothing.
    package static let none = SecretFilter([])

    /// Creates a filter for `secrets`; those of fewer than 4 characters are not hidden.
    package init(_ secrets: some Sequence<String>) {
        let secrets = Set(secrets.filter { $0.trimmed.count >= Self.shortest })
        var forms: Set<SecretForm> = []
        for secret in secrets { forms.formUnion(SecretForm.all(of: secret)) }
        var byBeginning = [[SecretForm]](repeating: [], count: 256)
        for form in forms { for byte in form.beginnings { byBeginning[Int(byte)].append(form) } }
        self.secrets = Secret(secrets)
        self.forms = Secret(byBeginning)
    }

    /// Returns a filter that hides what either of two filters hides.
    package func joined(with other: SecretFilter) -> SecretFilter {
        if other.isEmpty || other == self { return self }
        return isEmpty ? other : SecretFilter(secrets.revealed.union(other.secrets.revealed))
    }

    /// Whether the filter hides nothing.
    package var isEmpty: Bool { secrets.revealed.isEmpty }

    package static func == (one: SecretFilter, other: SecretFilter) -> Bool { one.secrets == other.secrets }
    package func hash(into hasher: inout Hasher) { hasher.combine(secrets) }

    /// Returns `text` with `***` in place of each secret.
    ///
    /// - Parameter isCut: whether the end of the text may be missing, so that a secret may begin there without ending.
    package func hiding(_ text: String, isCut: Bool = false) -> String {
        guard !isEmpty else { return text }
        var text = text
        // A cut within a character leaves a replacement character, which no secret contains.
        while isCut, text.unicodeScalars.last == "\u{FFFD}" { text.unicodeScalars.removeLast() }
        return text.withUTF8 { bytes in
            let found = scan(bytes, isCut: isCut)
            return found.ranges.isEmpty ? nil : String(decoding: Self.masked(bytes, found.ranges), as: UTF8.self)
        } ?? text
    }

    /// Returns the beginning of `text` with secrets hidden, in at most `limit` characters, with control characters
    /// escaped.
    package func excerpt(of text: some Collection<UInt8>, characters limit: Int) -> String {
        let start = text.prefix(Self.looked)
        let hidden = hiding(String(decoding: start, as: UTF8.self), isCut: start.endIndex < text.endIndex)
        return String(hidden.prefix(limit)).printable
    }

    // MARK: Scanning

    /// The secrets found in a buffer, and the start of one that may continue past its end.
    struct Found {
        /// The ranges to hide, in order; they do not overlap.
        var ranges: [Range<Int>] = []
        /// The start of what may become a secret with the bytes that follow; `nil` when there is none.
        var open: Int?
    }

    /// Scans for secrets, and for the beginning of one at the end.
    ///
    /// - Parameter isCut: whether such a beginning is hidden when it has 4 letters or more.
    func scan(_ bytes: UnsafeBufferPointer<UInt8>, isCut: Bool) -> Found {
        var found = Found()
        let forms = forms.revealed
        for start in bytes.indices {
            for form in forms[Int(bytes[start])] {
                switch form.match(bytes, at: start) {
                case .none: break
                case .whole(let end): found.add(start..<end)
                case .part(let letters, let endsInBreak):
                    // A match that is shorter than any secret and ends in a line break is not held back.
                    if !endsInBreak || letters >= Self.shortest { found.open = found.open ?? start }
                    if isCut, letters >= Self.shortest { found.add(start..<bytes.count) }
                }
            }
        }
        return found
    }

    /// Returns `bytes` with `***` in place of each range.
    static func masked(_ bytes: UnsafeBufferPointer<UInt8>, _ ranges: [Range<Int>]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var next = 0
        for range in ranges {
            result += bytes[next..<range.lowerBound]
            result += "***".utf8
            next = range.upperBound
        }
        result += bytes[next...]
        return result
    }
}

extension SecretFilter.Found {
    /// Adds a range that does not begin before the others; overlapping ranges become one.
    fileprivate mutating func add(_ range: Range<Int>) {
        guard let last = ranges.last, range.lowerBound < last.upperBound else { return ranges.append(range) }
        ranges[ranges.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
    }
}

extension String {
    /// The text without surrounding whitespace.
    var trimmed: Substring {
        var text = self[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
