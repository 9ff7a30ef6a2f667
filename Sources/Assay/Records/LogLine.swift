public import Logging

/// A line that a program, a worker or a processor said while it worked in a run.
public struct LogLine: Hashable, Sendable {
    /// Where it was said.
    public enum Source: String, Codable, Sendable, CaseIterable {
        /// On the error stream of a program or a worker process.
        case stderr
        /// With `log`, or to ``Context/logger``.
        case log
        /// On the output of a program, as no answer.
        case output
    }

    /// The longest text in bytes; what is longer loses its end.
    public static let longestText = 64 << 10

    /// Rises over all lines of a store; 0 before it is filed.
    public var number: Int
    /// The run.
    public let runID: Run.ID
    /// The processor, or the node of a graph.
    public let processorID: Identifier
    /// The item; `nil` when it was said while none was worked on.
    public let inputID: String?
    /// The attempt at the item, from 1; 0 without an item.
    public let attempt: Int
    /// Where it was said.
    public let source: Source
    /// How much it matters, by the word of who said it; `info` on streams.
    public let level: Logger.Level
    /// When it was said.
    public let timestamp: Timestamp
    /// What was said, secrets hidden and control characters escaped.
    public let text: String

    /// A line of the given parts.
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

    /// What it counts for in ``LogLimits``, in bytes: its text and what is kept with it.
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

/// How much a store keeps of what is said, in bytes.
public struct LogLimits: Hashable, Sendable {
    /// Of one item in one run; the newest lines are kept. What is said without an item counts as one.
    public var item: Int
    /// In all; the oldest lines are dropped.
    public var total: Int

    /// 64 KiB an item, 256 MiB in all.
    public static let standard = LogLimits(item: 64 << 10, total: 256 << 20)

    /// Limits of the given sizes.
    public init(item: Int, total: Int) { (self.item, self.total) = (item, total) }
}

/// Which lines are asked for.
public struct LogFilter: Hashable, Sendable {
    /// The run.
    public var runID: Run.ID
    /// Only those of this item.
    public var inputID: String?
    /// Only those of this processor, or node of a graph.
    public var processorID: Identifier?
    /// Only those after the one of this number.
    public var after: Int

    /// A filter of the given parts.
    public init(runID: Run.ID, inputID: String? = nil, processorID: Identifier? = nil, after: Int = 0) {
        self.runID = runID
        self.inputID = inputID
        self.processorID = processorID
        self.after = after
    }

    /// Whether `line` fits.
    public func matches(_ line: LogLine) -> Bool {
        line.runID == runID && line.number > after && (processorID.map { $0 == line.processorID } ?? true)
            && (inputID.map { input in line.inputID.map { $0.utf8.elementsEqual(input.utf8) } ?? false } ?? true)
    }
}
