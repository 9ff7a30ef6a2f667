/// The name of one attempt at the work on an item; no two attempts of all programs that work in a run share one.
public struct AttemptID: Hashable, Sendable {
    /// The run.
    public let runID: Run.ID
    /// The epoch of the run in which it is made. It grows when another program takes the run over.
    public let epoch: Int
    /// The place of the item in the run; `nil` for work on the run as a whole.
    public let place: Int?
    /// The processor, or the node of a graph.
    public let processorID: Identifier
    /// The number of the attempt, from 1 in each epoch.
    public let number: Int

    /// Creates the name of an attempt in the current epoch of `run`.
    public init(of run: Run, place: Int?, number: Int) {
        (runID, epoch, processorID) = (run.id, run.epoch, run.processorID)
        (self.place, self.number) = (place, number)
    }

    /// The name as a store keeps it.
    package var stored: String {
        JSONValue.array([
            .string(runID.text), JSONValue(epoch), place.map { JSONValue($0) } ?? .null, .string(processorID.text),
            JSONValue(number),
        ]).json
    }

    /// Creates the name that ``stored`` wrote; `nil` for anything else.
    package init?(stored text: String) {
        guard let parts = try? JSONValue(json: Array(text.utf8)).array, parts.count == 5,
            let run = parts[0].string.flatMap({ Identifier($0) }), let epoch = parts[1].number?.integer,
            let processor = parts[3].string.flatMap({ Identifier($0) }), let number = parts[4].number?.integer
        else { return nil }
        (runID, self.epoch, place, processorID, self.number) = (run, epoch, parts[2].number?.integer, processor, number)
    }
}
