public import Assay

/// A change of one value of a pipeline definition: `budget.limit=25.00`, `processors.NAME.parameters.KEY=VALUE`.
///
/// ``Pipeline/load(definition:path:registry:environment:overrides:warn:)`` checks whether the result is valid.
public struct DefinitionChange: Hashable, Sendable {
    /// The keys on the path to the value, as written between dots.
    public let path: [String]
    /// The new value.
    public let value: JSONValue

    /// Parses `text` as a change. The value is read as a plain scalar of YAML, or as JSON if it begins like JSON.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` for another form.
    public init(_ text: String) throws(ProcessingError) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let path = parts[0].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, path.allSatisfy({ !$0.isEmpty }) else {
            throw ProcessingError(.configuration, "a change is written as key.key=value, found \(text.quoted)")
        }
        self.path = path
        value = try Self.value(of: String(parts[1]))
    }

    private static func value(of text: String) throws(ProcessingError) -> JSONValue {
        if let first = text.first, "{[\"".contains(first) {
            do { return try JSONValue(json: text) } catch {
                throw ProcessingError(.configuration, "the value \(text.quoted) is not valid JSON: \(error)")
            }
        }
        switch PlainScalar.value(of: text) {
        case .bool(let flag)?: return .bool(flag)
        case .number(let number)?: return .number(number)
        case .text(let text)?: return .string(text)
        case .null?: return .null
        default: throw ProcessingError(.configuration, "the value \(text.quoted) is refused: \(DecimalText.tooLong)")
        }
    }

    /// Returns the definition with the change; missing maps on the path are created.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` if the path leads through a value that is not a map, or
    ///   to a processor that does not exist.
    public func applied(to definition: JSONValue) throws(ProcessingError) -> JSONValue {
        try changed(definition, path[...])
    }

    private func changed(_ old: JSONValue, _ rest: ArraySlice<String>) throws(ProcessingError) -> JSONValue {
        guard let key = rest.first else { return value }
        switch old {
        case .object(var object):
            object[key] = try changed(Self.opened(object[key] ?? .null, under: key, rest.count), rest.dropFirst())
            return .object(object)
        case .array(var elements):
            // A single budget needs no name, in a list or not.
            if rest.count == 1, path.first == "budget", elements.count == 1 {
                return .array([try changed(elements[0], rest)])
            }
            let (index, length) = try place(in: elements, rest)
            elements[index] = try changed(elements[index], rest.dropFirst(length))
            return .array(elements)
        case .null: return .object([key: try changed(.null, rest.dropFirst())])
        default:
            let way = path.dropLast(rest.count).joined(separator: ".")
            throw ProcessingError(
                .configuration, "\(name.quoted) cannot be set: \(way.quoted) is a single value and has no keys")
        }
    }

    /// Expands a runner that is written as a word into a map with its type.
    private static func opened(_ value: JSONValue, under key: String, _ left: Int) -> JSONValue {
        guard key == "runner", left > 1, case .string = value else { return value }
        return ["type": value]
    }

    /// Returns the element that the next words name and the number of those words: names of processors may have dots.
    private func place(
        in elements: [JSONValue], _ rest: ArraySlice<String>
    ) throws(ProcessingError) -> (index: Int, length: Int) {
        for length in (1...rest.count).reversed() {
            let name = rest.prefix(length).joined(separator: ".")
            if let index = elements.firstIndex(where: { self.name(of: $0) == name }) { return (index, length) }
        }
        let known = elements.compactMap(self.name)
        let longest = known.map { $0.split(separator: ".").count }.max() ?? 1
        let word = rest.prefix(longest).joined(separator: ".")
        throw ProcessingError(
            .configuration,
            "\(name.quoted) cannot be set: there is no \(word.quoted)\(Suggestion(for: word, among: known).ending)")
    }

    /// Returns the name of a list element: the id of a processor, the name of a budget.
    private func name(of element: JSONValue) -> String? {
        guard path.first == "budget" else { return element["processor_id"]?.string }
        return element["name"]?.string ?? Budget.standardName
    }

    /// The path as written.
    public var name: String { path.joined(separator: ".") }
}
