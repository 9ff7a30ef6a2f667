/// The breakpoints of a run, and where it stands still: told what is about to happen, it says what may.
///
/// A pure state machine; the engine asks it before each start of a node and acts on the answers.
public struct Breakpoints: Sendable {
    /// Whether nodes may start.
    public enum State: Hashable, Sendable {
        /// They start as they come.
        case running
        /// None starts; this one was about to.
        case paused(NodeStart)
        /// None starts until this one, which runs alone, has ended; then the run pauses before the next.
        case stepping(NodeStart)
        /// The next start pauses the run.
        case pausesNext
        /// None starts until this one comes again, before which the run was paused when its program ended.
        case returning(to: NodeStart)
        /// None starts any more.
        case cancelled
    }

    /// Whether nodes may start.
    public private(set) var state = State.running
    private var breakpoints: [Breakpoint] = []
    /// Starts that wait, in the order of their coming.
    private var held: [NodeStart] = []
    /// Starts that were let go after they had stopped the run, until they have ended.
    private var released: Set<NodeStart.Key> = []

    /// A run without breakpoints but these; of several at one node the last counts.
    public init(_ breakpoints: [Breakpoint] = []) { for breakpoint in breakpoints { set(breakpoint) } }

    /// The breakpoints of a run that is brought back to where it stood.
    init(returningTo pause: Pause) {
        breakpoints = pause.breakpoints
        released = pause.released
        state = .returning(to: pause.start)
    }

    /// Where the run stands still; `nil` while it does not.
    var pause: Pause? {
        guard case .paused(let start) = state else { return nil }
        return Pause(before: start, breakpoints: breakpoints, released: released)
    }

    // MARK: Breakpoints

    /// The breakpoints in the order in which they were set.
    public var all: [Breakpoint] { breakpoints }

    /// Sets a breakpoint in place of the one at its node.
    public mutating func set(_ breakpoint: Breakpoint) {
        remove(at: breakpoint.processorID)
        breakpoints.append(breakpoint)
    }

    /// Removes the breakpoint at a node, which does not let a paused run go on; `false` when there is none.
    @discardableResult public mutating func remove(at node: Identifier) -> Bool {
        guard let place = breakpoints.firstIndex(where: { $0.processorID == node }) else { return false }
        breakpoints.remove(at: place)
        return true
    }

    /// Says whether the breakpoint at a node is looked at, which does not let a paused run go on; `false` when there is
    /// none.
    @discardableResult public mutating func enable(_ isEnabled: Bool, at node: Identifier) -> Bool {
        guard let place = breakpoints.firstIndex(where: { $0.processorID == node }) else { return false }
        breakpoints[place].isEnabled = isEnabled
        return true
    }

    // MARK: Nodes

    /// Asks whether a node may start; one that may not is given back by ``resume()``, ``step()`` or ``ended(_:)``.
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
        // It was counted when the run stopped there.
        case .returning(let awaited) where awaited.key == start.key: state = .paused(start)
        case .paused, .stepping, .returning: held.append(start)
        case .cancelled: break
        }
        return false
    }

    /// Says that the start that the run was to return to will not come.
    ///
    /// - Returns: the starts that may be made now, in order.
    mutating func missReturn() -> [NodeStart] {
        guard case .returning = state else { return [] }
        return goOn()
    }

    /// Says that a node that was let start has ended on an item, whatever came of it.
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

    // MARK: Moves

    /// Lets the paused run go on to the next hit.
    ///
    /// - Returns: the starts that may be made now, in order: the one it was paused at, and what waited behind it.
    /// - Throws: ``ProcessingError`` with code `illegal_move` when the run is not paused.
    public mutating func resume() throws(ProcessingError) -> [NodeStart] {
        let start = try paused("continue")
        released.insert(start.key)
        return [start] + goOn()
    }

    /// Lets what waits start until one of it stops the run again.
    private mutating func goOn() -> [NodeStart] {
        state = .running
        var starts: [NodeStart] = []
        while case .running = state, !held.isEmpty {
            let start = held.removeFirst()
            if arrives(start) { starts.append(start) }
        }
        return starts
    }

    /// Lets the node that the run is paused before run on that item; the run pauses again before the next start.
    ///
    /// - Returns: the one start that may be made now.
    /// - Throws: ``ProcessingError`` with code `illegal_move` when the run is not paused.
    public mutating func step() throws(ProcessingError) -> NodeStart {
        let start = try paused("step")
        released.insert(start.key)
        state = .stepping(start)
        return start
    }

    /// Cancels the run: nothing starts any more.
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
