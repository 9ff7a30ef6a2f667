package import Logging

/// A step that a processor asks for.
package struct OpenedStep: Sendable {
    /// Its full name: `outer/inner`, `name#2`.
    package var path: String
    /// The attempt that asks for it.
    package var attempt: Int
    /// Its saved value, when it has one.
    package var saved: JSONValue?
    /// When it was opened.
    package var start: Duration

    package init(path: String, attempt: Int, saved: JSONValue?, start: Duration) {
        self.path = path
        self.attempt = attempt
        self.saved = saved
        self.start = start
    }
}

/// The part of a run's options that a processor that starts programs asks for.
package struct WorkTerms: Sendable {
    /// The longest an attempt may take.
    package var itemTimeout: Duration
    /// How many items may be in flight.
    package var maxWorkers: Int
    /// What the run does with what earlier runs saved.
    package var recovery: RecoveryMode
}

/// The engine's side of a ``Context``: what a processor asks for is handed in here.
package protocol Desk: Sendable {
    /// What a processor that starts programs asks about the run.
    var terms: WorkTerms { get }
    func logger(for context: Context) -> Logger
    /// Keeps what was said by who works for `context`, secrets hidden.
    func say(_ text: String, at level: Logger.Level, from source: LogLine.Source, in context: Context)
    /// Tells those who watch of something that is not right and fails nothing.
    func warn(_ message: String, in context: Context)
    func openStep(_ name: String, inside outer: String?, in context: Context) async throws -> OpenedStep
    func rejectSaved(_ path: String, because error: any Error, in context: Context) async throws
    func failStep(_ step: OpenedStep)
    func closeStep(_ step: OpenedStep, value: Payload, in context: Context) async throws
    /// Records a charge, at once or with the work it belongs to; the answer is whether it is on record already.
    func charge(_ usage: Usage, in context: Context) async throws -> Bool
    func openCall(_ request: CallRequest, in context: Context) async throws -> CallDecision
    func closeCall(_ call: Call, _ end: CallEnd, in context: Context) async throws
    func emit(_ chunk: Payload, in context: Context) async throws
    func heartbeat(in context: Context) throws
    /// Takes note that what works on the item has answered: it does not die of whatever it is given.
    func answered(in context: Context)
    /// Says once in a run what is odd about what works on its items; where that may be why an attempt ran out of time, its
    /// failure says it as well.
    func hint(_ kind: String, _ message: String, explainsTimeout: Bool, in context: Context)
    /// Has the item wait for something while `body` runs: its time limit and heartbeat limit stand still, those who
    /// watch the run are shown why, and a stop ends it.
    ///
    /// `body` does nothing but wait; it ends when its task is cancelled. Several waits of one item may overlap.
    ///
    /// - Throws: what `body` throws; `CancellationError` when the attempt has been given up; ``ProcessingError`` with
    ///   code `cancelled` when a stop has ended the wait.
    func waiting<Value: Sendable>(
        for wait: EngineWait, in context: Context, _ body: @escaping @Sendable (WaitSign) async throws -> Value
    ) async throws -> Value
}
