package import Logging

/// A step that a processor has opened.
package struct OpenedStep: Sendable {
    /// Its full name: `outer/inner`, `name#2`.
    package var path: String
    /// The attempt that opened it.
    package var attempt: Int
    /// Its saved value, if there is one.
    package var saved: JSONValue?
    /// The time of opening.
    package var start: Duration

    package init(path: String, attempt: Int, saved: JSONValue?, start: Duration) {
        self.path = path
        self.attempt = attempt
        self.saved = saved
        self.start = start
    }
}

/// The part of a run's options that a processor needs to start programs.
package struct WorkTerms: Sendable {
    /// The maximum duration of an attempt.
    package var itemTimeout: Duration
    /// The maximum number of items in flight.
    package var maxWorkers: Int
    /// The use of what earlier runs saved.
    package var recovery: RecoveryMode
}

/// The engine's side of a ``Context``; it receives the processor's requests.
package protocol Desk: Sendable {
    /// The run's options for a processor that starts programs.
    var terms: WorkTerms { get }
    func logger(for context: Context) -> Logger
    /// Records a log line of what works for `context`, with secrets hidden.
    func say(_ text: String, at level: Logger.Level, from source: LogLine.Source, in context: Context)
    /// Warns the watchers of a problem that fails nothing.
    func warn(_ message: String, in context: Context)
    func openStep(_ name: String, inside outer: String?, in context: Context) async throws -> OpenedStep
    func rejectSaved(_ path: String, because error: any Error, in context: Context) async throws
    func failStep(_ step: OpenedStep)
    func closeStep(_ step: OpenedStep, value: Payload, in context: Context) async throws
    /// Records a charge, at once or with the work it belongs to. Returns whether it is on record already.
    func charge(_ usage: Usage, in context: Context) async throws -> Bool
    func openCall(_ request: CallRequest, in context: Context) async throws -> CallDecision
    /// Closes a call by its name; another program may have opened it.
    func closeCall(
        _ id: String, _ settlement: Call.Settlement?, _ end: CallEnd, in context: Context
    ) async throws
    func emit(_ chunk: Payload, in context: Context) async throws
    func heartbeat(in context: Context) throws
    /// Records that the worker has answered, so the item it got does not crash it.
    func answered(in context: Context)
    /// Reports a problem of the workers once per run. When it may explain a time-out of an attempt, the failure
    /// mentions it as well.
    func hint(_ kind: String, _ message: String, explainsTimeout: Bool, in context: Context)
    /// Makes the item wait while `body` runs: its time limit and heartbeat limit are paused, watchers of the run see
    /// the reason, and a stop ends the wait.
    ///
    /// `body` only waits, and it ends when its task is cancelled. Several waits of one item may overlap.
    ///
    /// - Throws: what `body` throws; `CancellationError` when the attempt has been abandoned; ``ProcessingError`` with
    ///   code `cancelled` when a stop has ended the wait.
    func waiting<Value: Sendable>(
        for wait: EngineWait, in context: Context, _ body: @escaping @Sendable (WaitSign) async throws -> Value
    ) async throws -> Value
}
