internal import Assay

/// The mistakes in settings that a person wrote: one finding per mistake, with its key.
public struct SettingsError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One mistake.
    public struct Finding: Hashable, Sendable {
        /// The way to the key or element: `["csv", "leave_out", "0", "as"]`.
        public var path: [String]
        /// The mistake and its remedy.
        public var message: String

        /// Makes a value of its parts.
        public init(path: [String], message: String) { (self.path, self.message) = (path, message) }
    }

    /// The mistakes, in the order in which they were found.
    public var findings: [Finding]

    /// Makes a value of its parts.
    public init(_ findings: [Finding]) { self.findings = findings }

    /// The messages.
    public var description: String { findings.map(\.message).joined(separator: "; ") }
}

/// A reader of settings that collects all mistakes in them.
final class SettingsReader {
    let path: [String]
    private let object: JSONObject
    private var known: [String] = []
    private(set) var findings: [SettingsError.Finding] = []

    init(_ json: JSONValue, path: [String], what: String) throws(SettingsError) {
        guard case .object(let object) = json else {
            throw SettingsError([
                .init(path: path, message: "\(path.joined(separator: ".")) must be \(what), found \(Self.shown(json))")
            ])
        }
        (self.object, self.path) = (object, path)
    }

    /// Ends the reading.
    ///
    /// - Throws: all that is wrong, unknown keys included.
    func finish() throws(SettingsError) {
        for key in object.keys where !known.contains(key) {
            report(key, "unknown key '\(key)'\(Suggestion(for: key, among: known.sorted()).ending)")
        }
        guard findings.isEmpty else { throw SettingsError(findings) }
    }

    /// Returns the value under `key`; `nil` if there is none.
    func value(_ key: String) -> JSONValue? {
        known.append(key)
        guard let value = object[key], value != .null else { return nil }
        return value
    }

    func report(_ key: String, _ message: String) { findings.append(.init(path: path + [key], message: message)) }

    /// Reports what a key must be.
    func must(_ key: String, _ rule: String, _ found: JSONValue) {
        report(key, "\((path + [key]).joined(separator: ".")) must be \(rule), found \(Self.shown(found))")
    }

    func add(_ error: SettingsError) { findings += error.findings }

    func text(_ key: String) -> String? {
        guard let value = value(key) else { return nil }
        guard let text = value.string else {
            must(key, "text", value)
            return nil
        }
        return text
    }

    /// Returns a text, or a number as it is written.
    func amountText(_ key: String) -> String? {
        guard let value = value(key) else { return nil }
        let text = value.string ?? value.number.map { _ in value.json }
        guard let text, Amount(text) != nil else {
            must(key, "an amount such as -1234.56", value)
            return nil
        }
        return text
    }

    func texts(_ key: String) -> [String] {
        guard let value = value(key) else { return [] }
        let elements = value.array ?? [value]
        let texts = elements.compactMap(\.string)
        if texts.count != elements.count { must(key, "a list of texts", value) }
        return texts
    }

    func number(_ key: String, _ range: ClosedRange<Int>) -> Int? {
        guard let value = value(key) else { return nil }
        guard let number = value.number?.integer, range.contains(number) else {
            must(key, "a whole number from \(range.lowerBound) to \(range.upperBound)", value)
            return nil
        }
        return number
    }

    func word<Word: RawRepresentable & CaseIterable>(_ key: String, _ type: Word.Type = Word.self) -> Word?
    where Word.RawValue == String {
        guard let value = value(key) else { return nil }
        if let text = value.string, let word = Word(rawValue: text) { return word }
        let words = Word.allCases.map(\.rawValue)
        let last = words.last ?? ""
        must(key, words.dropLast().joined(separator: ", ") + (words.count > 1 ? " or " : "") + last, value)
        return nil
    }

    func column(_ key: String) -> CSVProfile.Column? {
        guard let value = value(key) else { return nil }
        if let text = value.string, !text.isEmpty { return .name(text) }
        if let number = value.number?.integer, (0..<1000).contains(number) { return .index(number) }
        must(key, "a column's name, or its place from 0 to 999", value)
        return nil
    }

    static func shown(_ value: JSONValue) -> String {
        switch value {
        case .string(let text): "'\(text.prefix(40))'"
        case .null: "nothing"
        case .object: "a map"
        case .array: "a list"
        default: value.json
        }
    }
}
