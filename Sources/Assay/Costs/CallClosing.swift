// The life of a paid call as a pure state machine over its record: what each event makes of it. Nothing here reads a
// clock, writes to a store or tells anyone.

/// What the end of a call's body makes of the call.
struct CallClosing {
    /// The record to file.
    var record: CallRecord
    /// What the call costs; `nil`: nothing.
    var cost: Money?
    /// How the cost came about.
    var basis = Charge.Basis()
    /// Whether no one knows how the call ended, whatever its policy makes of that.
    var isInDoubt = false
    /// Whether the call counts with its price or its maximum because no one reported a cost.
    var isEstimate = false
    /// The reported cost that cannot be read, as text. The call counts with what was reserved for it.
    var unreadable: String?
}

extension CallRecord {
    /// Returns the call in doubt as it is made again by `run`, with at least `reservation` reserved for it.
    func repeated(by run: Run, reserving reservation: Money?) -> CallRecord {
        var record = self
        (record.state, record.runID, record.isRepeat) = (.open, run.id, true)
        record.maximumCost = max(maximumCost, reservation ?? .zero)
        return record
    }

    /// The call after the end of the program that made it: an intent without an outcome is in doubt.
    package var abandoned: CallRecord {
        var record = self
        if record.state == .open { record.state = .inDoubt }
        return record
    }

    /// Returns the call in doubt as decided without an answer to it.
    func decided(as state: State, _ resolution: Charge.Basis.Resolution) -> CallRecord {
        var record = self
        (record.state, record.resolution) = (state, resolution)
        return record
    }

    /// Returns what the end of its body makes of the call, whether someone waited for it or had put it in doubt before.
    ///
    /// - Parameters:
    ///   - settlement: the cost that the body reported.
    ///   - isCancelled: whether the body was cancelled: whatever it throws, the service may have done its work.
    func closed(by end: CallEnd, _ settlement: Call.Settlement?, isCancelled: Bool) -> CallClosing {
        var closing = CallClosing(record: self)
        // Its own end overrules what was decided about it in the meantime. The store refuses what comes too late.
        (closing.record.state, closing.record.resolution) = (.open, nil)
        var settled: Money?
        switch settlement?.cost {
        case .amount(let amount): settled = amount
        // A paid call with an unreadable cost is not lost: it counts with what was reserved.
        case .unreadable(let text): (settled, closing.unreadable) = (maximumCost, text)
        case nil: break
        }
        switch end {
        case .returned, .made:
            closing.cost = settled ?? unitPrice ?? maximumCost
            closing.isEstimate = settled == nil
            if settled == nil { closing.basis.unitPrice = unitPrice }
        case .notMade: if isRepeat { closing.record.state = .inDoubt }
        case .threw(let error) where settled == nil && (isCancelled || Self.leavesDoubt(error)):
            closing.record.state = .inDoubt
        // A repeat that was not accepted leaves the attempt before it in doubt.
        case .threw(let error as ProcessingError) where settled == nil && isRepeat && error.wasNotTaken:
            closing.record.state = .inDoubt
        case .threw:
            closing.cost = settled
            if settled == nil, billing == .onAttempt { closing.cost = unitPrice ?? maximumCost }
            if closing.cost != nil { closing.basis.cause = .failure }
        }
        closing.isInDoubt = closing.record.state == .inDoubt
        if closing.isInDoubt, case .threw = end { closing.followPolicy() }
        if closing.cost != nil {
            closing.record.state = .settled
        } else if closing.record.state == .open {
            closing.record.state = .released
        }
        if isRepeat, closing.record.state != .inDoubt, closing.record.resolution == nil {
            closing.record.resolution = .repetition
        }
        if closing.record.state == .settled { closing.basis.resolution = closing.record.resolution }
        return closing
    }

    /// Returns whether a call that ended with `error` may have been carried out.
    private static func leavesDoubt(_ error: any Error) -> Bool {
        if error is CancellationError { return true }
        guard let error = error as? ProcessingError else { return false }
        return error.outcomeUnknown || error.code == .timeout || error.code == .cancelled
            || error.code == .workerCrashed
    }
}

extension CallClosing {
    /// Decides a call in doubt as its policy says.
    fileprivate mutating func followPolicy() {
        switch record.doubtPolicy {
        case .hold: break
        case .settle: (cost, record.resolution) = (record.maximumCost, .policy)
        case .release: (record.state, record.resolution) = (.released, .policy)
        }
    }
}
