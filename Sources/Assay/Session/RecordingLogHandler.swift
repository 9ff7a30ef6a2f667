import Logging

/// A log handler for a processor at work. What it logs is kept with the run and passed on to the engine's own log.
struct RecordingLogHandler: LogHandler {
    let session: RunSession
    let context: Context
    /// The level below which nothing is written: that of the engine's log, but at most `info`.
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    init(_ session: RunSession, _ context: Context) {
        (self.session, self.context) = (session, context)
        logLevel = min(.info, session.logger(item: nil).logLevel)
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let more = metadata.merging(event.metadata ?? [:]) { $1 }
        let facts = more.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        session.say("\(event.message)\(facts)", at: event.level, from: .log, in: context)
    }
}

extension RunSession {
    /// Returns the log of the processor at work in `context`.
    func logger(for context: Context) -> Logger {
        Logger(label: "assay") { _ in RecordingLogHandler(self, context) }
    }
}
