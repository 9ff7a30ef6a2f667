/// A value that must not be shown: it reads `***` however it is printed, inspected or encoded.
package struct Secret<Value: Sendable>: Sendable {
    /// The value itself, for the one place that needs it.
    package let revealed: Value

    /// Creates a secret that holds `value`.
    package init(_ value: Value) { revealed = value }
}

extension Secret: Equatable where Value: Equatable {}
extension Secret: Hashable where Value: Hashable {}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "***" }
    package var debugDescription: String { "***" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

extension Secret: Encodable {
    package func encode(to encoder: any Encoder) throws { try description.encode(to: encoder) }
}
