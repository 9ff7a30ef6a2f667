/// A value on its way through the engine: as itself in this program, as JSON where it crosses a boundary.
///
/// The JSON is made when something asks for it and not before, so a run in memory never encodes.
public struct Payload: Sendable {
    private enum Form: Sendable {
        case value(any Codable & Sendable)
        case json(JSONValue)
    }

    private let form: Form

    /// A typed value.
    public init(_ value: some Codable & Sendable) {
        form = (value as? JSONValue).map(Form.json) ?? .value(value)
    }

    /// A value as JSON.
    public init(json: JSONValue) { form = .json(json) }

    /// The value as `type`.
    ///
    /// - Throws: `DecodingError` when it was JSON of another shape or a value of another type.
    public func value<Value: Codable & Sendable>(as type: Value.Type = Value.self) throws -> Value {
        switch form {
        case .value(let value as Value): value
        case .value(let value): try JSONValue(encoding: value).decoded(as: type)
        case .json(let json): try json.decoded(as: type)
        }
    }

    /// The value as JSON; the work of encoding is done at each call.
    public func json() throws -> JSONValue {
        switch form {
        case .value(let value): try JSONValue(encoding: value)
        case .json(let json): json
        }
    }
}
