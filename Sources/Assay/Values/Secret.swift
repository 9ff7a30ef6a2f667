/// A value that must not be shown: however it is printed, inspected or encoded, it reads `***`.
package struct Secret<Value: Sendable>: Sendable {
    /// The value itself, for the one place that needs it.
    package let revealed: Value

    /// Keeps `value` from being shown.
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
