/// A pipe from an output port of one node to an input port of another.
public struct Connection: Hashable, Sendable {
    /// The node that gives the values.
    public let from: Identifier
    /// Its port.
    public let output: Identifier
    /// The node that takes them.
    public let to: Identifier
    /// Its port.
    public let input: Identifier
    /// How many values may wait in it.
    public let capacity: Int

    /// Where the values come from: `a:output`.
    public var source: String { "\(from):\(output)" }
    /// Where they go: `b:input`.
    public var target: String { "\(to):\(input)" }
    /// The pipe's name: `a:output->b:input`.
    public var name: String { "\(source)->\(target)" }

    /// Whether both join the same ports, whatever their capacities.
    func joinsTheSame(as other: Connection) -> Bool {
        (from, output, to, input) == (other.from, other.output, other.to, other.input)
    }
}

extension Connection: CustomStringConvertible {
    public var description: String { name }
}
