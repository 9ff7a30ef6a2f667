import Assay

/// A builder of the tree of a configuration file, which refuses trees beyond the limits.
///
/// Both formats use it, so both have the same limits and the same rule for keys.
struct TreeBuilder {
    static let maximumBytes = 1_048_576
    static let maximumValues = 10_000
    static let maximumDepth = 64

    /// A list or map whose end has not been reached.
    private struct Open {
        let position: SourcePosition
        let isMap: Bool
        /// Whether it is in the position of a key, so that it is dropped when it ends.
        let isKey: Bool
        var elements: [ConfigurationNode] = []
        var entries: [ConfigurationNode.Entry] = []
        var firstLines: [[UInt8]: Int] = [:]
        var key: Key?
    }

    /// A key that waits for its value.
    private enum Key {
        case text(String, SourcePosition)
        /// A reported key, whose value is dropped.
        case refused(SourcePosition)
    }

    /// The collection of findings about mistakes that do not stop the rest from being read.
    let findings: Findings
    /// The finished tree.
    private(set) var root: ConfigurationNode?
    private var open: [Open] = []
    private var values = 0

    init(findings: Findings) { self.findings = findings }

    /// Whether the next value is the key of a map.
    var expectsKey: Bool { open.last.map { $0.isMap && $0.key == nil } ?? false }

    /// Adds a value that is neither list nor map, or the text of a key.
    ///
    /// - Throws: ``Finding`` beyond 10,000 values.
    mutating func add(_ value: ConfigurationNode.Value, at position: SourcePosition) throws(Finding) {
        guard expectsKey else {
            try count(at: position)
            return place(ConfigurationNode(value, at: position))
        }
        switch value {
        case .text(let text): addKey(text, at: position)
        case .refused: open[open.count - 1].key = .refused(position)
        default: refuseKey("non-text keys", at: position)
        }
    }

    /// Adds null in place of a value or key that the file leaves out.
    mutating func addNothing(at position: SourcePosition) throws(Finding) {
        switch open.last?.key {
        case .text(_, let key), .refused(let key): try add(.null, at: key)
        case nil: try add(.null, at: position)
        }
    }

    /// Begins a list or a map, which lasts until the matching ``end()``.
    ///
    /// - Throws: ``Finding`` beyond 64 levels or 10,000 values.
    mutating func begin(map: Bool, at position: SourcePosition) throws(Finding) {
        let isKey = expectsKey
        if isKey { report("non-text keys", at: position) }
        try count(at: position)
        guard open.count < Self.maximumDepth else { throw failure("nested more than 64 deep", at: position) }
        open.append(Open(position: position, isMap: map, isKey: isKey))
    }

    /// Ends the most recently begun list or map.
    mutating func end() {
        guard let closed = open.popLast() else { return }
        guard !closed.isKey else { return open[open.count - 1].key = .refused(closed.position) }
        place(ConfigurationNode(closed.isMap ? .map(closed.entries) : .list(closed.elements), at: closed.position))
    }

    /// Reports that `kind` are not allowed, and drops the key and its value.
    mutating func refuseKey(_ kind: String, at position: SourcePosition) {
        report(kind, at: position)
        open[open.count - 1].key = .refused(position)
    }

    /// Reports that `kind` are not allowed.
    func report(_ kind: String, at position: SourcePosition) {
        findings.report("\(kind) are not allowed", at: position)
    }

    /// Returns a finding that ends reading.
    func failure(_ message: String, at position: SourcePosition?) -> Finding {
        Finding(file: findings.file, position: position, message: message)
    }

    private mutating func count(at position: SourcePosition) throws(Finding) {
        values += 1
        guard values <= Self.maximumValues else { throw failure("more than 10000 values", at: position) }
    }

    private mutating func addKey(_ text: String, at position: SourcePosition) {
        let last = open.count - 1
        // Compare by bytes: the two spellings of an accented letter are two keys, as in JSON values.
        let bytes = Array(text.utf8)
        if let line = open[last].firstLines[bytes] {
            findings.report("key \(text.quoted) is given twice (first at line \(line))", at: position)
            open[last].key = .refused(position)
        } else {
            open[last].firstLines[bytes] = position.line
            open[last].key = .text(text, position)
        }
    }

    private mutating func place(_ node: ConfigurationNode) {
        let last = open.count - 1
        guard last >= 0 else { return root = node }
        guard open[last].isMap else { return open[last].elements.append(node) }
        if case .text(let key, let position) = open[last].key {
            open[last].entries.append(ConfigurationNode.Entry(key: key, keyPosition: position, value: node))
        }
        open[last].key = nil
    }
}
