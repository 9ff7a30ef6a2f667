/// A paid call whose body is running, with what only the program that opened it knows.
struct OpenCall: Sendable {
    let call: Call
    let record: CallRecord
    /// The calls around it.
    let inside: CallNest
    let turn: CallsInFlight.Turn?
    /// Whether the breaker of its service let it through as a trial.
    let isTrial: Bool
    /// Whether it has neither a price nor a maximum.
    let isUnpriced: Bool
}

/// The paid calls that a desk has opened and whose bodies have not ended.
///
/// A call that a later attempt makes again has the same name, so a call is known by its name and its attempt.
struct OpenCalls {
    private struct Key: Hashable {
        let id: String
        let attempt: Int
    }

    private var awaited: [Key: OpenCall] = [:]
    /// The calls that no one waits for. Their bodies may still end.
    private var left: [Key: OpenCall] = [:]

    mutating func add(_ call: OpenCall, attempt: Int) { awaited[Key(id: call.record.callID, attempt: attempt)] = call }

    /// Removes a call whose body has ended.
    ///
    /// - Returns: the call, if this desk has opened it, and whether someone waits for its end.
    mutating func end(_ id: String, attempt: Int) -> (call: OpenCall?, isAwaited: Bool) {
        let key = Key(id: id, attempt: attempt)
        if let call = awaited.removeValue(forKey: key) { return (call, true) }
        return (left.removeValue(forKey: key), false)
    }

    /// Stops waiting for all calls, and returns them in order of their names.
    mutating func leave() -> [OpenCall] {
        defer { awaited = [:] }
        left.merge(awaited) { $1 }
        return awaited.values.sorted { $0.record.callID < $1.record.callID }
    }

    /// Returns the calls of a nest.
    func calls(of nest: CallNest) -> [Call] {
        guard nest.known.isEmpty, !nest.isAssumed, !nest.calls.isEmpty else { return nest.known }
        return awaited.values.map(\.call).filter { nest.calls.contains($0.number) }
    }
}
