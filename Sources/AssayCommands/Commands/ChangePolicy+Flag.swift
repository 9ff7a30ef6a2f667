import Assay

extension ChangePolicy {
    /// Parses the value of `--on-change`.
    ///
    /// - Throws: ``CommandFailure`` with status `usage` for another word, with the nearest known one.
    init(flag text: String) throws(CommandFailure) {
        let words = Self.allCases.map(\.rawValue)
        guard let choice = Self(rawValue: text) else {
            throw CommandFailure.usage(
                "unknown choice '\(text)' for --on-change" + Nearest.ending(for: text, among: words))
        }
        self = choice
    }
}
