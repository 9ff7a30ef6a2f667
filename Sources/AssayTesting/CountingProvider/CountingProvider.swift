import Foundation
import Synchronization

/// A paid web service on 127.0.0.1 that remembers every call it got and what it would have charged.
///
/// Like such services it carries each `Idempotency-Key` out once: a repeated key gets the first answer again, also when
/// that could not be delivered. It has threads of its own, so a test may block while the service answers, and it
/// does not mind callers that are killed in the middle of a call.
public final class CountingProvider: Sendable {
    /// A call as it arrived.
    public struct Call: Hashable, Sendable {
        /// The method.
        public let method: String
        /// Path and query.
        public let path: String
        /// The headers by their names in lower case.
        public let headers: [String: String]
        /// The body.
        public let body: [UInt8]

        /// The key by which repetitions are told, if it has one.
        public var idempotencyKey: String? { headers["idempotency-key"] }
        /// The body as text.
        public var text: String { String(decoding: body, as: UTF8.self) }
    }

    /// What the service does with a call.
    public struct Answer: Sendable {
        var status = 200
        var headers: [(name: String, value: String)] = []
        var body: [UInt8] = []
        var latch: Latch?
        var isDropped = false
        var isCharged = true

        /// An answer with a status and a body, by default JSON.
        public static func reply(
            _ status: Int = 200, _ body: String = "{}", headers: [(name: String, value: String)] = []
        ) -> Answer {
            let type = headers.contains { $0.name.lowercased() == "content-type" }
            return Answer(
                status: status, headers: type ? headers : headers + [("Content-Type", "application/json")],
                body: Array(body.utf8), isCharged: (200..<300).contains(status))
        }

        /// The work is done and paid, and the connection closed without a word.
        public static let drop = Answer(isDropped: true)

        /// This answer, given when `latch` is released.
        public func held(by latch: Latch) -> Answer {
            var answer = self
            answer.latch = latch
            return answer
        }
    }

    private struct State {
        var calls: [Call] = []
        var answers: [String: Answer] = [:]
        var charges = 0
        var waiters: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
        var connections: Set<Int32> = []
        var isStopped = false
    }

    /// The port it listens on.
    public let port: Int
    private let listener: Int32
    private let answer: @Sendable (Call) -> Answer
    private let state = Mutex(State())

    /// Starts a service that answers with `answer`, which is asked once for each idempotency key and for each call
    /// without one.
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

    /// Its address, without a path.
    public var url: String { "http://127.0.0.1:\(port)" }
    /// Every call so far, repetitions included, in the order in which they arrived.
    public var calls: [Call] { state.withLock { $0.calls } }
    /// The different idempotency keys so far.
    public var distinctKeys: Set<String> { Set(calls.compactMap(\.idempotencyKey)) }
    /// The keys of what it did and would have charged for.
    public var paidKeys: Set<String> { state.withLock { Set($0.answers.keys) } }
    /// How often it did its work and would have charged for it.
    public var charges: Int { state.withLock { $0.charges } }

    /// Returns once `count` calls have arrived; they need not be answered.
    public func waitForCalls(_ count: Int = 1) async {
        await withCheckedContinuation { continuation in
            let ready = state.withLock { state in
                guard state.calls.count < count, !state.isStopped else { return true }
                state.waiters.append((count, continuation))
                return false
            }
            if ready { continuation.resume() }
        }
    }

    /// Closes every connection and listens no more; what a latch holds is dropped.
    public func stop() {
        let (connections, waiters) = state.withLock { state in
            guard !state.isStopped else { return (Set<Int32>(), [CheckedContinuation<Void, Never>]()) }
            state.isStopped = true
            defer { state.waiters = [] }
            Socket.shut(listener)
            return (state.connections, state.waiters.map(\.continuation))
        }
        for connection in connections { Socket.shut(connection) }
        for waiter in waiters { waiter.resume() }
    }

    // MARK: A connection

    private func serve(_ connection: Int32) {
        let isWanted = state.withLock { state in
            guard !state.isStopped else { return false }
            return state.connections.insert(connection).inserted
        }
        guard isWanted else { return Socket.close(connection) }
        // Holds the service: it must not go while somebody waits for its answer.
        Thread { [self] in
            if let call = HTTPReader(connection).call() { give(take(call), to: connection) }
            state.withLock { state in
                state.connections.remove(connection)
                // Within the lock, so that the number is not another connection's when `stop` shuts it.
                Socket.close(connection)
            }
        }.start()
    }

    /// Takes note of a call and decides on its answer.
    private func take(_ call: Call) -> Answer {
        let (known, waiters) = state.withLock { state in
            state.calls.append(call)
            let ready = state.waiters.filter { $0.count <= state.calls.count }
            state.waiters.removeAll { $0.count <= state.calls.count }
            return (call.idempotencyKey.flatMap { state.answers[$0] }, ready.map(\.continuation))
        }
        for waiter in waiters { waiter.resume() }
        if var known {
            // A repetition of a call whose answer got lost is answered.
            known.isDropped = false
            return known
        }
        let answer = answer(call)
        state.withLock { state in
            // A failure was not carried out: the same key may try again.
            guard answer.isCharged else { return }
            // Callers that come with one key at the same time pay once.
            if let key = call.idempotencyKey {
                guard state.answers.updateValue(answer, forKey: key) == nil else { return }
            }
            state.charges += 1
        }
        return answer
    }

    private func give(_ answer: Answer, to connection: Int32) {
        answer.latch?.wait()
        guard !answer.isDropped else { return }
        var head = "HTTP/1.1 \(answer.status) Answer\r\nContent-Length: \(answer.body.count)\r\nConnection: close\r\n"
        for (name, value) in answer.headers { head += "\(name): \(value)\r\n" }
        Socket.send(Array("\(head)\r\n".utf8) + answer.body, to: connection)
    }
}

/// Holds its waiters until it is released.
public final class Latch: Sendable {
    private let isReleased = Mutex(false)
    private let gate = DispatchSemaphore(value: 0)

    /// A latch that holds.
    public init() {}

    /// Releases all waiters, present and future.
    public func release() {
        isReleased.withLock { $0 = true }
        gate.signal()
    }

    func wait() {
        guard !isReleased.withLock({ $0 }) else { return }
        gate.wait()
        // For the next one.
        gate.signal()
    }
}
