public import Logging

/// A line that a program, a worker or a processor wrote while it worked in a run.
public struct LogLine: Hashable, Sendable {
    /// The source of a line.
    public enum Source: String, Codable, Sendable, CaseIterable {
        /// The error stream of a program or a worker process.
        case stderr
        /// A call to `log` or ``Context/logger``.
        case log
        /// The output of a program, in a line that is not an answer.
        case output
    }

    /// The maximum length of the text, in bytes; longer text loses its end.
    public static let longestText = 64 << 10

    /// A number that rises over all lines of a store; 0 before the line is filed.
    public var number: Int
    /// The run.
    public let runID: Run.ID
    /// The processor, or the node of a graph.
    public let processorID: Identifier
    /// The item; `nil` when the line was written while no item was worked on.
    public let inputID: String?
    /// The attempt at the item, from 1; 0 without an item.
    public let attempt: Int
    /// The source.
    public let source: Source
    /// The severity that the author stated; `info` on streams.
    public let level: Logger.Level
    /// The time it was written.
    public let timestamp: Timestamp
    /// The text, with secrets hidden and control characters escaped.
    public let text: String

    /// Creates a line from the given parts.
    public init(
        number: Int = 0, runID: Run.ID, processorID: Identifier, inputID: String?, attempt: Int, source: Source,
        level: Logger.Level, timestamp: Timestamp, text: String
    ) {
        self.number = number
        self.runID = runID
        self.processorID = processorID
        self.inputID = inputID
        self.attempt = attempt
        self.source = source
        self.level = level
        self.timestamp = timestamp
        self.text = text.cut(toBytes: Self.longestText)
    }

    /// The size that counts for ``LogLimits``, in bytes: its text and what is kept with it.
    package var size: Int { text.utf8.count + 32 }

    /// The line as JSON.
    public var jsonValue: JSONValue {
        [
            "number": JSONValue(number), "run_id": .string(runID.text), "processor_id": .string(processorID.text),
            "input_id": JSONValue(inputID), "attempt": JSONValue(attempt), "source": .string(source.rawValue),
            "level": .string(level.rawValue), "timestamp": timestamp.jsonValue, "text": .string(text),
        ]
    }
}

/// Limits on how many bytes of log lines a store keeps.
public struct LogLimits: Hashable, Sendable {
    /// The limit for one item in one run; the newest lines are kept. Lines without an item count as one item.
    public var item: Int
    /// The limit in all; the oldest lines are dropped.
    public var total: Int

    /// The limits of 64 KiB an item and 256 MiB in all.
    public static let standard = LogLimits(item: 64 << 10, total: 256 << 20)

    /// Creates limits of the given sizes.
    public init(item: Int, total: Int) { (self.item, self.total) = (item, total) }
}

/// A filter for log lines.
public struct LogFilter: Hashable, Sendable {
    /// The run.
    public var runID: Run.ID
    /// The item; `nil` for any.
    public var inputID: String?
    /// The processor, or the node of a graph; `nil` for any.
    public var processorID: Identifier?
    /// The number of the line to start after.
    public var after: Int

    /// Creates a filter from the given parts.
    public init(runID: Run.ID, inputID: String? = nil, processorID: Identifier? = nil, after: Int = 0) {
        self.runID = runID
        self.inputID = inputID
        self.processorID = processorID
        self.after = after
    }

    /// Returns whether `line` matches.
    public func matches(_ line: LogLine) -> Bool {
        line.runID == runID && line.number > after && (processorID.map { $0 == line.processorID } ?? true)
            && (inputID.map { input in line.inputID.map { $0.utf8.elementsEqual(input.utf8) } ?? false } ?? true)
    }
}
