import Assay
import Foundation
import Synchronization

/// A paid web service on 127.0.0.1 that records every call and what it would have charged.
///
/// Like real services it does the work of each `Idempotency-Key` once: a repeated key gets the first answer again, even
/// if that answer could not be delivered. It has its own threads, so a test may block while the service answers, and
/// callers may be killed in the middle of a call.
public final class CountingProvider: Sendable {
    /// A call as it arrived.
    public struct Call: Hashable, Sendable {
        /// The method.
        public let method: String
        /// Path and query.
        public let path: String
        /// The headers, by lower-case name.
        public let headers: [String: String]
        /// The body.
        public let body: [UInt8]

        /// The key that identifies repetitions, if there is one.
        public var idempotencyKey: String? { headers["idempotency-key"] }
        /// The body as text.
        public var text: String { String(decoding: body, as: UTF8.self) }
    }

    /// The response of the service to a call.
    public struct Answer: Sendable {
        var status = 200
        var headers: [(name: String, value: String)] = []
        var body: [UInt8] = []
        var brake: Brake?
        var isDropped = false
        var isCharged = true

        /// Returns an answer with a status and a body, by default JSON.
        public static func reply(
            _ status: Int = 200, _ body: String = "{}", headers: [(name: String, value: String)] = []
        ) -> Answer {
            let type = headers.contains { $0.name.lowercased() == "content-type" }
            return Answer(
                status: status, headers: type ? headers : headers + [("Content-Type", "application/json")],
                body: Array(body.utf8), isCharged: (200..<300).contains(status))
        }

        /// An answer that does the work and charges for it, but closes the connection without a response.
        public static let drop = Answer(isDropped: true)

        /// Returns this answer, to be given only when `brake` is released.
        public func held(by brake: Brake) -> Answer {
            var answer = self
            answer.brake = brake
            return answer
        }
    }

    private struct State {
        var calls: [Call] = []
        var answers: [String: Answer] = [:]
        var charges = 0
        var connections: Set<Int32> = []
        var isStopped = false
    }

    /// The port it listens on.
    public let port: Int
    private let listener: Int32
    private let answer: @Sendable (Call) -> Answer
    private let state = Mutex(State())
    private let news = Signal()

    /// Starts a service that answers with `answer`, which is called for each call without an idempotency key, and for
    /// each call whose key has no charged answer yet.
    ///
    /// - Throws: `POSIXError` when there is no port to listen on.
    public init(_ answer: @escaping @Sendable (Call) -> Answer = { _ in .reply() }) throws {
        (listener, port) = try Socket.listen()
        self.answer = answer
        Thread { [listener, weak self] in
            while let connection = Socket.accept(listener) {
                guard let self else { return Socket.close(connection) }
                self.serve(connection)
            }
        }.start()
    }

    deinit { stop() }

    /// The address without a path.
    public var url: String { "http://127.0.0.1:\(port)" }
    /// All calls so far, including repetitions, in order of arrival.
    public var calls: [Call] { state.withLock { $0.calls } }
    /// The distinct idempotency keys so far.
    public var distinctKeys: Set<String> { Set(calls.compactMap(\.idempotencyKey)) }
    /// The keys of the calls whose work was done and would have been charged.
    public var paidKeys: Set<String> { state.withLock { Set($0.answers.keys) } }
    /// The number of times that it did its work and would have charged for it.
    public var charges: Int { state.withLock { $0.charges } }

    /// Waits until `count` calls have arrived; they need not be answered.
    public func waitForCalls(_ count: Int = 1) async {
        await news.wait { state.withLock { $0.calls.count >= count || $0.isStopped } }
    }

    /// Closes every connection and stops listening. Answers held by a brake are dropped.
    public func stop() {
        let connections = state.withLock { state -> Set<Int32> in
            guard !state.isStopped else { return [] }
            state.isStopped = true
            Socket.shut(listener)
            return state.connections
        }
        for connection in connections { Socket.shut(connection) }
        news.raise()
    }

    // MARK: Connections

    private func serve(_ connection: Int32) {
        let isWanted = state.withLock { state in
            guard !state.isStopped else { return false }
            return state.connections.insert(connection).inserted
        }
        guard isWanted else { return Socket.close(connection) }
        // Keeps the service alive while a caller waits for its answer.
        Thread { [self] in
            if let call = HTTPReader(connection).call() { give(take(call), to: connection) }
            state.withLock { state in
                state.connections.remove(connection)
                // Closed under the lock, so that the number does not belong to another connection when `stop` shuts it.
                Socket.close(connection)
            }
        }.start()
    }

    /// Records a call and decides on its answer.
    private func take(_ call: Call) -> Answer {
        let known = state.withLock { state in
            state.calls.append(call)
            return call.idempotencyKey.flatMap { state.answers[$0] }
        }
        news.raise()
        if var known {
            // A repetition of a call whose answer was lost gets an answer.
            known.isDropped = false
            return known
        }
        let answer = answer(call)
        state.withLock { state in
            // A failure did no work: the same key may try again.
            guard answer.isCharged else { return }
            // Simultaneous callers with one key pay once.
            if let key = call.idempotencyKey {
                guard state.answers.updateValue(answer, forKey: key) == nil else { return }
            }
            state.charges += 1
        }
        return answer
    }

    private func give(_ answer: Answer, to connection: Int32) {
        answer.brake?.wait()
        guard !answer.isDropped else { return }
        var head = "HTTP/1.1 \(answer.status) Answer\r\nContent-Length: \(answer.body.count)\r\nConnection: close\r\n"
        for (name, value) in answer.headers { head += "\(name): \(value)\r\n" }
        Socket.send(Array("\(head)\r\n".utf8) + answer.body, to: connection)
    }
}

/// A brake that blocks callers until it is released.
public final class Brake: Sendable {
    private let isReleased = Mutex(false)
    private let gate = DispatchSemaphore(value: 0)

    /// Creates a brake that blocks.
    public init() {}

    /// Releases all current and future waiters.
    public func release() {
        isReleased.withLock { $0 = true }
        gate.signal()
    }

    func wait() {
        guard !isReleased.withLock({ $0 }) else { return }
        gate.wait()
        // Passes the signal on to the next waiter.
        gate.signal()
    }
}
