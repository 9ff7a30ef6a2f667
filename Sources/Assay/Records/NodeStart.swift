/// A node that has all its inputs of an item and is about to start on it.
public struct NodeStart: Hashable, Sendable {
    /// The node.
    public let processorID: Identifier
    /// The item.
    public let inputID: String
    /// The attempt, from 1.
    public let attempt: Int
    /// What the node is given.
    public let value: JSONValue

    /// A start of the given parts.
    public init(_ processorID: Identifier, inputID: String, attempt: Int = 1, value: JSONValue) {
        self.processorID = processorID
        self.inputID = inputID
        self.attempt = attempt
        self.value = value
    }

    /// Names a start among those of a run: every node starts once on an item.
    struct Key: Hashable, Sendable {
        let processorID: Identifier
        let inputID: ExternalID
    }

    /// Names it among the starts of the run.
    var key: Key { Key(processorID: processorID, inputID: ExternalID(unchecked: inputID)) }

    /// What conditions call its parts.
    var names: JSONObject {
        [
            "value": value, "input_id": .string(inputID), "attempt": .number(Number(attempt)),
            "processor_id": .string(processorID.text),
        ]
    }
}
