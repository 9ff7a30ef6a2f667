// How a run of a graph pauses at a breakpoint, continues, or is left.

extension GraphSource {
    /// Pauses the run. The pause keeps its workshop from ending.
    func pause(_ workshop: Workshop<GraphSource>) {
        workshop.hold()
        flow.tellPause()
    }

    /// Records in order that the run pauses and continues, and starts lanes again when it continues.
    func followPauses(in workshop: Workshop<GraphSource>) async {
        for await change in flow.changed {
            do {
                switch change {
                case .paused where session.stopped == nil: try await stand()
                case .moved:
                    session.clock.stands(false)
                    if session.stopped == nil {
                        try await file(as: .running)
                        session.emit(.runResumed)
                        await startLanes(in: workshop)
                        // What waited behind the pause may have run into the next one, which has its own hold.
                        if flow.noticePause() { pause(workshop) }
                    }
                    workshop.release()
                case .missedPause: try await file(as: .running)
                case .paused, .over: session.clock.stands(false)
                }
            } catch {
                workshop.fail(error)
            }
            // No one continues a run that was stopped or left.
            if session.stopped != nil || flow.isLeft { while workshop.release() {} }
        }
    }

    /// Records that the run is paused, and notifies those who may let it continue.
    private func stand() async throws {
        session.clock.stands(true)
        if let start = flow.pausedStart, flow.isBack(at: start) {
            // The run is recorded as paused until it continues.
            _ = flow.stand()
            return try flow.goOn(byOne: flow.firstMove == .step)
        }
        try await file(as: .paused)
        // Not earlier: a caller that lets the run continue must find it recorded as paused.
        guard let start = flow.stand() else { return }
        session.tally.emit(.runPaused, item: start.inputID, by: start.processorID) { ["value": start.value] }
        flow.onPause?(RunHandle(session: session), start)
    }

    /// Records that a run is paused or continues.
    nonisolated(nonsending) func file(as status: Status) async throws {
        if status == .paused { session.tally.note(flow.keptProfile) }
        var run = session.currentRun
        run.status = status
        if status == .paused { run.pause = flow.pause }
        run.duration = session.clock.timeWorked
        try await session.store.update(run)
    }
}
