import Assay

/// A reader of a map with known keys, which reports missing and unknown keys.
///
/// Ask for every key that the map may have, then call ``finish()``:
/// ```swift
/// guard let node = value.map() else { return }
/// let id = node.required("processor_id")?.identifier()
/// let retries = node["max_retries"]?.integer(in: .atLeast(0)) ?? 3
/// node.finish()
/// ```
package final class MapReader {
    /// The map itself as a value.
    package let value: ValueReader
    private let entries: [ConfigurationNode.Entry]
    private let wording: Wording
    private var known: [String] = []

    init(_ entries: [ConfigurationNode.Entry], of value: ValueReader, wording: Wording = .keys) {
        self.entries = entries
        self.value = value
        self.wording = wording
    }

    /// The wording of findings about the map's keys.
    enum Wording {
        /// `unknown key 'x' in processors[0]`, `processors[0] needs 'x'`.
        case keys
        /// `unknown parameter 'x' of processor 'a' of type simple`, `processor 'a' of type simple needs parameter 'x'`.
        case parameters(of: String)
    }

    /// Returns the value under `key`; `nil` if the map does not have it, or if it is null.
    package subscript(key: String) -> ValueReader? {
        guard let value = given(key), value.node.value != .null else { return nil }
        return value
    }

    /// Returns the value under `key`; reports the map if it does not have one.
    package func required(_ key: String) -> ValueReader? {
        if let value = self[key] { return value }
        // Report a key without a value at the key, and a missing key at the beginning of its map.
        let place = given(key) ?? value
        switch wording {
        case .keys: place.report("\(value.path.isEmpty ? "the file" : value.path) needs '\(key)'")
        case .parameters(let owner): place.report("\(owner) needs parameter '\(key)'")
        }
        return nil
    }

    /// Returns whether the map has `key`, with any value.
    package func contains(_ key: String) -> Bool { given(key) != nil }

    /// Reports every key that was not requested.
    package func finish() {
        let known = Set(known)
        for entry in entries where !known.contains(entry.key) {
            value.findings.report(unknown(entry.key), at: entry.keyPosition)
        }
    }

    private func unknown(_ key: String) -> String {
        let ending = value.findings.suggestion(for: key, among: known)
        return switch wording {
        case .keys where value.path.isEmpty: "unknown key \(key.quoted)\(ending)"
        case .keys: "unknown key \(key.quoted) in \(value.path)\(ending)"
        case .parameters(let owner): "unknown parameter \(key.quoted) of \(owner)\(ending)"
        }
    }

    private func given(_ key: String) -> ValueReader? {
        if !known.contains(key) { known.append(key) }
        return entries.first { $0.key == key }.map(value.value(of:))
    }
}

/// Names that must be unique, with the line on which each first occurs.
package struct UniqueNames {
    private var lines: [String: Int] = [:]

    /// Creates a set without names.
    package init() {}

    /// Takes the name in `value`, or reports it: `processor_id 'a' is already used at line 4`.
    ///
    /// - Returns: whether the name was free.
    @discardableResult
    package mutating func take(_ name: String, from value: ValueReader) -> Bool {
        if let line = lines[name] {
            value.report("\(value.name) \(name.quoted) is already used at line \(line)")
            return false
        }
        lines[name] = value.node.position.line
        return true
    }
}

/// Names in a file that other parts of it refer to. There may be thousands of names and of references.
struct KnownNames {
    private let inOrder: [String]
    private let all: Set<String>

    init(_ names: [String]) { (inOrder, all) = (names, Set(names)) }

    /// Returns the name in `value`, or `nil` after a finding; `what` is the kind of thing it names.
    func name(_ value: ValueReader, _ what: String, place: String) -> String? {
        guard let text = value.text() else { return nil }
        if all.contains(text) { return text }
        value.reportUnknown(what, among: inOrder, place: place)
        return nil
    }
}
