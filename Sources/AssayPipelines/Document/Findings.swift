package import Assay

/// A mistake in a configuration file.
package struct Finding: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file as the user named it.
    package let file: String
    /// The position in the file; `nil` if the finding concerns the whole file.
    package let position: SourcePosition?
    /// The mistake and its remedy.
    package let message: String

    /// `FILE:LINE:COLUMN: WHAT`, or `FILE: WHAT` without a position.
    package var description: String {
        let place = position.map { ":\($0.line):\($0.column)" } ?? ""
        return "\(file.printable)\(place): \(message)"
    }
}

/// All findings about one configuration file, collected while it is read.
///
/// Readers report here and continue, so that the user learns of all mistakes at once.
package final class Findings {
    /// The file as the user named it.
    package let file: String
    /// Whether the text being read is a copy of the file, with other line numbers.
    package var isCopy = false
    private var reported: [Finding] = []
    private var warned: [Finding] = []
    private var omitted = 0
    private var suggestions = 0
    /// The number of letters compared for suggestions.
    private var compared = 0

    /// The number of findings to keep. Further ones are only counted, so that a file full of mistakes costs no more
    /// than another.
    private static let kept = 10_000

    /// Creates an empty collection for `file`.
    package init(file: String) { self.file = file }

    /// Adds a finding at `position`.
    package func report(_ message: @autoclosure () -> String, at position: SourcePosition?) {
        if reported.count < Self.kept {
            reported.append(Finding(file: file, position: position, message: message()))
        } else {
            omitted += 1
        }
    }

    /// Returns a position for messages of runs: `pipeline.yaml:12`.
    package func place(of position: SourcePosition) -> String {
        let name = (file.split(separator: "/").last.map(String.init) ?? file).visible
        return isCopy ? name : "\(name):\(position.line)"
    }

    /// Adds a warning at `position`. The file can still be used.
    package func warn(_ message: String, at position: SourcePosition?) {
        if warned.count < Self.kept { warned.append(Finding(file: file, position: position, message: message)) }
    }

    /// The warnings, by position.
    package var warnings: [Finding] {
        let start = SourcePosition(line: 0, column: 0)
        return warned.enumerated()
            .sorted { ($0.element.position ?? start, $0.offset) < ($1.element.position ?? start, $1.offset) }
            .map(\.element)
    }

    /// Adds findings of another file that this one refers to. They follow those of this file.
    package func report(_ others: [Finding]) { reported += others }

    /// Returns the ending of a finding about `written`, which is not among `known`: see ``Suggestion``.
    ///
    /// Only the first 100 requests get a suggestion, which is more than will be shown, and fewer when there are very
    /// many known words. So a file full of unknown words costs no more.
    package func suggestion(for written: String, among known: @autoclosure () -> [String]) -> String {
        suggestions += 1
        guard suggestions <= 100, compared <= Self.mostCompared else { return "" }
        let known = known()
        compared += known.count * (min(written.utf8.count, 1_000) + 10)
        return Suggestion(for: written, among: known).ending
    }

    private static let mostCompared = 500_000

    /// Whether there are no findings so far.
    package var isEmpty: Bool { reported.isEmpty }

    /// The number of findings, including those that were not kept.
    package var count: Int { reported.count + omitted }

    /// All kept findings: first those of this file, by position.
    package var all: [Finding] { reported.enumerated().sorted { rank($0) < rank($1) }.map(\.element) }

    private func rank(_ finding: (offset: Int, element: Finding)) -> (Int, SourcePosition, Int) {
        let start = SourcePosition(line: 0, column: 0)
        // Findings of other files arrive sorted.
        guard finding.element.file == file else { return (1, start, finding.offset) }
        return (0, finding.element.position ?? start, finding.offset)
    }

    /// Throws if there are findings.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration`. Its message has as many findings as fit; its cause is a
    ///   ``ConfigurationError`` with all of them.
    package func check() throws(ProcessingError) {
        guard isEmpty else { throw error }
    }

    /// The findings so far as one error.
    var error: ProcessingError {
        let cause = ConfigurationError(findings: all, omitted: omitted)
        return ProcessingError(.configuration, cause.description, cause: cause)
    }
}

/// An error with the findings for which a configuration was refused.
package struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The number of findings to show. Further ones are only counted.
    static let shown = 50

    /// The findings, by position.
    package let findings: [Finding]
    /// The number of findings that were not kept.
    package let omitted: Int

    /// At most 50 findings, one per line, then the number of the others.
    package var lines: [String] {
        let rest = findings.count + omitted - Self.shown
        return findings.prefix(Self.shown).map(\.description) + (rest > 0 ? ["and \(rest) more"] : [])
    }

    package var description: String { lines.joined(separator: "\n") }
}

extension ProcessingError {
    /// The findings for which a configuration was refused; empty for other failures.
    package var findings: [Finding] { (cause as? ConfigurationError)?.findings ?? [] }
}
