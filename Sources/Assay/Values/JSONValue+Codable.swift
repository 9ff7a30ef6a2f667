import Foundation

extension JSONValue: Codable {
    public init(from decoder: any Decoder) throws {
        if let keyed = try? decoder.container(keyedBy: AnyKey.self) {
            var object = JSONObject()
            for key in keyed.allKeys { object[key.stringValue] = try keyed.decode(JSONValue.self, forKey: key) }
            self = .object(object)
        } else if var list = try? decoder.unkeyedContainer() {
            var elements: [JSONValue] = []
            while !list.isAtEnd { elements.append(try list.decode(JSONValue.self)) }
            self = .array(elements)
        } else {
            let single = try decoder.singleValueContainer()
            if single.decodeNil() {
                self = .null
            } else if let value = try? single.decode(Bool.self) {
                self = .bool(value)
            } else if let value = try? single.decode(Number.self) {
                self = .number(value)
            } else {
                self = .string(try single.decode(String.self))
            }
        }
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .null:
            var single = encoder.singleValueContainer()
            try single.encodeNil()
        case .bool(let value): try value.encode(to: encoder)
        case .number(let value): try value.encode(to: encoder)
        case .string(let value): try value.encode(to: encoder)
        case .array(let elements):
            var list = encoder.unkeyedContainer()
            for element in elements { try list.encode(element) }
        case .object(let object):
            var keyed = encoder.container(keyedBy: AnyKey.self)
            for member in object.members { try keyed.encode(member.value, forKey: AnyKey(member.key)) }
        }
    }

    private struct AnyKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(_ key: String) { stringValue = key }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}

extension Number: Codable {
    public init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer().decode(Decimal.self)
        guard let number = Number("\(value)") else {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(codingPath: decoder.codingPath, debugDescription: "not a number of 38 digits"))
        }
        self = number
    }

    public func encode(to encoder: any Encoder) throws {
        // Foundation's Decimal holds 38 digits exactly, but only powers of ten from -128 to 127.
        guard let value = Decimal(string: description) else {
            throw EncodingError.invalidValue(
                self, EncodingError.Context(codingPath: encoder.codingPath, debugDescription: "out of range"))
        }
        var single = encoder.singleValueContainer()
        try single.encode(value)
    }
}

extension JSONValue {
    /// Encodes `value` as JSON.
    ///
    /// Dates become RFC 3339 text and data becomes base64; decimals and integers keep their digits.
    /// - Throws: `EncodingError` when the type refuses or holds a number that JSON cannot express.
    public init(encoding value: some Encodable) throws {
        switch value {
        case let json as JSONValue: self = json
        case let text as String: self = .string(text)
        case let whole as Int: self = .number(Number(whole))
        case let flag as Bool: self = .bool(flag)
        case let number as Number: self = .number(number)
        case let represented as any JSONRepresentable: self = represented.jsonValue
        default: self = try JSONValueEncoder.encode(value)
        }
    }

    /// Returns the typed value that this JSON represents.
    ///
    /// - Throws: `DecodingError` naming the path that does not fit.
    public func decoded<Value: Decodable>(as type: Value.Type = Value.self) throws -> Value {
        try JSONValueDecoder.decode(type, from: self, [])
    }
}

/// A value that provides its own JSON, which avoids the general coders.
public protocol JSONRepresentable: Codable {
    /// The value as JSON, equal to what its `Encodable` conformance produces.
    var jsonValue: JSONValue { get }

    /// Creates the value that `json` represents; `nil` when it represents none.
    init?(jsonValue json: JSONValue)
}

extension JSONValue: JSONRepresentable {
    public var jsonValue: JSONValue { self }
    public init(jsonValue json: JSONValue) { self = json }
}

extension Number: JSONRepresentable {
    public var jsonValue: JSONValue { .number(self) }
    public init?(jsonValue json: JSONValue) {
        guard let number = json.number else { return nil }
        self = number
    }
}
