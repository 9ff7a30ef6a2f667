/// An item as it is stored with its run.
public struct StoredItem: Sendable {
    /// The item as it was given.
    public var item: Item
    /// Its place in the run, from 0.
    public var index: Int
    /// What `transform` made of its data; `nil` when that is the data itself.
    public var transformed: Payload?
    /// Why the run treats it as it does; `nil` in runs of older versions.
    public var basis: ItemBasis?
    /// Whether its data differs from that of an earlier run.
    public var inputChanged: Bool
    /// Whether its outcome was settled before the run began to work: carried or kept from an earlier run, or failed
    /// because its file cannot be read.
    public var settled: Bool
    /// The file of the item that comes to a node of a graph; nobody stores it.
    var origin: InputFile?

    /// An item at its place.
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

/// Why a run treats an item as it does, from what earlier runs of the execution left of it.
public enum ItemBasis: String, Codable, Sendable, CaseIterable {
    /// No earlier run of the execution had it.
    case new
    /// An earlier run did not finish it.
    case unfinished
    /// It comes with other data than in the earlier run.
    case changed
    /// The run does everything again, or a changed processor does.
    case restarted
    /// An earlier run finished it.
    case finished
    /// Only failed items run, and it was none.
    case notFailed = "not_failed"
    /// The run goes on from a checkpoint of it.
    case reopened
}
