/// The breakpoints of a run and its pause: given the next start of a node, it decides whether the node may start.
///
/// A pure state machine. The driver of the graph asks it before each start of a node and acts on the answers.
public struct Breakpoints: Sendable {
    /// The state of a run: whether nodes may start.
    public enum State: Hashable, Sendable {
        /// Nodes start as they come.
        case running
        /// No node starts; this start was about to happen.
        case paused(NodeStart)
        /// No node starts until this one, which runs alone, has ended; then the run pauses before the next.
        case stepping(NodeStart)
        /// The next start pauses the run.
        case pausesNext
        /// No node starts until this start comes again. The run was paused before it when its program ended.
        case returning(to: NodeStart)
        /// All further starts are canceled.
        case cancelled
    }

    /// Whether nodes may start.
    public private(set) var state = State.running
    private var breakpoints: [Breakpoint] = []
    /// Waiting starts, in order of arrival.
    private var held: [NodeStart] = []
    /// Starts that continued after they had paused the run, until they have ended.
    private var released: Set<NodeStart.Key> = []

    /// Creates the breakpoints of a run. Of several at one node the last one counts.
    public init(_ breakpoints: [Breakpoint] = []) { for breakpoint in breakpoints { set(breakpoint) } }

    /// Restores the breakpoints of a run that returns to its pause.
    init(returningTo pause: Pause) {
        breakpoints = pause.breakpoints
        released = pause.released
        state = .returning(to: pause.start)
    }

    /// The current pause of the run; `nil` while it is not paused.
    var pause: Pause? {
        guard case .paused(let start) = state else { return nil }
        return Pause(before: start, breakpoints: breakpoints, released: released)
    }

    // MARK: Breakpoints

    /// The breakpoints in the order in which they were set.
    public var all: [Breakpoint] { breakpoints }

    /// Sets a breakpoint, replacing the one at its node.
    public mutating func set(_ breakpoint: Breakpoint) {
        remove(at: breakpoint.processorID)
        breakpoints.append(breakpoint)
    }

    /// Removes the breakpoint at a node. A paused run stays paused. Returns `false` when there is none.
    @discardableResult public mutating func remove(at node: Identifier) -> Bool {
        guard let place = breakpoints.firstIndex(where: { $0.processorID == node }) else { return false }
        breakpoints.remove(at: place)
        return true
    }

    /// Enables or disables the breakpoint at a node. A paused run stays paused. Returns `false` when there is none.
    @discardableResult public mutating func enable(_ isEnabled: Bool, at node: Identifier) -> Bool {
        guard let place = breakpoints.firstIndex(where: { $0.processorID == node }) else { return false }
        breakpoints[place].isEnabled = isEnabled
        return true
    }

    // MARK: Nodes

    /// Returns whether a node may start. A start that must wait is returned later by ``resume()`` or ``step()``.
    public mutating func arrives(_ start: NodeStart) -> Bool {
        switch state {
        case .running:
            if meets(start) {
                state = .paused(start)
                return false
            }
            return true
        case .pausesNext:
            _ = meets(start)
            state = .paused(start)
        // This hit was counted when the run paused there.
        case .returning(let awaited) where awaited.key == start.key: state = .paused(start)
        case .paused, .stepping, .returning: held.append(start)
        case .cancelled: break
        }
        return false
    }

    /// Records that the start that the run was to return to will not come.
    ///
    /// - Returns: the starts that may be made now, in order.
    mutating func missReturn() -> [NodeStart] {
        guard case .returning = state else { return [] }
        return goOn()
    }

    /// Records that a started node has ended on an item, successfully or not.
    public mutating func ended(_ node: Identifier, _ inputID: String) {
        if !released.isEmpty {
            released.remove(NodeStart.Key(processorID: node, inputID: ExternalID(unchecked: inputID)))
        }
        guard case .stepping(let start) = state, start.processorID == node, start.inputID.equalsInBytes(inputID) else {
            return
        }
        state = .pausesNext
        guard !held.isEmpty else { return }
        _ = arrives(held.removeFirst())
    }

    // MARK: Resuming

    /// Lets the paused run continue to the next hit.
    ///
    /// - Returns: the starts that may be made now, in order: the one at which the run was paused, and those that waited
    ///   behind it.
    /// - Throws: ``ProcessingError`` with code `illegal_move` when the run is not paused.
    public mutating func resume() throws(ProcessingError) -> [NodeStart] {
        let start = try paused("continue")
        released.insert(start.key)
        return [start] + goOn()
    }

    /// Lets waiting starts happen until one of them pauses the run again.
    private mutating func goOn() -> [NodeStart] {
        state = .running
        var starts: [NodeStart] = []
        while case .running = state, !held.isEmpty {
            let start = held.removeFirst()
            if arrives(start) { starts.append(start) }
        }
        return starts
    }

    /// Runs only the start at which the run is paused. The run pauses again before the next start.
    ///
    /// - Returns: the one start that may be made now.
    /// - Throws: ``ProcessingError`` with code `illegal_move` when the run is not paused.
    public mutating func step() throws(ProcessingError) -> NodeStart {
        let start = try paused("step")
        released.insert(start.key)
        state = .stepping(start)
        return start
    }

    /// Cancels the run and all further starts.
    public mutating func cancel() { (state, held) = (.cancelled, []) }

    private func paused(_ move: String) throws(ProcessingError) -> NodeStart {
        guard case .paused(let start) = state else {
            throw ProcessingError(.illegalMove, "the run is not paused, so there is nothing to \(move)")
        }
        return start
    }

    private mutating func meets(_ start: NodeStart) -> Bool {
        guard let place = breakpoints.firstIndex(where: { $0.processorID == start.processorID }),
            !released.contains(start.key)
        else { return false }
        return breakpoints[place].meets(start)
    }
}
