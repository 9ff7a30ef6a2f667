import Assay
import Logging

/// What a program writes besides its answers, as it is kept with the run it works for.
struct ProgramLog: Sendable {
    /// The longest line that is kept.
    static let maximumBytes = LogLine.longestText

    let context: Context
    let filter: SecretFilter

    /// Keeps a line, what the program knows in secret hidden.
    func write(_ text: String, at level: Logger.Level = .info, from source: LogLine.Source) {
        context.desk.say(filter.hiding(text), at: level, from: source, in: context)
    }
}
