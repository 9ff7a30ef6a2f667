import Assay
import Foundation

/// The header by which a service says when to retry.
enum RetryAfter {
    /// Returns the wait that `text` requests at `moment`: a number of seconds or an HTTP date; `nil` for anything else.
    static func wait(_ text: String, since moment: Timestamp) -> Duration? {
        let text = text.trimmingCharacters(in: .whitespaces)
        if !text.isEmpty, text.utf8.allSatisfy({ $0 &- 48 < 10 }) {
            // More digits than a number holds mean a longer wait than anyone accepts.
            return .seconds(min(Int(text) ?? .max, 1_000_000_000))
        }
        return date(text).map { max(.zero, .milliseconds($0.milliseconds - moment.milliseconds)) }
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Parses a date such as `Sun, 06 Nov 1994 08:49:37 GMT`, the only form that servers may send.
    private static func date(_ text: String) -> Timestamp? {
        let parts = text.split(separator: " ").map(String.init)
        guard parts.count == 6, parts[0].hasSuffix(","), parts[5] == "GMT",
            let month = months.firstIndex(of: parts[2])
        else { return nil }
        let number = month + 1 < 10 ? "0\(month + 1)" : "\(month + 1)"
        return Timestamp("\(parts[3])-\(number)-\(parts[1])T\(parts[4])Z")
    }
}

extension Timestamp {
    /// Returns the current time of the machine's clock.
    static func now() -> Timestamp { Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000)) }
}
