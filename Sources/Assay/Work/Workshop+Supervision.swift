// Attempts that run out of time, and runs that are stopped while attempts are made.

extension Workshop {
    /// Supervises the lanes until the last one has ended.
    func supervise() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await withDiscardingTaskGroup { await self.watch(&$0) } }
            group.addTask {
                await self.session.stops.waitForHardStop()
                guard self.session.stopped?.drains == false else { return }
                await withDiscardingTaskGroup { group in
                    for lane in self.lanes { group.addTask { await self.abandon(lane) } }
                }
            }
            await waitForEnd()
            session.stops.endWaitForHardStop()
            group.cancelAll()
        }
    }

    /// Ends attempts and the run when they are out of time, and sleeps until the next of these moments.
    private func watch(_ group: inout DiscardingTaskGroup) async {
        while !Task.isCancelled {
            alarm.listen()
            let now = world.time.uptime()
            let end = session.end
            if now >= end { return session.stop(.init(reason: .runTimeout, drains: false)) }
            var next = min(end, now + source.shortestLimit)
            for lane in lanes {
                let generation = lane.generation
                guard let deadline = lane.deadline else { continue }
                guard deadline <= now else {
                    next = min(next, deadline)
                    continue
                }
                let isSilent = lane.isSilent(at: now)
                guard let (fresh, worker) = lane.expire(generation), let job = lane.jobInProgress(fresh) else {
                    continue
                }
                let error = timeout(of: job.work, isSilent)
                group.addTask {
                    await worker?.stop()
                    await self.restart(lane, generation: fresh, after: error)
                }
            }
            await alarm.sleep(until: next, by: world.time)
        }
    }

    /// Has another worker continue with the item whose attempt ran out of time.
    private func restart(_ lane: Lane<Source>, generation: Int, after error: ProcessingError) async {
        guard let job = lane.jobInProgress(generation) else { return }
        do { try await job.work.desk.doubtOpenCalls(because: error) } catch { fail(error) }
        await start(lane, generation: generation, after: error)
    }

    private func timeout(of work: Work, _ isSilent: Bool) -> ProcessingError {
        let options = work.session.options
        let remark = work.desk.remark.map { "; \($0)" } ?? ""
        if isSilent, let limit = options.heartbeatTimeout {
            return ProcessingError(.timeout, "no heartbeat for \(limit.secondsText)\(remark)")
        }
        return ProcessingError(.timeout, "timed out after \(options.itemTimeout.secondsText)\(remark)")
    }

    /// Gives up the work of a lane because the run was cancelled or is out of time.
    private func abandon(_ lane: Lane<Source>) async {
        guard let (job, worker) = lane.abandon() else { return }
        await worker?.stop()
        job.work.session.suspicion.noteEnd(at: job.work.entry.index)
        do { try await job.work.desk.doubtOpenCalls() } catch { fail(error) }
        do {
            try await source.end(job, .givenUp(nil), in: lane)
            try await session.commit(lane.takeFinished(at: world.time.uptime(), always: true))
        } catch { fail(error) }
        laneEnded()
    }
}
