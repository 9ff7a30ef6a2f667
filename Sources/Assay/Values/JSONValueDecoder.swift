import Foundation

/// A decoder of `Decodable` values from ``JSONValue`` without a detour through text; the counterpart of
/// ``JSONValueEncoder``.
struct JSONValueDecoder: Decoder {
    let value: JSONValue
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    private init(_ value: JSONValue, _ path: [any CodingKey]) {
        self.value = value
        codingPath = path
    }

    /// Returns the value of `type` that `value` represents.
    ///
    /// - Throws: `DecodingError` naming the path that does not fit.
    static func decode<Value: Decodable>(
        _ type: Value.Type, from value: JSONValue, _ path: [any CodingKey]
    ) throws -> Value {
        if let found = try quick(type, value, path) { return found }
        return try type.init(from: JSONValueDecoder(value, path))
    }

    /// Decodes types that need no decoder of their own or whose JSON differs from what their own decoding expects.
    private static func quick<Value: Decodable>(
        _ type: Value.Type, _ value: JSONValue, _ path: [any CodingKey]
    ) throws -> Value? {
        let found: (any Decodable)?
        switch type {
        case let type as any JSONRepresentable.Type: found = type.init(jsonValue: value)
        case is String.Type: found = value.string
        case is Bool.Type: found = value.bool
        case is Int.Type: found = value.number?.integer
        case is Date.Type: found = value.string.flatMap { try? Date($0, strategy: .iso8601) }
        case is Data.Type: found = value.string.flatMap { Data(base64Encoded: $0) }
        case is URL.Type: found = value.string.flatMap { URL(string: $0) }
        case is Decimal.Type: found = value.number.flatMap { Decimal(string: $0.description) }
        default: return nil
        }
        guard let found = found as? Value else { throw mismatch(type, value, path) }
        return found
    }

    fileprivate static func mismatch(_ type: Any.Type, _ value: JSONValue, _ path: [any CodingKey]) -> DecodingError {
        let context = DecodingError.Context(
            codingPath: path, debugDescription: "expected \(type), found \(value.kind)")
        return value == .null ? .valueNotFound(type, context) : .typeMismatch(type, context)
    }

    fileprivate static func whole<Whole: FixedWidthInteger>(
        _ type: Whole.Type, _ value: JSONValue, _ path: [any CodingKey]
    ) throws -> Whole {
        guard let reduced = value.number?.reduced, reduced.exponent >= 0,
            let scaled = reduced.coefficient.scaled(byPowerOfTen: reduced.exponent), let whole = Whole(exactly: scaled)
        else { throw mismatch(type, value, path) }
        return whole
    }

    fileprivate static func double(_ value: JSONValue, _ path: [any CodingKey]) throws -> Double {
        guard let number = value.number, let double = Double(number.description) else {
            throw mismatch(Double.self, value, path)
        }
        return double
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard let object = value.object else { throw Self.mismatch([String: JSONValue].self, value, codingPath) }
        return KeyedDecodingContainer(Keyed(object: object, codingPath: codingPath))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard let list = value.array else { throw Self.mismatch([JSONValue].self, value, codingPath) }
        return Unkeyed(list: list, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer { Single(value: value, codingPath: codingPath) }

    private struct Keyed<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let object: JSONObject
        let codingPath: [any CodingKey]

        var allKeys: [Key] { object.keys.compactMap { Key(stringValue: $0) } }

        func contains(_ key: Key) -> Bool { object[key.stringValue] != nil }

        private func value(_ key: Key) throws -> JSONValue {
            guard let value = object[key.stringValue] else {
                throw DecodingError.keyNotFound(
                    key, .init(codingPath: codingPath, debugDescription: "'\(key.stringValue)' is missing"))
            }
            return value
        }

        func decodeNil(forKey key: Key) throws -> Bool { try value(key) == .null }

        func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
            try JSONValueDecoder.decode(type, from: value(key), codingPath + [key])
        }

        private func decoder(_ key: Key) throws -> JSONValueDecoder {
            JSONValueDecoder(try value(key), codingPath + [key])
        }

        func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type, forKey key: Key
        ) throws -> KeyedDecodingContainer<Nested> { try decoder(key).container(keyedBy: type) }

        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
            try decoder(key).unkeyedContainer()
        }

        func superDecoder() throws -> any Decoder {
            JSONValueDecoder(object["super"] ?? .null, codingPath)
        }

        func superDecoder(forKey key: Key) throws -> any Decoder { try decoder(key) }
    }

    private struct Place: CodingKey {
        let intValue: Int?
        var stringValue: String { "[\(intValue ?? 0)]" }
        init(_ index: Int) { intValue = index }
        init?(intValue: Int) { self.init(intValue) }
        init?(stringValue: String) { nil }
    }

    private struct Unkeyed: UnkeyedDecodingContainer {
        let list: [JSONValue]
        let codingPath: [any CodingKey]
        var currentIndex = 0

        init(list: [JSONValue], codingPath: [any CodingKey]) {
            self.list = list
            self.codingPath = codingPath
        }

        var count: Int? { list.count }
        var isAtEnd: Bool { currentIndex >= list.count }

        private func next() throws -> JSONValue {
            guard !isAtEnd else {
                throw DecodingError.valueNotFound(
                    JSONValue.self, .init(codingPath: codingPath, debugDescription: "the list has no more elements"))
            }
            return list[currentIndex]
        }

        mutating func decodeNil() throws -> Bool {
            guard try next() == .null else { return false }
            currentIndex += 1
            return true
        }

        mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
            let value = try JSONValueDecoder.decode(type, from: next(), codingPath + [Place(currentIndex)])
            currentIndex += 1
            return value
        }

        private mutating func decoder() throws -> JSONValueDecoder {
            let decoder = JSONValueDecoder(try next(), codingPath + [Place(currentIndex)])
            currentIndex += 1
            return decoder
        }

        mutating func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type
        ) throws -> KeyedDecodingContainer<Nested> { try decoder().container(keyedBy: type) }

        mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
            try decoder().unkeyedContainer()
        }

        mutating func superDecoder() throws -> any Decoder { try decoder() }
    }

    private struct Single: SingleValueDecodingContainer {
        let value: JSONValue
        let codingPath: [any CodingKey]

        func decodeNil() -> Bool { value == .null }
        func decode(_ type: Double.Type) throws -> Double { try double(value, codingPath) }
        func decode(_ type: Float.Type) throws -> Float {
            guard let number = value.number, let float = Float(number.description) else {
                throw mismatch(type, value, codingPath)
            }
            return float
        }
        func decode(_ type: Bool.Type) throws -> Bool { try quickly(type) }
        func decode(_ type: String.Type) throws -> String { try quickly(type) }
        func decode(_ type: Int.Type) throws -> Int { try whole(type, value, codingPath) }
        func decode(_ type: Int8.Type) throws -> Int8 { try whole(type, value, codingPath) }
        func decode(_ type: Int16.Type) throws -> Int16 { try whole(type, value, codingPath) }
        func decode(_ type: Int32.Type) throws -> Int32 { try whole(type, value, codingPath) }
        func decode(_ type: Int64.Type) throws -> Int64 { try whole(type, value, codingPath) }
        func decode(_ type: Int128.Type) throws -> Int128 { try whole(type, value, codingPath) }
        func decode(_ type: UInt.Type) throws -> UInt { try whole(type, value, codingPath) }
        func decode(_ type: UInt8.Type) throws -> UInt8 { try whole(type, value, codingPath) }
        func decode(_ type: UInt16.Type) throws -> UInt16 { try whole(type, value, codingPath) }
        func decode(_ type: UInt32.Type) throws -> UInt32 { try whole(type, value, codingPath) }
        func decode(_ type: UInt64.Type) throws -> UInt64 { try whole(type, value, codingPath) }
        func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try quickly(type) }

        private func quickly<Value: Decodable>(_ type: Value.Type) throws -> Value {
            try JSONValueDecoder.decode(type, from: value, codingPath)
        }
    }
}
