import Foundation

/// Any JSON value, with exact numbers.
enum JSON: Codable, Hashable, Sendable {
    case null
    case bool(Bool)
    case number(Decimal)
    case string(String)
    case array([JSON])
    case object([String: JSON])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Decimal.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSON].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSON].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }

    init(_ value: some Encodable) throws {
        self = try JSONDecoder().decode(JSON.self, from: JSONEncoder().encode(value))
    }

    subscript(key: String) -> JSON {
        guard case .object(let members) = self else { return .null }
        return members[key] ?? .null
    }

    var keys: [String] {
        guard case .object(let members) = self else { return [] }
        return members.keys.sorted()
    }

    var elements: [JSON] {
        guard case .array(let elements) = self else { return [] }
        return elements
    }

    var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    func decoded<Value: Decodable>(as type: Value.Type) throws -> Value {
        try JSONDecoder().decode(type, from: JSONEncoder().encode(self))
    }

    /// Where `actual` is not what this value says, by path; money may be written as text here.
    func differences(from actual: JSON, at path: String = "", only keys: Set<String>? = nil) -> [String] {
        switch (self, actual) {
        case (.object(let expected), .object(let found)):
            return expected.sorted { $0.key < $1.key }.filter { keys?.contains($0.key) ?? true }.flatMap { key, value in
                guard let other = found[key] else { return ["\(path).\(key) is missing"] }
                return value.differences(from: other, at: "\(path).\(key)")
            }
        case (.array(let expected), .array(let found)):
            guard expected.count == found.count else {
                return ["\(path): \(found.count) elements, not \(expected.count)"]
            }
            return zip(expected, found).enumerated().flatMap { index, pair in
                pair.0.differences(from: pair.1, at: "\(path)[\(index)]")
            }
        case (.string(let text), .number(let number)) where Decimal(string: text) == number: return []
        default: return self == actual ? [] : ["\(path) is \(actual), not \(self)"]
        }
    }
}
