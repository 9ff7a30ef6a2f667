import Assay
import Logging

/// The output of a program besides its answers, kept with the run that it works for.
struct ProgramLog: Sendable {
    /// The longest line to keep, in bytes.
    static let maximumBytes = LogLine.longestText

    let context: Context
    let filter: SecretFilter

    /// Records a line, with the program's secrets hidden.
    func write(_ text: String, at level: Logger.Level = .info, from source: LogLine.Source) {
        context.desk.say(filter.hiding(text), at: level, from: source, in: context)
    }
}
