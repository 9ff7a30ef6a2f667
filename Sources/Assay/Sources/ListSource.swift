import Synchronization

/// The items of a run, or of one batch of it, each given to the run's processor.
final class ListSource: WorkSource {
    /// The items that a lane has claimed and not started.
    final class Claim: Sendable {
        private let items = Mutex<ArraySlice<StoredItem>>([])

        /// Claims `frame` and returns its first item.
        func take(_ frame: ArraySlice<StoredItem>) -> StoredItem? {
            items.withLock { items in
                items = frame
                return items.popFirst()
            }
        }

        /// Returns the next item; `nil` when none is claimed.
        func next() -> StoredItem? { items.withLock { $0.popFirst() } }

        /// Drops the items.
        func drop() { items.withLock { $0 = [] } }

        /// Gives the later half of the items to a lane that has nothing left to do.
        func giveHalf() -> ArraySlice<StoredItem> {
            items.withLock { items in
                let half = items.suffix((items.count + 1) / 2)
                items.removeLast(half.count)
                return half
            }
        }
    }

    typealias Post = Claim
    typealias Matter = Void

    let session: RunSession
    private let ends: ItemEnds
    private let frames: Frames
    private let frameSize = Atomic(1)

    init(_ session: RunSession) {
        self.session = session
        ends = ItemEnds(session)
        let (id, store) = (session.run.id, session.store)
        frames = Frames(over: session.items.places, comesLate: session.suspicion.isKiller) { place, limit in
            guard session.items.firstUnfinished(in: place..<place + limit) != nil else { return [] }
            return try await store.items(of: id, from: place, limit: limit)
                .filter { !session.items.hasEnded($0.index) }
        }
    }

    var shortestLimit: Duration { session.options.shortestLimit }

    // MARK: What is next

    nonisolated(nonsending) func next(
        for lane: Lane<ListSource>, in workshop: Workshop<ListSource>, _ generation: Int
    ) async throws -> Job<ListSource>? {
        while session.stopped == nil {
            var claimed = lane.post.next()
            // An idle lane keeps nobody waiting for what it has finished.
            try await session.commit(
                lane.takeFinished(at: session.world.time.uptime(), always: claimed == nil))
            if session.stopped != nil { break }
            if claimed == nil {
                claimed = lane.post.take(try await nextFrame(in: workshop))
                if claimed == nil { break }
            }
            guard let entry = claimed, let work = try await begin(entry, in: lane) else { continue }
            let job = Job<ListSource>(work: work, matter: ())
            if lane.begin(job, generation) { return job }
        }
        lane.post.drop()
        try await session.commit(lane.takeFinished(at: session.world.time.uptime(), always: true))
        return nil
    }

    /// Returns items to work on: the next in order, otherwise half of what another lane has claimed; empty when all are
    /// started.
    private nonisolated(nonsending) func nextFrame(
        in workshop: Workshop<ListSource>
    ) async throws -> ArraySlice<StoredItem> {
        let suspicion = session.suspicion
        order: while session.stopped == nil {
            switch suspicion.order() {
            case .inOrder: break order
            case .wait: await suspicion.waitForNews(orStopIn: session.stops)
            case .probe(let probe):
                let entry = try await frames.next(probe)
                suspicion.begin(at: entry?.index)
                if let entry { return [entry] }
            case .broken:
                session.stopIfBroken(session)
                return []
            }
            if Task.isCancelled { return [] }
        }
        guard session.stopped == nil else { return [] }
        let frame = try await frames.next(frameSize.load(ordering: .relaxed))
        guard frame.isEmpty else { return frame }
        for lane in workshop.lanes {
            let half = lane.post.giveHalf()
            if !half.isEmpty { return half }
        }
        return []
    }

    /// Lets frames grow while items are short, so that claiming them costs nothing, and shrinks them to one item when
    /// items are long.
    private func noteAttempt(lasted duration: Duration) {
        // Under a policy that may stop the run, items start strictly one at a time.
        if duration < .microseconds(50), session.options.failurePolicy == .collect {
            frameSize.store(min(frameSize.load(ordering: .relaxed) * 2, 256), ordering: .relaxed)
        } else if duration > .milliseconds(1) {
            frameSize.store(1, ordering: .relaxed)
        }
    }

    /// Begins an item; returns `nil` when the cache had its output or its base price could not be paid.
    private nonisolated(nonsending) func begin(
        _ entry: StoredItem, in lane: Lane<ListSource>
    ) async throws -> Work? {
        session.emit(.itemStart, item: entry.item.id)
        do { try await session.chargeBase(on: entry.item) } catch let error as ProcessingError
            where error.code == .budgetExhausted
        {
            let desk = try await ends.desk(for: entry, attempt: 1)
            let work = Work(
                entry: entry, session: session, desk: desk, startedAt: session.world.time.uptime(), attempt: 0)
            keep(ends.failed(work, error, nil), in: lane)
            return nil
        }
        if entry.isAsListed, let outcome = try await ends.cachedOutcome(of: entry) {
            session.suspicion.noteEnd(at: entry.index)
            lane.keep(CommittedOutcome(outcome))
            return nil
        }
        let (startedAt, earlierAttempts) = session.begin(entry.index, at: session.world.time.uptime())
        let desk = try await ends.desk(for: entry, attempt: earlierAttempts + 1)
        return Work(
            entry: entry, session: session, desk: desk, startedAt: startedAt, earlierAttempts: earlierAttempts)
    }

    // MARK: What becomes of it

    nonisolated(nonsending) func attempt(
        _ job: inout Job<ListSource>, in lane: Lane<ListSource>, _ generation: Int, by worker: any Worker,
        _ context: Context
    ) async throws -> Payload {
        try await worker.extract(job.work.input, in: context)
    }

    func startsOver(_ work: Work) -> Bool { work.desk.hasMissedStage }

    nonisolated(nonsending) func answer(
        to error: ProcessingError, of job: inout Job<ListSource>
    ) async -> ErrorAnswer {
        if error.code == .programBroken {
            session.tally.noteBrokenProgram(error)
            session.stop(.init(reason: .programBroken, drains: true))
        }
        let options = session.options
        let repeats = min(job.work.crashes, options.maxCrashes - 1)
        return options.retryPolicy.delay(
            after: error, attempt: job.work.attempt - repeats, chance: session.world.chance()
        ).map { .retry(after: $0) } ?? .skip
    }

    nonisolated(nonsending) func end(
        _ job: Job<ListSource>, _ end: WorkEnd, in lane: Lane<ListSource>
    ) async throws {
        let work = job.work
        switch end {
        case .gave(let output):
            if let error = work.missedResumePoint { return keep(ends.failed(work, error, nil), in: lane) }
            lane.keep(ends.succeeded(work, output))
            noteAttempt(lasted: session.world.time.uptime() - work.startedAt)
        case .failed(let error, let reason, _): keep(ends.failed(work, error, reason), in: lane)
        case .givenUp(let reason): lane.keep(ends.givenUp(work, reason ?? session.stopped?.reason ?? .runCancelled))
        }
    }

    /// Keeps the failure of an item, which may be the last one that is tolerated.
    private func keep(_ failed: CommittedOutcome, in lane: Lane<ListSource>) {
        lane.keep(failed)
        session.noteFailure(of: failed.outcome.inputID) { failed.outcome.error }
    }
}
