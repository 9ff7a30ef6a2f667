import Foundation
import FoundationNetworking
import Synchronization

/// An HTTP client: one response or one failure per request, with no state kept between them.
final class HTTPClient: NSObject, URLSessionDataDelegate {
    /// The shared client, which lives as long as the program.
    static let shared = HTTPClient()

    /// The largest body of a response, in bytes.
    static let maximumBytes = 16 << 20

    /// The number of redirects to follow for one request.
    private static let maximumRedirects = 5

    private struct Exchange {
        let continuation: CheckedContinuation<HTTPAnswer, any Error>
        var response: HTTPURLResponse?
        var body: [UInt8] = []
        var isTooLarge = false
    }

    private let exchanges = Mutex<[Int: Exchange]>([:])
    private let session = Mutex<URLSession?>(nil)

    /// Returns the response to `request`, following redirects within the same host.
    ///
    /// - Parameter headers: the names of headers that may hold credentials. A redirect to another scheme or port of the
    ///   host is followed without them.
    /// - Throws: ``HTTPFailure`` if there is no response; `CancellationError` if the calling task is cancelled.
    func send(_ request: URLRequest, private headers: [String] = []) async throws -> HTTPAnswer {
        var request = request
        // The engine decides how long a response may take and cancels this task.
        request.timeoutInterval = 7 * 86_400
        var isSequel = false
        var redirects = 0
        while true {
            var answer: HTTPAnswer
            do { answer = try await exchange(request) } catch let failure as HTTPFailure where isSequel {
                throw HTTPFailure(message: failure.message, isCertain: false)
            }
            // A redirect to the result of a request that changes something means that the request was carried out.
            if answer.isRedirect, !Self.keepsMethod(of: request, after: answer) { isSequel = true }
            answer.isSequel = isSequel
            guard redirects < Self.maximumRedirects, var next = Self.redirect(of: request, to: answer) else {
                return answer
            }
            if !Self.isSameService(request.url, next.url) {
                for name in headers { next.setValue(nil, forHTTPHeaderField: name) }
            }
            request = next
            redirects += 1
        }
    }

    /// Returns whether a redirect repeats the request, rather than fetching its result.
    private static func keepsMethod(of request: URLRequest, after answer: HTTPAnswer) -> Bool {
        [307, 308].contains(answer.status) || ["GET", "HEAD"].contains(request.httpMethod)
    }

    /// Returns whether both addresses have the same scheme, host and port, so that both may receive the same secrets.
    private static func isSameService(_ one: URL?, _ other: URL?) -> Bool {
        guard let one, let other else { return false }
        let ports = ["http": 80, "https": 443]
        func parts(_ url: URL) -> (String?, String?, Int?) {
            let scheme = url.scheme?.lowercased()
            return (scheme, url.host?.lowercased(), url.port ?? scheme.flatMap { ports[$0] })
        }
        return parts(one) == parts(other)
    }

    private func exchange(_ request: URLRequest) async throws -> HTTPAnswer {
        let task = openSession().dataTask(with: request)
        return try await withTaskCancellationHandler {
            try Task.checkCancellation()
            return try await withCheckedThrowingContinuation { continuation in
                exchanges.withLock { $0[task.taskIdentifier] = Exchange(continuation: continuation) }
                task.resume()
                // The task may have been cancelled in the meantime: a URL task that was not resumed would never
                // complete.
                if Task.isCancelled { task.cancel() }
            }
        } onCancel: {
            task.cancel()
        }
    }

    /// Returns the request to which a response redirects; `nil` for other responses, and for another host.
    private static func redirect(of request: URLRequest, to answer: HTTPAnswer) -> URLRequest? {
        guard answer.isRedirect, let from = request.url,
            let to = answer.headers["location"].flatMap({ URL(string: $0, relativeTo: from) })?.absoluteURL,
            let host = to.host?.lowercased(), host == from.host?.lowercased()
        else { return nil }
        // Data sent encrypted must not be sent again in clear text.
        guard to.scheme == "https" || (to.scheme == "http" && from.scheme == "http") else { return nil }
        var next = request
        next.url = to
        if !keepsMethod(of: request, after: answer) {
            next.httpMethod = "GET"
            next.httpBody = nil
            next.setValue(nil, forHTTPHeaderField: "Content-Type")
        }
        return next
    }

    private func openSession() -> URLSession {
        session.withLock { session in
            if let session { return session }
            let configuration = URLSessionConfiguration.ephemeral
            configuration.httpCookieStorage = nil
            configuration.httpShouldSetCookies = false
            configuration.urlCache = nil
            configuration.urlCredentialStorage = nil
            configuration.requestCachePolicy = .reloadIgnoringLocalCacheData
            configuration.httpMaximumConnectionsPerHost = 1_024
            let opened = URLSession(configuration: configuration, delegate: self, delegateQueue: nil)
            session = opened
            return opened
        }
    }

    // MARK: Session delegate

    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        // `send` follows redirects: on Linux the session would drop the body.
        completionHandler(nil)
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
    ) {
        exchanges.withLock { exchanges in
            exchanges[dataTask.taskIdentifier]?.response = response as? HTTPURLResponse
            exchanges[dataTask.taskIdentifier]?.body = []
        }
        completionHandler(.allow)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        let isTooLarge = exchanges.withLock { exchanges in
            guard var exchange = exchanges.removeValue(forKey: dataTask.taskIdentifier) else { return false }
            if exchange.body.count + data.count > Self.maximumBytes {
                exchange.isTooLarge = true
                exchange.body = []
            } else if !exchange.isTooLarge {
                exchange.body += data
            }
            defer { exchanges[dataTask.taskIdentifier] = exchange }
            return exchange.isTooLarge
        }
        if isTooLarge { dataTask.cancel() }
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        guard let exchange = exchanges.withLock({ $0.removeValue(forKey: task.taskIdentifier) }) else { return }
        let response = exchange.response ?? task.response as? HTTPURLResponse
        if let response, error == nil || exchange.isTooLarge {
            var headers: [String: String] = [:]
            for (name, value) in response.allHeaderFields {
                headers["\(name)".lowercased()] = "\(value)"
            }
            let body = exchange.isTooLarge ? nil : exchange.body
            exchange.continuation.resume(
                returning: HTTPAnswer(status: response.statusCode, headers: headers, body: body))
        } else {
            exchange.continuation.resume(throwing: Self.failure(error))
        }
    }

    private static func failure(_ error: (any Error)?) -> any Error {
        guard let error else {
            return HTTPFailure(message: "the connection was closed without an answer", isCertain: false)
        }
        guard let error = error as? URLError else { return HTTPFailure(message: "\(error)", isCertain: false) }
        if error.code == .cancelled { return CancellationError() }
        // All errors that occur before the request can be on its way.
        let unsent: [URLError.Code] = [
            .badURL, .unsupportedURL, .cannotFindHost, .cannotConnectToHost, .dnsLookupFailed,
            .notConnectedToInternet, .secureConnectionFailed, .serverCertificateHasBadDate,
            .serverCertificateUntrusted, .serverCertificateHasUnknownRoot, .serverCertificateNotYetValid,
            .clientCertificateRejected, .clientCertificateRequired,
        ]
        return HTTPFailure(message: error.localizedDescription, isCertain: unsent.contains(error.code))
    }
}
