package import Assay

/// Reads one value of a configuration file as what it should be.
///
/// Each method returns `nil` for a value that is something else, after reporting it, so that the caller goes on with
/// a default and all mistakes of a file are found at once. Findings show texts as they stand in the file, never what
/// environment variables put into them.
package struct ValueReader {
    /// The value.
    package let node: ConfigurationNode
    /// What findings call the value: its key, `timeout`, or its list and place in it, `input_pipes[0]`.
    package let name: String
    /// The way from the file's top to the value: `processors[0].timeout`; empty at the top itself.
    package let path: String
    /// Where mistakes are reported.
    package let findings: Findings

    init(_ node: ConfigurationNode, name: String, path: String, findings: Findings) {
        self.node = node
        self.name = name
        self.path = path
        self.findings = findings
    }

    /// The top of a file.
    init(root: ConfigurationNode, findings: Findings) {
        self.init(root, name: "the file", path: "", findings: findings)
    }

    /// Reports what is wrong with the value, in words of the caller.
    package func report(_ message: String) { findings.report(message, at: node.position) }

    /// Reports what is wrong with what stands under `path` in the value: at its key, or as near to it as there is one.
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

    /// Where the value stands, for messages of runs: `pipeline.yaml:12`.
    package var place: String { findings.place(of: node.position) }

    /// Warns of the value, which can be used all the same.
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
    /// A text, with environment variables put in.
    package func text() -> String? {
        guard case .text(let text) = node.value else {
            expected("text")
            return nil
        }
        return node.resolved?.revealed ?? text
    }

    /// `true` or `false`.
    package func bool() -> Bool? {
        guard case .bool(let value) = node.value else {
            expected("true or false")
            return nil
        }
        return value
    }

    /// A name of something of the machine: a processor, a graph, an execution, a port.
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

    /// A name of something of the user's world: an account, an underwriting, an input.
    package func externalID() -> ExternalID? {
        guard let text = text() else { return nil }
        guard let identifier = ExternalID(text) else {
            outside("1 byte to 1 KiB of text without control characters")
            return nil
        }
        return identifier
    }

    /// One of the words `known`; `what` says what they are: `unknown error strategy 'retyr'; did you mean 'retry'?`.
    ///
    /// - Parameter place: what goes before in a finding, such as `connections[0]: `.
    package func word(_ what: String, of known: [String], place: String = "") -> String? {
        guard let text = text() else { return nil }
        guard known.contains(text) else {
            reportUnknown(what, among: known, place: place)
            return nil
        }
        return text
    }

    /// The case of an enumeration whose raw value the text is.
    package func word<Word: CaseIterable & RawRepresentable<String>>(_ what: String, as type: Word.Type = Word.self)
        -> Word?
    {
        word(what, of: Word.allCases.map(\.rawValue)).flatMap(Word.init(rawValue:))
    }

    /// Reports a word that names nothing: `unknown processor 'transfrom'; did you mean 'transform'?`.
    ///
    /// - Parameter place: what goes before, such as `connections[0]: `.
    package func reportUnknown(_ what: String, among known: [String], place: String = "") {
        guard case .text(let written) = node.value else { return }
        report("\(place)unknown \(what) \(written.quoted)\(findings.suggestion(for: written, among: known))")
    }
}

// MARK: Lists and maps

extension ValueReader {
    /// The elements of a list.
    package func list() -> [ValueReader]? {
        guard case .list(let elements) = node.value else {
            expected("a list")
            return nil
        }
        return elements.enumerated().map { index, element in
            ValueReader(element, name: "\(name)[\(index)]", path: "\(path)[\(index)]", findings: findings)
        }
    }

    /// The elements of a list; any other value counts as a list of its own.
    package func oneOrMore() -> [ValueReader] {
        if case .list = node.value { list() ?? [] } else { [self] }
    }

    /// A map whose keys are known.
    package func map() -> MapReader? {
        members().map { MapReader($0, of: self) }
    }

    /// A map of the parameters of `owner`, such as `processor 'a' of type simple`, which findings name.
    package func parameters(of owner: String) -> MapReader? {
        members().map { MapReader($0, of: self, wording: .parameters(of: owner)) }
    }

    /// The keys and values of a map whose keys are the user's, in the order of the file.
    package func entries() -> [(key: String, keyPosition: SourcePosition, value: ValueReader)]? {
        members()?.map { ($0.key, $0.keyPosition, value(of: $0)) }
    }

    /// The value of an entry of this map.
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
