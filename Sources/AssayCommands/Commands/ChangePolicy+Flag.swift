import Assay

extension ChangePolicy {
    /// What `--on-change` says.
    ///
    /// - Throws: ``CommandFailure`` of usage for another word, naming the nearest.
    init(flag text: String) throws(CommandFailure) {
        let words = Self.allCases.map(\.rawValue)
        guard let choice = Self(rawValue: text) else {
            throw CommandFailure.usage(
                "unknown choice '\(text)' for --on-change" + Nearest.ending(for: text, among: words))
        }
        self = choice
    }
}
