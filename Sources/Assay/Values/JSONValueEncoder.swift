import Foundation

/// An encoder of `Encodable` values into ``JSONValue`` without a detour through text.
///
/// Dates become RFC 3339 text and data becomes base64, as Foundation's encoder is configured to do elsewhere.
struct JSONValueEncoder: Encoder {
    /// A place in the value under construction; containers fill it in as they are encoded.
    fileprivate final class Node {
        enum Content {
            case nothing
            case value(JSONValue)
            case list([Node])
            case map([(key: String, node: Node)])
        }

        var content = Content.nothing

        /// Returns the finished value; a node that encoded nothing becomes an empty map, as with Foundation.
        func value(path: [any CodingKey]) throws -> JSONValue {
            switch content {
            case .nothing: return .object([:])
            case .value(let value): return value
            case .list(let nodes): return .array(try nodes.map { try $0.value(path: path) })
            case .map(let nodes):
                var object = JSONObject()
                object.reserve(nodes.count)
                for (key, node) in nodes { object[key] = try node.value(path: path) }
                return .object(object)
            }
        }
    }

    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }
    private let node: Node

    private init(_ node: Node, _ path: [any CodingKey]) {
        self.node = node
        codingPath = path
    }

    /// Encodes `value` as JSON.
    ///
    /// - Throws: what the value's `encode(to:)` throws, and `EncodingError` for numbers that JSON cannot express.
    static func encode(_ value: some Encodable) throws -> JSONValue {
        let node = Node()
        try encode(value, into: node, [])
        return try node.value(path: [])
    }

    fileprivate static func encode(_ value: some Encodable, into node: Node, _ path: [any CodingKey]) throws {
        guard path.count <= JSONValue.maximumDepth else {
            throw EncodingError.invalidValue(value, .init(codingPath: [], debugDescription: "nested more than 64 deep"))
        }
        switch value {
        case let value as any JSONRepresentable: node.content = .value(value.jsonValue)
        case let value as Date: node.content = .value(.string(value.formatted(.iso8601)))
        case let value as Data: node.content = .value(.string(value.base64EncodedString()))
        case let value as URL: node.content = .value(.string(value.absoluteString))
        case let value as Decimal: node.content = .value(try number(value.description, path))
        default: try value.encode(to: JSONValueEncoder(node, path))
        }
    }

    fileprivate static func number(_ text: String, _ path: [any CodingKey]) throws -> JSONValue {
        guard let number = Number(text) else {
            throw EncodingError.invalidValue(
                text, .init(codingPath: path, debugDescription: "JSON has no number for \(text)"))
        }
        return .number(number)
    }

    fileprivate static func number(_ value: Double, _ path: [any CodingKey]) throws -> JSONValue {
        // Swift writes whole numbers with a decimal point; JSON's shortest form has none.
        if let whole = Int(exactly: value), whole.magnitude < 1 << 53 { return .number(Number(whole)) }
        return try number(value.description, path)
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(Keyed(node, codingPath))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer { Unkeyed(node, codingPath) }

    func singleValueContainer() -> any SingleValueEncodingContainer { Single(node: node, codingPath: codingPath) }

    private struct Keyed<Key: CodingKey>: KeyedEncodingContainerProtocol {
        let node: Node
        let codingPath: [any CodingKey]

        init(_ node: Node, _ path: [any CodingKey]) {
            self.node = node
            codingPath = path
            if case .map = node.content { return }
            node.content = .map([])
        }

        private func child(_ key: String) -> Node {
            let child = Node()
            guard case .map(var members) = node.content else { return child }
            node.content = .nothing
            members.append((key, child))
            node.content = .map(members)
            return child
        }

        private func set(_ value: JSONValue, _ key: Key) { child(key.stringValue).content = .value(value) }

        func encodeNil(forKey key: Key) { set(.null, key) }
        func encode(_ value: Bool, forKey key: Key) { set(.bool(value), key) }
        func encode(_ value: String, forKey key: Key) { set(.string(value), key) }
        func encode(_ value: Int, forKey key: Key) { set(.number(Number(value)), key) }
        func encode(_ value: Double, forKey key: Key) throws { set(try number(value, codingPath + [key]), key) }
        func encode(_ value: some Encodable, forKey key: Key) throws {
            try JSONValueEncoder.encode(value, into: child(key.stringValue), codingPath + [key])
        }

        func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type, forKey key: Key
        ) -> KeyedEncodingContainer<Nested> {
            KeyedEncodingContainer(JSONValueEncoder.Keyed<Nested>(child(key.stringValue), codingPath + [key]))
        }

        func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
            Unkeyed(child(key.stringValue), codingPath + [key])
        }

        func superEncoder() -> any Encoder { JSONValueEncoder(child("super"), codingPath) }
        func superEncoder(forKey key: Key) -> any Encoder {
            JSONValueEncoder(child(key.stringValue), codingPath + [key])
        }
    }

    private struct Unkeyed: UnkeyedEncodingContainer {
        let node: Node
        let codingPath: [any CodingKey]

        init(_ node: Node, _ path: [any CodingKey]) {
            self.node = node
            codingPath = path
            if case .list = node.content { return }
            node.content = .list([])
        }

        var count: Int { if case .list(let nodes) = node.content { nodes.count } else { 0 } }

        private func child() -> Node {
            let child = Node()
            guard case .list(var nodes) = node.content else { return child }
            node.content = .nothing
            nodes.append(child)
            node.content = .list(nodes)
            return child
        }

        private func append(_ value: JSONValue) { child().content = .value(value) }

        func encodeNil() { append(.null) }
        func encode(_ value: Bool) { append(.bool(value)) }
        func encode(_ value: String) { append(.string(value)) }
        func encode(_ value: Int) { append(.number(Number(value))) }
        func encode(_ value: Double) throws { append(try number(value, codingPath)) }
        func encode(_ value: some Encodable) throws { try JSONValueEncoder.encode(value, into: child(), codingPath) }

        func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
            KeyedEncodingContainer(Keyed<Nested>(child(), codingPath))
        }

        func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { Unkeyed(child(), codingPath) }
        func superEncoder() -> any Encoder { JSONValueEncoder(child(), codingPath) }
    }

    private struct Single: SingleValueEncodingContainer {
        let node: Node
        let codingPath: [any CodingKey]

        private func set(_ value: JSONValue) { node.content = .value(value) }
        private func set(_ value: some BinaryInteger & FixedWidthInteger) throws {
            guard Int128(exactly: value) != nil else {
                return set(try number(String(value), codingPath))
            }
            set(.number(Number(value)))
        }

        func encodeNil() { set(.null) }
        func encode(_ value: Bool) { set(.bool(value)) }
        func encode(_ value: String) { set(.string(value)) }
        func encode(_ value: Double) throws { set(try number(value, codingPath)) }
        // Uses the Float's own digits: 0.1 as a Float is not the Double nearest to 0.1.
        func encode(_ value: Float) throws {
            if let whole = Int(exactly: value) { return set(.number(Number(whole))) }
            set(try number(value.description, codingPath))
        }
        func encode(_ value: Int) throws { try set(value) }
        func encode(_ value: Int8) throws { try set(value) }
        func encode(_ value: Int16) throws { try set(value) }
        func encode(_ value: Int32) throws { try set(value) }
        func encode(_ value: Int64) throws { try set(value) }
        func encode(_ value: Int128) throws { try set(value) }
        func encode(_ value: UInt) throws { try set(value) }
        func encode(_ value: UInt8) throws { try set(value) }
        func encode(_ value: UInt16) throws { try set(value) }
        func encode(_ value: UInt32) throws { try set(value) }
        func encode(_ value: UInt64) throws { try set(value) }
        func encode(_ value: some Encodable) throws { try JSONValueEncoder.encode(value, into: node, codingPath) }
    }
}
