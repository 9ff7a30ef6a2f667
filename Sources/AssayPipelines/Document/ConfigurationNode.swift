package import Assay
import Foundation

/// A position in a configuration file, as editors count it.
package struct SourcePosition: Hashable, Sendable, Comparable {
    /// The line, from 1.
    package let line: Int
    /// The column in Unicode code points, from 1.
    package let column: Int

    /// Creates the position at `line` and `column`, both from 1.
    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    /// The beginning of a file.
    package static let start = SourcePosition(line: 1, column: 1)

    package static func < (left: SourcePosition, right: SourcePosition) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// A value of a configuration file and its position.
package struct ConfigurationNode: Hashable, Sendable {
    /// The kind and the content of a value.
    package enum Value: Hashable, Sendable {
        case null
        case bool(Bool)
        /// A decimal number with the digits of the file.
        case number(Number)
        case text(String)
        case list([ConfigurationNode])
        /// The entries in file order; no key occurs twice.
        case map([Entry])
        /// A value that has already been reported; readers skip it silently.
        case refused
    }

    /// One key of a map with its value.
    package struct Entry: Hashable, Sendable {
        /// The key.
        package let key: String
        /// The position of the key.
        package let keyPosition: SourcePosition
        /// The value under the key.
        package internal(set) var value: ConfigurationNode
    }

    /// The value as written in the file, before environment variables are substituted.
    package internal(set) var value: Value
    /// The beginning of the value; the position of the key if the file gives a key without a value.
    package let position: SourcePosition
    /// The text after environment variables are substituted; `nil` for a value that names none.
    package internal(set) var resolved: Secret<String>?

    init(_ value: Value, at position: SourcePosition) {
        self.value = value
        self.position = position
    }
}

extension ConfigurationNode {
    /// The value as JSON with its texts as written in the file, for digests and messages.
    package var json: JSONValue { json(revealing: false) }

    /// The value as JSON with environment variables substituted.
    package var resolvedJSON: Secret<JSONValue> { Secret(json(revealing: true)) }

    private func json(revealing: Bool) -> JSONValue {
        switch value {
        case .null, .refused: return .null
        case .bool(let value): return .bool(value)
        case .number(let value): return .number(value)
        case .text(let text): return .string(revealing ? resolved?.revealed ?? text : text)
        case .list(let elements): return .array(elements.map { $0.json(revealing: revealing) })
        case .map(let entries):
            var object = JSONObject()
            // Insert in the order that the object keeps, so that no member has to move.
            for entry in entries.sorted(by: { Self.precedes($0.key, $1.key) }) {
                object[entry.key] = entry.value.json(revealing: revealing)
            }
            return .object(object)
        }
    }

    /// Returns whether the bytes of `left` sort before those of `right`. Keys may be long, so they are compared as
    /// blocks.
    private static func precedes(_ left: String, _ right: String) -> Bool {
        var (left, right) = (left, right)
        return left.withUTF8 { left in
            right.withUTF8 { right in
                let common = min(left.count, right.count)
                let order = common == 0 ? 0 : memcmp(left.baseAddress!, right.baseAddress!, common)
                return order == 0 ? left.count < right.count : order < 0
            }
        }
    }

    /// Kind and value in the wording of findings: `text 'three'`, `number 3`, `a list`.
    package var summary: String {
        switch value {
        case .null, .refused: "null"
        case .bool(let value): "boolean \(value)"
        case .number(let value): "number \(value)"
        case .text(let text): "text \(text.quoted)"
        case .list: "a list"
        case .map: "a map"
        }
    }

    /// The value alone in the wording of findings: `-1s`, `1.5`.
    var plainSummary: String {
        switch value {
        case .number(let value): "\(value)"
        case .text(let text): text.visible
        default: summary
        }
    }
}
