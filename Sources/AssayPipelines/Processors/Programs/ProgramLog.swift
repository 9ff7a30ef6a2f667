import Assay
import Logging

/// What a program writes besides its answers, as it appears in the log.
struct ProgramLog: Sendable {
    /// The longest line in the log.
    static let maximumBytes = 64 << 10

    let logger: Logger
    let filter: SecretFilter

    /// Writes a line, its control characters escaped and environment variables hidden.
    func write(_ text: String, at level: Logger.Level = .info) {
        guard logger.logLevel <= level else { return }
        logger.log(level: level, "\(filter.hiding(text.cut(toBytes: Self.maximumBytes)).printable)")
    }
}
