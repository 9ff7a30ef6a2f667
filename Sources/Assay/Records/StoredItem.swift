/// An item as it is stored with its run.
public struct StoredItem: Sendable {
    /// The item as it was given.
    public var item: Item
    /// Its place in the run, from 0.
    public var index: Int
    /// The result of `transform` on its data; `nil` when that is the data itself.
    public var transformed: Payload?
    /// The reason the run treats it as it does; `nil` in runs of older versions.
    public var basis: ItemBasis?
    /// Whether its data differs from that of an earlier run.
    public var inputChanged: Bool
    /// Whether its outcome was settled before the run began to work: carried or kept from an earlier run, or failed
    /// because its file cannot be read.
    public var settled: Bool
    /// The file of an item that arrives at a node of a graph; it is not stored.
    var origin: InputFile?

    /// Creates an item at its place.
    public init(
        _ item: Item, index: Int, transformed: Payload? = nil, inputChanged: Bool = false, settled: Bool = false
    ) {
        self.item = item
        self.index = index
        self.transformed = transformed
        self.inputChanged = inputChanged
        self.settled = settled
    }
}

/// The reason a run treats an item as it does, based on what earlier runs of the execution left of it.
public enum ItemBasis: String, Codable, Sendable, CaseIterable {
    /// No earlier run of the execution had it.
    case new
    /// An earlier run did not finish it.
    case unfinished
    /// It has other data than in the earlier run.
    case changed
    /// The run, or a changed processor, does everything again.
    case restarted
    /// An earlier run finished it.
    case finished
    /// Only failed items run, and it had not failed.
    case notFailed = "not_failed"
    /// The run continues from a checkpoint of it.
    case reopened
}
