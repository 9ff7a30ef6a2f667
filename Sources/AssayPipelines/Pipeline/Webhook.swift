import Assay
import Foundation
import FoundationNetworking

/// A destination of alerts, which are sent as JSON in the body of a POST.
struct Webhook: Sendable {
    /// Makes a request and returns the status of its response.
    typealias Send = @Sendable (URLRequest) async throws -> Int

    private let url: URL
    private let send: Send
    private let timeout: Duration
    private let time: any TimeSource

    /// The function that makes requests outside of tests.
    static let http: Send = { try await HTTPClient.shared.send($0).status }

    init(
        _ url: URL, timeout: Duration = .seconds(30), time: any TimeSource = World.system.time,
        send: @escaping Send = http
    ) {
        self.url = url
        self.timeout = timeout
        self.time = time
        self.send = send
    }

    /// Sends an alert and returns when it is accepted.
    ///
    /// - Throws: ``ProcessingError`` with code `api` if it is not accepted, `timeout` if that takes too long.
    func send(_ alert: Alert) async throws {
        var request = URLRequest(url: url)
        request.httpMethod = "POST"
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        request.setValue("assay", forHTTPHeaderField: "User-Agent")
        request.httpBody = Data(alert.jsonValue.jsonBytes)
        // The path and the query of such an address are often its only protection.
        let secrets = SecretFilter([url.absoluteString, url.path, url.query].compactMap { $0 })
        let host = (url.host ?? "").quoted
        let status: Int?
        do { status = try await self.status(of: request) } catch let failure as HTTPFailure {
            let message = secrets.hiding(failure.message)
            throw ProcessingError(.api, "webhook \(host): \(message)", cause: failure)
        }
        guard let status else {
            throw ProcessingError(.timeout, "webhook \(host) did not answer within \(timeout / .seconds(1)) s")
        }
        guard (200..<300).contains(status) else { throw ProcessingError(.api, "webhook \(host) answered \(status)") }
    }

    /// Returns the status of the response; `nil` after the time-out.
    private func status(of request: URLRequest) async throws -> Int? {
        let deadline = time.uptime() + timeout
        return try await withThrowingTaskGroup(of: Int?.self) { group in
            group.addTask { try await send(request) }
            group.addTask { [time] in
                try await time.sleep(until: deadline)
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }
}

extension Webhook {
    /// Reads an address; `nil` after a finding.
    init?(_ value: ValueReader) {
        guard let text = value.text() else { return nil }
        guard text.utf8.count <= HTTPPlan.longestAddress else {
            value.report("webhook must be at most \(HTTPPlan.longestAddress) bytes long")
            return nil
        }
        guard let parts = URLComponents(string: text), let url = parts.url,
            ["http", "https"].contains(parts.scheme?.lowercased()), parts.host?.isEmpty == false,
            parts.fragment == nil
        else {
            value.outside("an address such as https://example.com/alerts")
            return nil
        }
        guard parts.user == nil, parts.password == nil else {
            value.report("webhook must not hold a user name or password")
            return nil
        }
        self.init(url)
    }
}
