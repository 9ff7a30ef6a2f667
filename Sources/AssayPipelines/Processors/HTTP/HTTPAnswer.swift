import Assay
import Foundation

/// The response of a web service.
struct HTTPAnswer: Sendable {
    /// The status code.
    let status: Int
    /// The headers, by lowercase name.
    let headers: [String: String]
    /// The body; `nil` if it is too large.
    let body: [UInt8]?
    /// Whether the service had acted on an earlier request, and this response is to a request that fetches its result.
    var isSequel = false

    /// Whether it is a redirect.
    var isRedirect: Bool { [301, 302, 303, 307, 308].contains(status) }

    /// Whether the service refuses the request for now and has not done its work.
    var isRefusedForNow: Bool { [425, 429].contains(status) }

    /// Whether the service may have done its work despite the answer.
    ///
    /// A gateway answers 408 and 5xx when it does not know either, and a redirect that leads nowhere says only that the
    /// answer is elsewhere. Other refusals are the service's own statement that it did nothing.
    var leavesDoubt: Bool {
        isSequel || isRedirect || status == 408 || status >= 500
    }

    /// Whether the content type of the body is JSON.
    var isJSON: Bool {
        let type = (headers["content-type"] ?? "").prefix { $0 != ";" }.lowercased()
            .trimmingCharacters(in: .whitespaces)
        return type == "application/json" || type.hasSuffix("+json")
    }

    /// Returns the beginning of the body for a message, with secrets hidden; `nil` for a body that is empty or not
    /// text.
    func excerpt(_ filter: SecretFilter) -> String? {
        guard let body, !body.isEmpty, let text = String(validating: body, as: UTF8.self) else { return nil }
        return filter.excerpt(of: body, characters: 500) + (text.count > 500 ? "…" : "")
    }
}

/// The reason for a missing response.
struct HTTPFailure: Error {
    /// The description of the failure.
    let message: String
    /// Whether the request certainly did not reach the service.
    let isCertain: Bool
}
