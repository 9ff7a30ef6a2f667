// How a run of a graph stands still at a breakpoint, goes on, or is left.

extension Engine {
    /// Has the run stand still: what keeps its floor from ending is its pause.
    func pause(_ flow: GraphFlow, on floor: Floor) {
        floor.hold()
        flow.tellPause()
    }

    /// Keeps what another program needs to go on with a run that is left in its pause.
    func leave(_ flow: GraphFlow, because failure: (any Error)?) async throws {
        if let failure { throw failure }
        try await flow.session.tally.fileEvents()
        try await file(flow, as: .paused)
        // What a store that forgets with the program has not been given: this program may go on with the run.
        for departure in flow.takeRest() { try await saveRest(departure, of: flow) }
        flow.session.noteLeft()
    }

    /// Files in their order that the run stands still and that it goes on, and starts lanes again when it does.
    func followPauses(of flow: GraphFlow, on floor: Floor) async {
        let session = flow.session
        for await change in flow.changed {
            do {
                switch change {
                case .paused where session.stopped == nil: try await stand(flow)
                case .moved:
                    session.stands(false)
                    if session.stopped == nil {
                        try await file(flow, as: .running)
                        session.emit(.runResumed)
                        await startLanes(of: flow, on: floor)
                        // What waited behind the pause may have run into the next one, which has a hold of its own.
                        if flow.noticePause() { pause(flow, on: floor) }
                    }
                    floor.release()
                case .missedPause: try await file(flow, as: .running)
                case .paused, .over: session.stands(false)
                }
            } catch {
                floor.fail(error)
            }
            // Nobody goes on with a run that was stopped or left.
            if session.stopped != nil || flow.isLeft { while floor.release() {} }
        }
    }

    /// Files that the run stands still, and tells those who may let it go on.
    private func stand(_ flow: GraphFlow) async throws {
        let session = flow.session
        session.stands(true)
        if let start = flow.pausedStart, flow.isBack(at: start) {
            // It is on record as paused until it goes on.
            _ = flow.stand()
            return try flow.goOn(byOne: flow.firstMove == .step)
        }
        try await file(flow, as: .paused)
        // Only now, since a continuation must find the run on record as paused.
        guard let start = flow.stand() else { return }
        session.tally.emit(.runPaused, item: start.inputID, by: start.processorID) { ["value": start.value] }
        session.graph?.options.onPause?(RunHandle(session: session), start)
    }

    /// Files that a run stands still, or goes on.
    private nonisolated(nonsending) func file(_ flow: GraphFlow, as status: Status) async throws {
        if status == .paused { flow.session.tally.note(flow.keptProfile) }
        var run = flow.session.currentRun
        run.status = status
        if status == .paused { run.pause = flow.pause }
        run.duration = flow.session.timeWorked
        try await store.update(run)
    }
}
