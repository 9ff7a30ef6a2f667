package import Assay

/// What a command writes to, set up as the user wants it.
package struct Console: Sendable {
    /// The settings of the command.
    package let settings: Settings
    /// How data is written.
    package private(set) var format: OutputFormat
    /// Messages and progress.
    package let screen: Screen
    /// Colours in data.
    package let paint: Paint
    /// Colours in messages.
    package let messagePaint: Paint
    private let output: any ByteSink

    /// The console of a command that was given `flags`.
    ///
    /// - Throws: ``CommandFailure`` or ``ProcessingError`` when a setting is wrong.
    package init(_ flags: [Settings.Key: String?], in shell: Shell) throws {
        settings = try Settings(flags: flags, in: shell)
        format = try settings.output()
        let color = try settings.color()
        output = shell.output
        screen = Screen(shell.messages)
        paint = Paint(color, environment: shell.environment, isTerminal: shell.output.columns != nil)
        messagePaint = Paint(color, environment: shell.environment, isTerminal: shell.messages.columns != nil)
        for warning in settings.warnings { warn(warning) }
    }

    /// How many columns there are for data; `nil` when it does not go to a terminal.
    package var columns: Int? { output.columns }

    /// Writes lines of data.
    ///
    /// - Throws: ``SinkError``, also when the reader has gone.
    package func write(lines: [String]) throws(SinkError) {
        guard !lines.isEmpty else { return }
        try output.write(Array((lines.joined(separator: "\n") + "\n").utf8))
    }

    /// Writes JSON texts or parts of them as they are.
    package func write(json: String) throws(SinkError) {
        try output.write(Array((output.columns == nil ? json : json.safeJSON).utf8))
    }

    /// Writes text as it is.
    package func write(text: String) throws(SinkError) { try output.write(Array(text.utf8)) }

    /// Writes one fact for programs; tables have no place for it.
    package func write(fact json: JSONValue) throws(SinkError) {
        guard format == .json || format == .jsonl else { return }
        try write(json: json.json + "\n")
    }

    /// Writes a table that fits the terminal.
    package func write(_ table: TextTable) throws(SinkError) {
        try write(lines: table.lines(width: columns, paint: paint))
    }

    /// The console without any data, for work that is not what the command is about.
    package var silent: Console {
        var console = self
        console.format = .none
        return console
    }

    /// Says something that matters although all goes well, unless the user wants quiet.
    package func note(_ text: String) { screen.say(text) }

    /// Says that something is wrong that stops nothing.
    package func warn(_ text: String) { screen.say(messagePaint("warning:", .yellow) + " \(text)") }
}
