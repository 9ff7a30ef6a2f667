package import Assay

/// A reader of one value of a configuration file as an expected kind.
///
/// Each method reports a value of another kind and returns `nil`, so that the caller continues with a default and all
/// mistakes of a file are found at once. Findings show texts as written in the file, never with environment variables
/// substituted.
package struct ValueReader {
    /// The value.
    package let node: ConfigurationNode
    /// The name of the value in findings: its key, `timeout`, or its list and index, `input_pipes[0]`.
    package let name: String
    /// The path from the top of the file to the value: `processors[0].timeout`; empty at the top itself.
    package let path: String
    /// The collection to which mistakes are reported.
    package let findings: Findings

    init(_ node: ConfigurationNode, name: String, path: String, findings: Findings) {
        self.node = node
        self.name = name
        self.path = path
        self.findings = findings
    }

    /// Creates a reader of the top of a file.
    init(root: ConfigurationNode, findings: Findings) {
        self.init(root, name: "the file", path: "", findings: findings)
    }

    /// Reports the value with `message`.
    package func report(_ message: String) { findings.report(message, at: node.position) }

    /// Reports the value under `path` within this one, at its key, or at the nearest existing key.
    package func report(_ message: String, under path: [String]) {
        var (node, position) = (node, node.position)
        for key in path {
            switch node.value {
            case .map(let entries):
                guard let entry = entries.first(where: { $0.key == key }) else {
                    return findings.report(message, at: position)
                }
                (node, position) = (entry.value, entry.keyPosition)
            case .list(let elements):
                guard let place = Int(key), elements.indices.contains(place) else {
                    return findings.report(message, at: position)
                }
                (node, position) = (elements[place], elements[place].position)
            default: return findings.report(message, at: position)
            }
        }
        findings.report(message, at: position)
    }

    /// The position of the value for messages of runs: `pipeline.yaml:12`.
    package var place: String { findings.place(of: node.position) }

    /// Warns about the value, which can still be used.
    package func warn(_ message: String) { findings.warn(message, at: node.position) }

    /// Reports that the value is of the wrong kind: `max_retries must be a whole number, found text 'three'`.
    package func expected(_ what: String) { report(rule: what, found: node.summary) }

    /// Reports that the value breaks a rule: `timeout must be greater than 0, found -1s`.
    package func outside(_ rule: String) { report(rule: rule, found: node.plainSummary) }

    private func report(rule: String, found: String) {
        guard node.value != .refused else { return }
        report("\(name) must be \(rule), found \(found)")
    }
}

// MARK: Texts and words

extension ValueReader {
    /// Returns a text with environment variables substituted.
    package func text() -> String? {
        guard case .text(let text) = node.value else {
            expected("text")
            return nil
        }
        return node.resolved?.revealed ?? text
    }

    /// Returns `true` or `false`.
    package func bool() -> Bool? {
        guard case .bool(let value) = node.value else {
            expected("true or false")
            return nil
        }
        return value
    }

    /// Returns the name of an internal object: a processor, a graph, an execution, a port.
    package func identifier() -> Identifier? {
        guard let text = text() else { return nil }
        if let identifier = Identifier(text) { return identifier }
        guard let written = node.json.string else { return nil }
        if !(1...128).contains(text.utf8.count) {
            report("\(name) must be 1 to 128 characters long, found \(text.utf8.count)")
        } else if text.hasPrefix(".") {
            report("\(name) \(written.quoted) must not begin with '.'")
        } else {
            report("\(name) \(written.quoted) may only contain letters, digits, '.', '_' and '-'")
        }
        return nil
    }

    /// Returns the name of an object of the user's domain: an account, an underwriting, an input.
    package func externalID() -> ExternalID? {
        guard let text = text() else { return nil }
        guard let identifier = ExternalID(text) else {
            outside("1 byte to 1 KiB of text without control characters")
            return nil
        }
        return identifier
    }

    /// Returns one of the words `known`; `what` is their kind: `unknown error strategy 'retyr'; did you mean 'retry'?`.
    ///
    /// - Parameter place: the beginning of a finding, such as `connections[0]: `.
    package func word(_ what: String, of known: [String], place: String = "") -> String? {
        guard let text = text() else { return nil }
        guard known.contains(text) else {
            reportUnknown(what, among: known, place: place)
            return nil
        }
        return text
    }

    /// Returns the enumeration case whose raw value is the text.
    package func word<Word: CaseIterable & RawRepresentable<String>>(_ what: String, as type: Word.Type = Word.self)
        -> Word?
    {
        word(what, of: Word.allCases.map(\.rawValue)).flatMap(Word.init(rawValue:))
    }

    /// Reports an unknown word: `unknown processor 'transfrom'; did you mean 'transform'?`.
    ///
    /// - Parameter place: the beginning of the finding, such as `connections[0]: `.
    package func reportUnknown(_ what: String, among known: [String], place: String = "") {
        guard case .text(let written) = node.value else { return }
        report("\(place)unknown \(what) \(written.quoted)\(findings.suggestion(for: written, among: known))")
    }
}

// MARK: Lists and maps

extension ValueReader {
    /// Returns the elements of a list.
    package func list() -> [ValueReader]? {
        guard case .list(let elements) = node.value else {
            expected("a list")
            return nil
        }
        return elements.enumerated().map { index, element in
            ValueReader(element, name: "\(name)[\(index)]", path: "\(path)[\(index)]", findings: findings)
        }
    }

    /// Returns the elements of a list; any other value counts as a list of one element.
    package func oneOrMore() -> [ValueReader] {
        if case .list = node.value { list() ?? [] } else { [self] }
    }

    /// Returns a reader of a map with known keys.
    package func map() -> MapReader? {
        members().map { MapReader($0, of: self) }
    }

    /// Returns a reader of the parameters of `owner`, such as `processor 'a' of type simple`, which findings name.
    package func parameters(of owner: String) -> MapReader? {
        members().map { MapReader($0, of: self, wording: .parameters(of: owner)) }
    }

    /// Returns the keys and values of a map with arbitrary keys, in file order.
    package func entries() -> [(key: String, keyPosition: SourcePosition, value: ValueReader)]? {
        members()?.map { ($0.key, $0.keyPosition, value(of: $0)) }
    }

    /// Returns the value of an entry of this map.
    func value(of entry: ConfigurationNode.Entry) -> ValueReader {
        let name = entry.key.visible
        return ValueReader(
            entry.value, name: name, path: path.isEmpty ? name : "\(path).\(name)", findings: findings)
    }

    private func members() -> [ConfigurationNode.Entry]? {
        guard case .map(let entries) = node.value else {
            expected("a map")
            return nil
        }
        return entries
    }
}
