// How a run of a graph pauses at a breakpoint, continues, or is left.

extension Engine {
    /// Pauses the run. The pause keeps its floor from ending.
    func pause(_ flow: GraphFlow, on floor: Floor) {
        floor.hold()
        flow.tellPause()
    }

    /// Saves what another program needs to continue a run that is left in its pause.
    func leave(_ flow: GraphFlow, because failure: (any Error)?) async throws {
        if let failure { throw failure }
        try await flow.session.tally.fileEvents()
        try await file(flow, as: .paused)
        // A store that forgets with the program was not given these. This program may continue the run.
        for departure in flow.takeRest() { try await saveRest(departure, of: flow) }
        flow.session.noteLeft()
    }

    /// Records in order that the run pauses and continues, and starts lanes again when it continues.
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
                        // What waited behind the pause may have run into the next one, which has its own hold.
                        if flow.noticePause() { pause(flow, on: floor) }
                    }
                    floor.release()
                case .missedPause: try await file(flow, as: .running)
                case .paused, .over: session.stands(false)
                }
            } catch {
                floor.fail(error)
            }
            // No one continues a run that was stopped or left.
            if session.stopped != nil || flow.isLeft { while floor.release() {} }
        }
    }

    /// Records that the run is paused, and notifies those who may let it continue.
    private func stand(_ flow: GraphFlow) async throws {
        let session = flow.session
        session.stands(true)
        if let start = flow.pausedStart, flow.isBack(at: start) {
            // The run is recorded as paused until it continues.
            _ = flow.stand()
            return try flow.goOn(byOne: flow.firstMove == .step)
        }
        try await file(flow, as: .paused)
        // Not earlier: a caller that lets the run continue must find it recorded as paused.
        guard let start = flow.stand() else { return }
        session.tally.emit(.runPaused, item: start.inputID, by: start.processorID) { ["value": start.value] }
        session.graph?.options.onPause?(RunHandle(session: session), start)
    }

    /// Records that a run is paused or continues.
    private nonisolated(nonsending) func file(_ flow: GraphFlow, as status: Status) async throws {
        if status == .paused { flow.session.tally.note(flow.keptProfile) }
        var run = flow.session.currentRun
        run.status = status
        if status == .paused { run.pause = flow.pause }
        run.duration = flow.session.timeWorked
        try await store.update(run)
    }
}
