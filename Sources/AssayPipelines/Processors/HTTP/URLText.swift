import Foundation

/// URLs as text.
enum URLText {
    /// Letters, digits and the four marks that need no escape anywhere in a URL.
    private static let plain = CharacterSet(
        charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")

    /// Returns `text` with every other byte percent-encoded.
    static func escaped(_ text: String) -> String { text.addingPercentEncoding(withAllowedCharacters: plain) ?? text }
}
