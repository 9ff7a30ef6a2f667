package import Assay

/// One thing that is wrong in a configuration file.
package struct Finding: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file as the user named it.
    package let file: String
    /// Where in the file; `nil` when it concerns the file as such.
    package let position: SourcePosition?
    /// What is wrong and what to do about it.
    package let message: String

    /// `FILE:LINE:COLUMN: WHAT`, or `FILE: WHAT` without a position.
    package var description: String {
        let place = position.map { ":\($0.line):\($0.column)" } ?? ""
        return "\(file.printable)\(place): \(message)"
    }
}

/// Everything that is wrong in one configuration file, collected while it is read.
///
/// Readers report here and go on, so that the user learns of all mistakes at once.
package final class Findings {
    /// The file as the user named it.
    package let file: String
    /// Whether what is read is a copy of the file, whose lines are not those of the file.
    package var isCopy = false
    private var reported: [Finding] = []
    private var warned: [Finding] = []
    private var omitted = 0
    private var suggestions = 0
    /// Letters that were compared for suggestions.
    private var compared = 0

    /// Findings beyond this many are only counted, so that a file of nothing but mistakes costs no more than another.
    private static let kept = 10_000

    /// No findings yet in `file`.
    package init(file: String) { self.file = file }

    /// Adds what is wrong at `position`.
    package func report(_ message: @autoclosure () -> String, at position: SourcePosition?) {
        if reported.count < Self.kept {
            reported.append(Finding(file: file, position: position, message: message()))
        } else {
            omitted += 1
        }
    }

    /// Where something stands, for messages of runs: `pipeline.yaml:12`.
    package func place(of position: SourcePosition) -> String {
        let name = (file.split(separator: "/").last.map(String.init) ?? file).visible
        return isCopy ? name : "\(name):\(position.line)"
    }

    /// Adds what may not be meant at `position` and keeps nobody from using the file.
    package func warn(_ message: String, at position: SourcePosition?) {
        if warned.count < Self.kept { warned.append(Finding(file: file, position: position, message: message)) }
    }

    /// What may not be meant, by position.
    package var warnings: [Finding] {
        let start = SourcePosition(line: 0, column: 0)
        return warned.enumerated()
            .sorted { ($0.element.position ?? start, $0.offset) < ($1.element.position ?? start, $1.offset) }
            .map(\.element)
    }

    /// Adds findings of another file that this one refers to; they follow those of this file.
    package func report(_ others: [Finding]) { reported += others }

    /// The end of a finding about `written`, which is none of `known`: see ``Suggestion``.
    ///
    /// The first 100 are answered, which is more than will be shown, and fewer where there are very many known words: a
    /// file full of unknown ones costs no more.
    package func suggestion(for written: String, among known: @autoclosure () -> [String]) -> String {
        suggestions += 1
        guard suggestions <= 100, compared <= Self.mostCompared else { return "" }
        let known = known()
        compared += known.count * (min(written.utf8.count, 1_000) + 10)
        return Suggestion(for: written, among: known).ending
    }

    private static let mostCompared = 500_000

    /// Whether nothing is wrong so far.
    package var isEmpty: Bool { reported.isEmpty }

    /// How many there are.
    package var count: Int { reported.count + omitted }

    /// All findings that were kept: first those of this file, by position.
    package var all: [Finding] { reported.enumerated().sorted { rank($0) < rank($1) }.map(\.element) }

    private func rank(_ finding: (offset: Int, element: Finding)) -> (Int, SourcePosition, Int) {
        let start = SourcePosition(line: 0, column: 0)
        // Findings of other files come sorted.
        guard finding.element.file == file else { return (1, start, finding.offset) }
        return (0, finding.element.position ?? start, finding.offset)
    }

    /// Ends reading if anything is wrong.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration`. Its message has the findings, as far as a message is
    ///   long; its cause is a ``ConfigurationError``, which has them all.
    package func check() throws(ProcessingError) {
        guard isEmpty else { throw error }
    }

    /// The findings so far as one failure.
    var error: ProcessingError {
        let cause = ConfigurationError(findings: all, omitted: omitted)
        return ProcessingError(.configuration, cause.description, cause: cause)
    }
}

/// The findings for which a configuration was refused.
package struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Findings beyond this many are only counted.
    static let shown = 50

    /// The findings, by position.
    package let findings: [Finding]
    /// How many there are besides.
    package let omitted: Int

    /// At most 50 findings, one a line, then how many there are besides.
    package var lines: [String] {
        let rest = findings.count + omitted - Self.shown
        return findings.prefix(Self.shown).map(\.description) + (rest > 0 ? ["and \(rest) more"] : [])
    }

    package var description: String { lines.joined(separator: "\n") }
}

extension ProcessingError {
    /// The findings for which a configuration was refused; none for other failures.
    package var findings: [Finding] { (cause as? ConfigurationError)?.findings ?? [] }
}
