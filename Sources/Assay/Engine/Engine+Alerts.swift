import Logging

extension Engine {
    /// Watches this engine's events by `rules` until the alerts are finished.
    ///
    /// - Parameter log: receives a line for each alert that is logged and each action that fails; `nil`: the engine's
    ///   log.
    /// - Throws: ``ProcessingError`` with code `exists` when two rules have the same name.
    public func watch(
        _ rules: [AlertRule], log: (@Sendable (String) -> Void)? = nil
    ) throws(ProcessingError) -> Alerts {
        let logger = logger
        let log = log ?? { logger.warning("\($0)") }
        return try Alerts(rules, on: events, store: store, world: world, log: log) { [weak self] kind, event, data in
            self?.send(kind, about: event, data)
        }
    }

    /// Makes a recorded alert inactive, whichever program it belonged to.
    ///
    /// - Returns: `false` when none of that name has fired.
    @discardableResult public func clearAlert(_ name: String) async throws -> Bool {
        guard try await store.alerts().contains(where: { $0.name.equalsInBytes(name) }) else { return false }
        var clearing = AlertRecord(name)
        clearing.clearedAt = world.time.now()
        try await store.add(clearing)
        return true
    }

    /// Sends an event about another one, as part of its run while that is in progress, otherwise without a run.
    private func send(_ kind: Event.Kind, about event: Event, _ data: JSONObject) {
        if let session = event.runID.flatMap(session) {
            return session.emit(kind, item: event.inputID) { data }
        }
        guard events.wants(kind) else { return }
        var data = data
        if let run = event.runID { data["run_id"] = .string(run.text) }
        events.send(
            Event(
                kind, timestamp: world.time.now(), runID: nil, executionID: event.executionID,
                processorID: event.processorID, inputID: event.inputID, data: data))
    }
}
