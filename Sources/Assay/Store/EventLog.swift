/// The part of a store that holds what was said: events, log lines and the states of alerts.
///
/// The rules of ``Store`` hold for each of its functions.
public protocol EventLog: Sendable {
    /// Appends events of runs in their order.
    func append(_ events: [Event]) async throws

    /// Returns up to `limit` recorded events of a run after the one numbered `sequence`.
    func events(of run: Run.ID, after sequence: Int, limit: Int) async throws -> [Event]

    /// Appends log lines of runs in their order, and drops the oldest lines beyond `limits`.
    ///
    /// Lines of a run that is not on record are left out.
    func append(_ lines: [LogLine], keeping limits: LogLimits) async throws

    /// Returns up to `limit` lines that match `filter`, oldest first.
    func logLines(matching filter: LogFilter, limit: Int) async throws -> [LogLine]

    /// Adds changes to the state of an alert, as ``AlertRecord/adding(_:)`` does.
    func add(_ alert: AlertRecord) async throws

    /// Returns the states of all alerts that have fired or were cleared, by name.
    func alerts() async throws -> [AlertRecord]
}
