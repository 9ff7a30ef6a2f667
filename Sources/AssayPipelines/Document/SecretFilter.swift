import Assay
import Foundation

/// Keeps the values of environment variables out of what is written down.
struct SecretFilter: Sendable {
    private let texts: Secret<[String]>

    /// A filter for `secrets`, also as they look within JSON and within a URL.
    init(_ secrets: [Secret<String>]) {
        var texts: Set<String> = []
        for secret in secrets.map(\.revealed) where !secret.isEmpty {
            texts.insert(secret)
            texts.insert(String(decoding: JSONText.escaped(secret), as: UTF8.self))
            texts.insert(URLText.escaped(secret))
        }
        // Longest first, so that a secret within another does not leave the rest of it.
        self.texts = Secret(texts.sorted { ($1.utf8.count, $0) < ($0.utf8.count, $1) })
    }

    /// `text` with `***` in place of each secret.
    func hiding(_ text: String) -> String {
        texts.revealed.reduce(text) { $0.replacingOccurrences(of: $1, with: "***", options: .literal) }
    }
}

/// JSON as text.
private enum JSONText {
    /// `text` as it stands between the quotes of a JSON text.
    static func escaped(_ text: String) -> ArraySlice<UInt8> { JSONValue.string(text).jsonBytes.dropFirst().dropLast() }
}

/// URLs as text.
enum URLText {
    /// Letters, digits and the four marks that stand for themselves everywhere in a URL.
    private static let plain = CharacterSet(
        charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")

    /// `text` with everything else as percent and two digits.
    static func escaped(_ text: String) -> String { text.addingPercentEncoding(withAllowedCharacters: plain) ?? text }
}
