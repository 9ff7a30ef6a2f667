/// An ordered list of items that an execution owns. Any number of its runs refer to it; only its maker appends to it.
public struct InputList: Hashable, Sendable {
    /// The name of a list: its execution and its number there.
    public struct ID: Hashable, Sendable {
        /// The execution that owns the list.
        public let executionID: Execution.ID
        /// The number of the list in its execution, from 1.
        public let number: Int

        /// Creates the name of a list.
        public init(executionID: Execution.ID, number: Int) {
            (self.executionID, self.number) = (executionID, number)
        }
    }

    /// The list's name.
    public let id: ID
    /// The number of its items.
    public let count: Int

    /// Creates a list as a store describes it.
    public init(id: ID, count: Int) { (self.id, self.count) = (id, count) }
}

extension Execution {
    /// The list of items that an execution is submitted to the queue with.
    public static func submittedList(of id: ID) -> InputList.ID { InputList.ID(executionID: id, number: 1) }
}

/// The next items of a run as the run takes them in, with everything that was settled before it works on them.
public struct Intake: Sendable {
    /// A list that has the items at the same places already.
    public enum Kept: Hashable, Sendable {
        /// The list that the execution was submitted with.
        case submission
        /// The list of an earlier run of the execution.
        case run(Run.ID)
    }

    /// An outcome that a run takes over from an earlier run of its execution.
    public struct Carried: Hashable, Sendable {
        /// The place of the item in this run.
        public var index: Int
        /// The earlier run, which has ended.
        public var runID: Run.ID
        /// The place of the item in the earlier run.
        public var place: Int
        /// The status of the outcome.
        public var status: Status
        /// Whether the outcome is the work of another definition of the processor.
        public var isKept: Bool

        /// Creates a reference to the outcome at `place` of an earlier run.
        public init(index: Int, runID: Run.ID, place: Int, status: Status, isKept: Bool = false) {
            (self.index, self.runID, self.place) = (index, runID, place)
            (self.status, self.isKept) = (status, isKept)
        }
    }

    /// The items with their places, which continue after the last ones.
    public var items: [StoredItem]
    /// The list that has all of these items already; `nil` for items to be stored.
    public var kept: Kept?
    /// The outcomes that are known now.
    public var settled: [CommittedOutcome]
    /// The outcomes that are taken over, in order of their places.
    public var carried: [Carried]

    /// Creates an intake of items.
    public init(
        _ items: [StoredItem], kept: Kept? = nil, settled: [CommittedOutcome] = [], carried: [Carried] = []
    ) {
        (self.items, self.kept, self.settled, self.carried) = (items, kept, settled, carried)
    }
}

extension Item {
    /// Returns whether this item is `other`: the same name, data, scope, slot and resume point, and the same file with
    /// the same content, whenever that was read.
    func isIdentical(to other: Item) throws -> Bool {
        guard id.equalsInBytes(other.id), hasOwnData == other.hasOwnData,
            Self.texts(of: self) == Self.texts(of: other), file?.jsonValue.json == other.file?.jsonValue.json,
            file == other.file || file?.digest != nil, payload?.jsonBytes == other.payload?.jsonBytes
        else { return false }
        return try !hasOwnData || data.jsonText() == other.data.jsonText()
    }

    // Text is compared byte by byte, as a store keeps it.
    private static func texts(of item: Item) -> [ExternalID?] {
        [item.accountID, item.underwritingID, item.executionID, item.slot].map { $0.map(ExternalID.init(unchecked:)) }
    }
}
