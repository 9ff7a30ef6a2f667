/// Keeps secrets out of what is shown or stored.
///
/// Every text of a program, a service or user code goes through a filter before anything of it is cut off, since a part
/// of a secret is no longer recognized. Secrets are recognized in whole, without white space around them, in percent
/// encoding, as JSON escapes, in base64 wherever it begins, and broken over several lines.
package struct SecretFilter: Sendable, Hashable {
    /// Shorter values are words of everybody.
    private static let shortest = 4
    /// How much of a text is looked at before it is cut to a much shorter one.
    private static let looked = 1 << 20

    private let secrets: Secret<Set<String>>
    /// The forms by the bytes with which they may begin.
    private let forms: Secret<[[SecretForm]]>

    /// A filter that hides nothing.
    package static let none = SecretFilter([])

    /// A filter for `secrets`, of which those of less than 4 characters are not hidden.
    package init(_ secrets: some Sequence<String>) {
        let secrets = Set(secrets.filter { $0.trimmed.count >= Self.shortest })
        var forms: Set<SecretForm> = []
        for secret in secrets { forms.formUnion(SecretForm.all(of: secret)) }
        var byBeginning = [[SecretForm]](repeating: [], count: 256)
        for form in forms { for byte in form.beginnings { byBeginning[Int(byte)].append(form) } }
        self.secrets = Secret(secrets)
        self.forms = Secret(byBeginning)
    }

    /// A filter for what either of two filters hides.
    package func joined(with other: SecretFilter) -> SecretFilter {
        if other.isEmpty || other == self { return self }
        return isEmpty ? other : SecretFilter(secrets.revealed.union(other.secrets.revealed))
    }

    /// Whether it hides nothing.
    package var isEmpty: Bool { secrets.revealed.isEmpty }

    package static func == (one: SecretFilter, other: SecretFilter) -> Bool { one.secrets == other.secrets }
    package func hash(into hasher: inout Hasher) { hasher.combine(secrets) }

    /// `text` with `***` in place of each secret.
    ///
    /// - Parameter isCut: whether the end of the text may be missing, so that a secret may begin there and not end.
    package func hiding(_ text: String, isCut: Bool = false) -> String {
        guard !isEmpty else { return text }
        var text = text
        // A cut within a character leaves a sign in its place that no secret has.
        while isCut, text.unicodeScalars.last == "\u{FFFD}" { text.unicodeScalars.removeLast() }
        return text.withUTF8 { bytes in
            let found = scan(bytes, isCut: isCut)
            return found.ranges.isEmpty ? nil : String(decoding: Self.masked(bytes, found.ranges), as: UTF8.self)
        } ?? text
    }

    /// The beginning of `text` with secrets hidden, in at most `limit` characters, its control characters escaped.
    package func excerpt(of text: some Collection<UInt8>, characters limit: Int) -> String {
        let start = text.prefix(Self.looked)
        let hidden = hiding(String(decoding: start, as: UTF8.self), isCut: start.endIndex < text.endIndex)
        return String(hidden.prefix(limit)).printable
    }

    // MARK: Looking

    /// Where secrets are in `bytes`, and where one begins that may go on behind its end.
    struct Found {
        /// What to hide, in order; none overlaps another.
        var ranges: [Range<Int>] = []
        /// The beginning of what may become a secret with the bytes that follow; `nil` when there is none.
        var open: Int?
    }

    /// Looks for secrets, and for the beginning of one at the end.
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
                    // A line that ends as a secret begins is not held back for that.
                    if !endsInBreak || letters >= Self.shortest { found.open = found.open ?? start }
                    if isCut, letters >= Self.shortest { found.add(start..<bytes.count) }
                }
            }
        }
        return found
    }

    /// `bytes` with `***` in place of each range.
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
    /// Adds a range that does not begin before the others; what overlaps becomes one.
    fileprivate mutating func add(_ range: Range<Int>) {
        guard let last = ranges.last, range.lowerBound < last.upperBound else { return ranges.append(range) }
        ranges[ranges.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
    }
}

extension String {
    /// The text without white space around it.
    var trimmed: Substring {
        var text = self[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
