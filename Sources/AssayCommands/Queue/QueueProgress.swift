import Assay
import Synchronization

/// The work of a worker on the executions of its queue, and the reasons why others wait.
final class QueueProgress: Sendable {
    private let begun: Timestamp
    private let queue: ExecutionQueue
    private let store: any Store
    private let ended = Mutex(StatusCounts())

    init(_ queue: ExecutionQueue, _ store: any Store, since begun: Timestamp) {
        (self.queue, self.store, self.begun) = (queue, store, begun)
    }

    /// Records the end of an execution.
    func note(_ event: Event) {
        guard let word = event.data["to"]?.string, let status = Status(rawValue: word), status.isTerminal else {
            return
        }
        ended.withLock { $0[status] += 1 }
    }

    /// Whether an execution reached the limit of denials.
    var hasAborted: Bool { ended.withLock { $0.aborted > 0 } }

    /// Returns the standing of the queue in one line.
    func line() async throws -> String {
        let counts = queue.counts
        let parts = [
            "\(counts.running.grouped) running", "\(counts.pending.grouped) waiting\(try await reasons())",
            "\(endings)", "\(try await cost())",
        ]
        return parts.joined(separator: "; ")
    }

    /// Returns the result in one line.
    func summary() async throws -> String {
        let pending = queue.counts.pending
        let rest = pending == 0 ? "nothing waits" : "\(pending.grouped) waiting\(try await reasons())"
        return "\(endings); \(try await cost()); \(rest)"
    }

    private var endings: String {
        let ended = ended.withLock { $0 }
        let parts = Status.allCases.filter { $0.isTerminal && ended[$0] > 0 }.map {
            "\(ended[$0].grouped) \($0.rawValue)"
        }
        return parts.isEmpty ? "none ended" : parts.joined(separator: ", ")
    }

    private func cost() async throws -> String {
        "\(try await store.total(matching: ChargeFilter(since: begun))) \(store.currency)"
    }

    /// Returns what executions wait for besides their turn, the most frequent reasons first.
    private func reasons() async throws -> String {
        var counts: [String: Int] = [:]
        for execution in try await store.executions(matching: ExecutionFilter(statuses: [.pending])) {
            if let reason = execution.waitsFor { counts[reason, default: 0] += 1 }
        }
        let most = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        guard !most.isEmpty else { return "" }
        let texts = most.prefix(3).map { "\($0.value.grouped) for \($0.key)" } + (most.count > 3 ? ["…"] : [])
        return " (\(texts.joined(separator: "; ")))"
    }
}
