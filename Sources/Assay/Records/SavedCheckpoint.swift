/// The item, processor and execution that saved steps belong to.
public struct CheckpointSubject: Hashable, Sendable {
    /// The execution.
    public var executionID: Execution.ID
    /// The processor whose steps they are.
    public var processorID: Identifier
    /// The item.
    public var inputID: String

    /// Creates the subject for an item of a processor in an execution.
    public init(executionID: Execution.ID, processorID: Identifier, inputID: String) {
        self.executionID = executionID
        self.processorID = processorID
        self.inputID = inputID
    }

    // Two spellings of an input's name are two inputs, here as everywhere.
    public static func == (left: CheckpointSubject, right: CheckpointSubject) -> Bool {
        left.executionID == right.executionID && left.processorID == right.processorID
            && left.inputID.equalsInBytes(right.inputID)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(executionID)
        hasher.combine(processorID)
        hasher.combine(ExternalID(unchecked: inputID))
    }
}

/// A saved step.
public struct Checkpoint: Hashable, Sendable {
    /// The subject that the step belongs to.
    public var subject: CheckpointSubject
    /// The step's name.
    public var step: String
    /// The digest of the item's data when it was saved.
    public var inputDigest: Digest
    /// The definition of the processor that saved it.
    public var definition: Digest
    /// The run that saved it.
    public var runID: Run.ID
    /// The epoch of that run.
    public var epoch: Int
    /// The value that the step's body returned.
    public var value: JSONValue
    /// The time it was saved.
    public var savedAt: Timestamp
    /// The cost of its body without a cache and without anything saved; `nil` when unknown.
    public var worth: Money?

    /// Creates a saved step from the given parts.
    public init(
        subject: CheckpointSubject, step: String, inputDigest: Digest, definition: Digest, runID: Run.ID, epoch: Int,
        value: JSONValue, savedAt: Timestamp, worth: Money? = nil
    ) {
        self.subject = subject
        self.step = step
        self.inputDigest = inputDigest
        self.definition = definition
        self.runID = runID
        self.epoch = epoch
        self.value = value
        self.savedAt = savedAt
        self.worth = worth
    }
}
