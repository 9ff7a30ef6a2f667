import Synchronization

// How a graph at work pauses, and how it continues.

extension GraphFlow {
    /// Returns whether a node may start on an item; if not, keeps the start until it may.
    func mayStart(_ unit: GraphSchedule.Unit, _ entry: StoredItem, _ input: Payload) throws -> Bool {
        guard asksBeforeStarts.load(ordering: .acquiring) else { return true }
        let node = wiring.nodes[unit.node].id
        let start = NodeStart(node, inputID: entry.item.id, value: try input.json())
        return state.withLock { state in
            let isReturning = state.isReturning
            // The nodes that lead to the pause run again only where their outputs were not saved.
            if isReturning, entry.index == comeback?.entry.index, wayBack.contains(unit.node) { return true }
            guard !state.breakpoints.arrives(start) else { return true }
            state.held[start.key] = Held(unit: unit, entry: entry, input: input)
            if isReturning, !state.isReturning { state.schedule.holdsAdmission = false }
            return false
        }
    }

    /// Continues without returning to the pause when its item goes another way this time.
    func missReturn(_ skipped: [(node: Int, reason: Outcome.Reason)], of item: Int, _ state: inout State) {
        guard state.isReturning, item == comeback?.entry.index, skipped.contains(where: { $0.node == comeback?.node })
        else { return }
        release(state.breakpoints.missReturn(), &state)
        state.schedule.holdsAdmission = false
        changes.yield(.missedPause)
    }

    private func release(_ starts: [NodeStart], _ state: inout State) {
        for start in starts {
            guard let held = state.held.removeValue(forKey: start.key) else { continue }
            state.released[team(of: held.unit.node)].append(held)
        }
    }

    /// Changes the breakpoints.
    func withBreakpoints<Value>(_ body: (inout Breakpoints) throws -> Value) rethrows -> Value {
        asksBeforeStarts.store(true, ordering: .releasing)
        return try state.withLock { try body(&$0.breakpoints) }
    }

    /// Lets the run continue after a pause, to the next hit or by one node.
    ///
    /// - Throws: ``ProcessingError`` with code `illegal_move` when it is not paused.
    func goOn(byOne: Bool) throws {
        try state.withLock { state in
            guard state.isStanding else {
                throw ProcessingError(.illegalMove, "the run is not paused, so there is nothing to go on with")
            }
            release(byOne ? [try state.breakpoints.step()] : try state.breakpoints.resume(), &state)
            (state.isPaused, state.isStanding) = (false, false)
            // Before the next pause can be noticed, so that both are recorded in order.
            changes.yield(.moved)
        }
    }

    /// Leaves the run in its pause: work in progress may finish, and the run ends here as a paused one.
    ///
    /// - Throws: ``ProcessingError`` with code `illegal_move` when it is not paused.
    func leave() throws {
        try state.withLock { state in
            guard state.isStanding else {
                throw ProcessingError(.illegalMove, "the run is not paused, so it cannot be left so")
            }
            (state.isLeft, state.isStanding) = (true, false)
        }
        changes.yield(.over)
    }

    /// Whether the run is left in a pause and was not stopped since.
    var isLeft: Bool { session.stopped == nil && state.withLock { $0.isLeft } }

    /// The pause of the run; `nil` while it is not paused.
    var pause: Pause? {
        let skips = recovery.skips
        return state.withLock { state in
            var pause = state.breakpoints.pause
            pause?.skips = skips
            pause?.failures = state.travellers.values.flatMap { traveller in
                traveller.nodes.filter { $0.status == .failed && $0.error != nil }.map {
                    Pause.Failure(of: $0, on: traveller.entry.item.id)
                }
            }
            return pause
        }
    }

    /// The start at which the run has been stopped, whether or not its pause is on record yet.
    var pausedStart: NodeStart? { state.withLock { $0.breakpoints.pause?.start } }

    /// The start that the run is paused before; `nil` when it is not paused.
    var pausedBefore: NodeStart? {
        state.withLock { state in state.isStanding ? state.breakpoints.pause?.start : nil }
    }

    /// Marks the run as paused, so that it can be continued, and returns the start that it is paused before.
    func stand() -> NodeStart? {
        state.withLock { state in
            guard let pause = state.breakpoints.pause else { return nil }
            state.isStanding = true
            return pause.start
        }
    }

    /// Returns whether the current pause is the one to which the run returned. True at most once.
    func isBack(at start: NodeStart) -> Bool { start.key == comeback?.pause.start.key && takesComeback() }

    private func takesComeback() -> Bool { !hasComeBack.exchange(true, ordering: .acquiringAndReleasing) }

    /// The first move of a run that continues from a pause; `nil` for all others.
    var firstMove: Pause.Move? { comeback?.move }

    /// Pauses the run if it has reached a start at which it is to stop.
    ///
    /// - Returns: whether this call paused it.
    func noticePause() -> Bool { state.withLock { $0.noticePause() } }

    /// Announces a pause. The caller holds the floor for it.
    func tellPause() { changes.yield(.paused) }

    /// Announces that the run is stopped.
    func tellStop() { changes.yield(.over) }

    /// Returns how a node failed on an item before the run was left in its pause.
    func failure(of unit: GraphSchedule.Unit, on inputID: String) -> Pause.Failure? {
        failures[NodeStart.Key(processorID: wiring.nodes[unit.node].id, inputID: ExternalID(unchecked: inputID))]
    }

    /// Announces that nothing more will happen.
    func endChanges() { changes.finish() }
}

extension GraphFlow.State {
    /// Whether nothing starts except what was released.
    var standsStill: Bool {
        switch breakpoints.state {
        case .paused, .stepping, .cancelled: true
        case .running, .pausesNext, .returning: false
        }
    }

    /// Whether the run is on its way back to the pause in which it was left.
    var isReturning: Bool { if case .returning = breakpoints.state { true } else { false } }

    /// Notices a pause, once for each.
    mutating func noticePause() -> Bool {
        guard case .paused = breakpoints.state, !isPaused else { return false }
        isPaused = true
        return true
    }
}
