/// A value on its way through the engine: as itself in this program, as JSON where it crosses a boundary.
///
/// The JSON is made only on demand, so a run in memory never encodes.
public struct Payload: Sendable {
    private enum Form: Sendable {
        case value(any Codable & Sendable)
        case json(JSONValue)
        case text([UInt8])
        case deferred(@Sendable () throws -> [UInt8])
    }

    private let form: Form

    /// Creates a payload from a typed value.
    public init(_ value: some Codable & Sendable) {
        form = (value as? JSONValue).map(Form.json) ?? .value(value)
    }

    /// Creates a payload from JSON.
    public init(json: JSONValue) { form = .json(json) }

    /// Creates a payload from the JSON text that a store kept, which is parsed on demand.
    package init(jsonText: [UInt8]) { form = .text(jsonText) }

    /// Creates a payload from JSON text that a store keeps, which is read and parsed on demand.
    package init(deferredJSONText read: @escaping @Sendable () throws -> [UInt8]) { form = .deferred(read) }

    /// Returns the value as `type`.
    ///
    /// - Throws: `DecodingError` when it was JSON of another shape or a value of another type.
    public func value<Value: Codable & Sendable>(as type: Value.Type = Value.self) throws -> Value {
        switch form {
        case .value(let value as Value): value
        case .value(let value): try JSONValue(encoding: value).decoded(as: type)
        case .json(let json): try json.decoded(as: type)
        case .text(let text): try JSONValue(json: text).decoded(as: type)
        case .deferred(let read): try JSONValue(json: read()).decoded(as: type)
        }
    }

    /// Returns the value as JSON; each call encodes it again.
    public func json() throws -> JSONValue {
        switch form {
        case .value(let value): try JSONValue(encoding: value)
        case .json(let json): json
        case .text(let text): try JSONValue(json: text)
        case .deferred(let read): try JSONValue(json: read())
        }
    }

    /// Whether the payload is JSON text from a store.
    package var isJSONText: Bool {
        switch form {
        case .text, .deferred: true
        case .value, .json: false
        }
    }

    /// Returns the value as JSON text for a store; text that came from a store is returned unchanged.
    package func jsonText() throws -> [UInt8] {
        switch form {
        case .text(let text): text
        case .deferred(let read): try read()
        case .value, .json: try json().jsonBytes
        }
    }

    /// Whether the value is certainly neither a map nor a list, determined without encoding it.
    var isScalar: Bool {
        switch form {
        case .value(let value):
            value is Int || value is String || value is Bool || value is Double
        case .json(.array), .json(.object), .text, .deferred: false
        case .json: true
        }
    }
}
