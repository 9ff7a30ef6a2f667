/// A node that has all its inputs for an item and is about to start on it.
public struct NodeStart: Hashable, Sendable {
    /// The node.
    public let processorID: Identifier
    /// The item.
    public let inputID: String
    /// The attempt, from 1.
    public let attempt: Int
    /// The input that the node receives.
    public let value: JSONValue

    /// Creates a start from the given parts.
    public init(_ processorID: Identifier, inputID: String, attempt: Int = 1, value: JSONValue) {
        self.processorID = processorID
        self.inputID = inputID
        self.attempt = attempt
        self.value = value
    }

    /// A key that identifies a start within a run: every node starts once on an item.
    struct Key: Hashable, Sendable {
        let processorID: Identifier
        let inputID: ExternalID
    }

    /// The key that identifies it among the starts of the run.
    var key: Key { Key(processorID: processorID, inputID: ExternalID(unchecked: inputID)) }

    /// The parts under the names that conditions use.
    var names: JSONObject {
        [
            "value": value, "input_id": .string(inputID), "attempt": .number(Number(attempt)),
            "processor_id": .string(processorID.text),
        ]
    }
}
