import Assay
import Foundation
import FoundationNetworking

/// The request that an `http` processor makes for each item.
struct HTTPPlan: Sendable {
    /// The HTTP method.
    enum Method: String, CaseIterable {
        case get = "GET"
        case head = "HEAD"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"

        /// Whether its requests have a body.
        var hasBody: Bool { [.post, .put, .patch].contains(self) }
    }

    /// The content of the body.
    enum Body: String, CaseIterable {
        case data, none
    }

    private let method: Method
    private let url: Secret<URL>
    private let headers: Secret<[(name: String, value: String)]>
    private let sendsData: Bool
    /// The parts that identify the request besides the item, with environment variables by name.
    private let written: JSONObject
    /// A filter that keeps environment variables out of messages.
    let filter: SecretFilter
    /// The name of the request in messages: method and address as written in the file.
    let title: String
    /// The host as written in the file; `nil` if the address begins with an environment variable.
    let host: String?
    /// Method and path as written in the file; `nil` as for ``host``.
    let operation: String?

    /// The names of the headers that the file sets, any of which may hold credentials.
    var headerNames: [String] { headers.revealed.map(\.name) }

    /// Returns the key of a call; calls with equal keys are the same call.
    func key(for input: JSONValue) -> JSONValue {
        var key = written
        if sendsData { key["body"] = input }
        return .object(key)
    }

    /// Returns the request for an item.
    ///
    /// - Parameter header: the header in which the service expects the key.
    func request(for input: JSONValue, idempotencyKey: String, in header: String) -> URLRequest {
        var request = URLRequest(url: url.revealed)
        request.httpMethod = method.rawValue
        request.setValue("application/json, text/*;q=0.9, */*;q=0.5", forHTTPHeaderField: "Accept")
        request.setValue("assay", forHTTPHeaderField: "User-Agent")
        if sendsData {
            request.httpBody = Data(input.jsonBytes)
            request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        }
        for (name, value) in headers.revealed { request.setValue(value, forHTTPHeaderField: name) }
        request.setValue(idempotencyKey, forHTTPHeaderField: header)
        return request
    }
}

extension HTTPPlan {
    /// Reads the parameters that make the request; `nil` after a finding.
    init?(_ parameters: MapReader, _ surroundings: Surroundings) {
        let method = parameters["method"].map { $0.word("method", as: Method.self) } ?? .post
        let body = parameters["body"].map { $0.word("body", as: Body.self) } ?? .data
        let headers = parameters["headers"].map(Self.headers) ?? []
        let query = parameters["query"].map(Self.query) ?? []
        guard let address = parameters.required("url"), let text = address.text(), let method, let body, let headers,
            let query
        else { return nil }
        let pairs = query.map { "\(URLText.escaped($0.name))=\(URLText.escaped($0.value))" }.joined(separator: "&")
        let full = pairs.isEmpty ? text : text + (text.contains("?") ? "&" : "?") + pairs
        guard full.utf8.count <= Self.longestAddress else {
            address.report("url must be at most \(Self.longestAddress) bytes long with its query")
            return nil
        }
        guard let parts = URLComponents(string: full), let url = parts.url,
            ["http", "https"].contains(parts.scheme?.lowercased()), parts.host?.isEmpty == false,
            parts.fragment == nil
        else {
            address.outside("an address such as https://example.com/v1/check")
            return nil
        }
        guard parts.user == nil, parts.password == nil else {
            address.report("url must not hold a user name or password; use the header 'Authorization'")
            return nil
        }
        let written = surroundings.parameters.written
        let shown = written["url"]?.string ?? ""
        self.method = method
        self.url = Secret(url)
        self.headers = Secret(headers)
        sendsData = body == .data && method.hasBody
        filter = surroundings.parameters.filter
        title = "\(method.rawValue) \(String(shown.prefix { $0 != "?" }).visible)"
        self.written = [
            "method": .string(method.rawValue), "url": .string(shown), "headers": written["headers"] ?? .null,
            "query": written["query"] ?? .null,
        ]
        guard let start = shown.range(of: "://")?.upperBound else {
            (host, operation) = (nil, nil)
            return
        }
        let rest = shown[start...].prefix { $0 != "?" }
        let authority = rest.prefix { $0 != "/" }
        let path = rest[authority.endIndex...]
        let port =
            authority.range(of: ":[0-9]+$", options: .regularExpression)?.lowerBound
            ?? authority.range(of: ":${")?.lowerBound
        host = String(authority[..<(port ?? authority.endIndex)])
        operation = "\(method.rawValue) \(path.isEmpty ? "/" : path)"
    }

    /// The longest address, in bytes. No service accepts longer ones, and parsing them takes time.
    static let longestAddress = 16_384

    /// Headers that only the request itself may set.
    private static let reserved = [
        "connection", "content-length", "expect", "host", "transfer-encoding", "upgrade",
    ]

    /// Returns whether `text` is a valid header name.
    static func isHeaderName(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy {
                ($0 | 0x20) &- 97 < 26 || $0 &- 48 < 10 || "!#$%&'*+-.^_`|~".utf8.contains($0)
            }
    }

    /// Returns whether the request itself sets the header named `text`.
    static func isReserved(_ text: String) -> Bool { reserved.contains(text.lowercased()) }

    private static func headers(_ value: ValueReader) -> [(name: String, value: String)]? {
        guard let entries = value.entries() else { return nil }
        var seen: Set<String> = []
        return entries.compactMap { entry in
            guard let text = entry.value.text() else { return nil }
            func refuse(_ reason: String) { value.findings.report(reason, at: entry.keyPosition) }
            if !isHeaderName(entry.key) {
                refuse("\(entry.key.quoted) is not the name of a header")
            } else if isReserved(entry.key) || entry.key.lowercased() == "idempotency-key" {
                refuse("header \(entry.key.quoted) is set by the request itself")
            } else if !seen.insert(entry.key.lowercased()).inserted {
                refuse("header \(entry.key.quoted) is given twice")
            } else if text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) {
                // Omit the value, which may be a secret.
                entry.value.report("header \(entry.key.quoted) must not hold control characters")
            } else {
                return (entry.key, text)
            }
            return nil
        }
    }

    private static func query(_ value: ValueReader) -> [(name: String, value: String)]? {
        value.entries()?.compactMap { entry in
            switch entry.value.node.value {
            case .number(let number): return (entry.key, number.description)
            case .bool(let flag): return (entry.key, "\(flag)")
            case .text: return entry.value.text().map { (entry.key, $0) }
            default:
                entry.value.expected("text, a number, true or false")
                return nil
            }
        }
    }
}
