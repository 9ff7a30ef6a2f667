/// A value on its way through the engine: as itself in this program, as JSON where it crosses a boundary.
///
/// The JSON is made when something asks for it and not before, so a run in memory never encodes.
public struct Payload: Sendable {
    private enum Form: Sendable {
        case value(any Codable & Sendable)
        case json(JSONValue)
        case text([UInt8])
    }

    private let form: Form

    /// A typed value.
    public init(_ value: some Codable & Sendable) {
        form = (value as? JSONValue).map(Form.json) ?? .value(value)
    }

    /// A value as JSON.
    public init(json: JSONValue) { form = .json(json) }

    /// A value as the JSON text that a store kept, which is read when something asks for the value.
    package init(jsonText: [UInt8]) { form = .text(jsonText) }

    /// The value as `type`.
    ///
    /// - Throws: `DecodingError` when it was JSON of another shape or a value of another type.
    public func value<Value: Codable & Sendable>(as type: Value.Type = Value.self) throws -> Value {
        switch form {
        case .value(let value as Value): value
        case .value(let value): try JSONValue(encoding: value).decoded(as: type)
        case .json(let json): try json.decoded(as: type)
        case .text(let text): try JSONValue(json: text).decoded(as: type)
        }
    }

    /// The value as JSON; the work of encoding is done at each call.
    public func json() throws -> JSONValue {
        switch form {
        case .value(let value): try JSONValue(encoding: value)
        case .json(let json): json
        case .text(let text): try JSONValue(json: text)
        }
    }

    /// Whether it is the text that a store kept.
    package var isJSONText: Bool { if case .text = form { true } else { false } }

    /// The value as JSON text, as a store keeps it; a text that came from one is handed on as it is.
    package func jsonText() throws -> [UInt8] {
        if case .text(let text) = form { text } else { try json().jsonBytes }
    }

    /// Whether it is certainly neither a map nor a list, told without making JSON of it.
    var isScalar: Bool {
        switch form {
        case .value(let value):
            value is Int || value is String || value is Bool || value is Double
        case .json(.array), .json(.object), .text: false
        case .json: true
        }
    }
}
