import ArgumentParser

/// How a command writes its data.
package enum OutputFormat: String, CaseIterable, ExpressibleByArgument, Sendable {
    /// Tables and sentences for people.
    case table
    /// One JSON object.
    case json
    /// One JSON object a line.
    case jsonl
    /// Not at all.
    case none
}
