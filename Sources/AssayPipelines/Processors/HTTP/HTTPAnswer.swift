import Assay
import Foundation

/// What a web service answered.
struct HTTPAnswer: Sendable {
    /// The status code.
    let status: Int
    /// The headers by their names in lower case.
    let headers: [String: String]
    /// The body; `nil` if it is larger than may be.
    let body: [UInt8]?
    /// Whether the service had done something for an earlier request, and this one was to fetch what came of it.
    var isSequel = false

    /// Whether it sends the one who asked elsewhere.
    var isRedirect: Bool { [301, 302, 303, 307, 308].contains(status) }

    /// Whether it says that the service does not take the request now, and has not done its work.
    var isRefusedForNow: Bool { [425, 429].contains(status) }

    /// Whether the service may have done its work all the same.
    ///
    /// A gateway answers 408 and 5xx when it does not know either, and a redirect that leads nowhere says only that
    /// the answer is somewhere else. Other refusals are the service's own word that it did nothing.
    var leavesDoubt: Bool {
        isSequel || isRedirect || status == 408 || status >= 500
    }

    /// Whether the body says that it is JSON.
    var isJSON: Bool {
        let type = (headers["content-type"] ?? "").prefix { $0 != ";" }.lowercased()
            .trimmingCharacters(in: .whitespaces)
        return type == "application/json" || type.hasSuffix("+json")
    }

    /// The beginning of the body for a message, secrets hidden; `nil` for one that is empty or no text.
    func excerpt(_ filter: SecretFilter) -> String? {
        guard let body, !body.isEmpty, let text = String(validating: body, as: UTF8.self) else { return nil }
        return filter.excerpt(of: body, characters: 500) + (text.count > 500 ? "…" : "")
    }
}

/// Why there is no answer.
struct HTTPFailure: Error {
    /// What happened.
    let message: String
    /// Whether the request certainly did not reach the service.
    let isCertain: Bool
}
