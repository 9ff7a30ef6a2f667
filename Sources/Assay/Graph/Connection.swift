/// A pipe from an output port of one node to an input port of another.
public struct Connection: Hashable, Sendable {
    /// The node that provides the values.
    public let from: Identifier
    /// Its output port.
    public let output: Identifier
    /// The node that takes the values.
    public let to: Identifier
    /// Its input port.
    public let input: Identifier
    /// The number of values that may wait in it.
    public let capacity: Int

    /// The source of the values: `a:output`.
    public var source: String { "\(from):\(output)" }
    /// The target of the values: `b:input`.
    public var target: String { "\(to):\(input)" }
    /// The pipe's name: `a:output->b:input`.
    public var name: String { "\(source)->\(target)" }
}

extension Connection: CustomStringConvertible {
    public var description: String { name }
}
