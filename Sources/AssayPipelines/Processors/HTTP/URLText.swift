import Foundation

/// URLs as text.
enum URLText {
    /// Letters, digits and the four marks that stand for themselves everywhere in a URL.
    private static let plain = CharacterSet(
        charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")

    /// `text` with everything else as percent and two digits.
    static func escaped(_ text: String) -> String { text.addingPercentEncoding(withAllowedCharacters: plain) ?? text }
}
