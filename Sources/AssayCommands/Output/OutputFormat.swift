import ArgumentParser

/// The format of a command's data.
package enum OutputFormat: String, CaseIterable, ExpressibleByArgument, Sendable {
    /// Tables and sentences for people.
    case table
    /// One JSON object.
    case json
    /// One JSON object per line.
    case jsonl
    /// No data.
    case none
}
