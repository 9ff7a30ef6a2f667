import Assay
import AssaySQLite
import Foundation
import Synchronization

/// Executions with random priorities that are submitted and drained in order, with 1,000 status counts meanwhile.
enum Queues {
    private static let looks = 1_000

    private static func priorities(_ count: Int) -> [Double] {
        var numbers = SystemRandomNumberGenerator()
        return (0..<count).map { _ in Double.random(in: 0..<1_000, using: &numbers) }
    }

    /// Numbers in the order in which their turns come.
    private static func ranked(_ priorities: [Double]) -> [Int] {
        priorities.indices.sorted { (priorities[$0], $0) < (priorities[$1], $1) }
    }

    // MARK: Yardstick

    /// A binary heap of priorities and numbers under a lock.
    static func heap(_ request: Request) async throws -> Measurement {
        let priorities = priorities(request.count)
        let heap = Mutex(BinaryHeap())
        var drained: [Double] = []
        drained.reserveCapacity(request.count)
        let measured = await Measurement.of {
            for (number, priority) in priorities.enumerated() { heap.withLock { $0.push((priority, number)) } }
            while let next = heap.withLock({ $0.pop() }) { drained.append(next.priority) }
        }
        try check(drained == priorities.sorted(), "order")
        return measured
    }

    private struct BinaryHeap {
        private var entries: [(priority: Double, number: Int)] = []

        mutating func push(_ entry: (priority: Double, number: Int)) {
            entries.append(entry)
            var place = entries.count - 1
            while place > 0, entries[place] < entries[(place - 1) / 2] {
                entries.swapAt(place, (place - 1) / 2)
                place = (place - 1) / 2
            }
        }

        mutating func pop() -> (priority: Double, number: Int)? {
            guard let first = entries.first, let last = entries.popLast() else { return nil }
            guard !entries.isEmpty else { return first }
            entries[0] = last
            var place = 0
            while true {
                var least = place
                for child in [2 * place + 1, 2 * place + 2] where child < entries.count {
                    if entries[child] < entries[least] { least = child }
                }
                guard least != place else { return first }
                entries.swapAt(place, least)
                place = least
            }
        }
    }

    // MARK: The queue

    /// The order alone: taken in, taken out, moved through its statuses.
    static func index(_ request: Request) async throws -> Measurement {
        let priorities = priorities(request.count)
        let ids = (0..<request.count).compactMap { Identifier("e\($0)") }
        let index = Mutex(ExecutionIndex())
        var (drained, seen) = ([Identifier](), 0)
        drained.reserveCapacity(request.count)
        var measured = await Measurement.of {
            for (number, priority) in priorities.enumerated() {
                index.withLock { $0.add(ids[number], .pending, priority: priority, number: number) }
            }
            while let next = index.withLock({ $0.offer(at: .zero) }) {
                index.withLock { $0.move(next, to: .running) }
                index.withLock { $0.move(next, to: .succeeded) }
                drained.append(next)
                if drained.count % max(1, request.count / looks) == 0 { seen += index.withLock { $0.counts.succeeded } }
            }
        }
        try check(drained == ranked(priorities).map { ids[$0] } && seen > 0, "order")
        var sum = 0
        let start = ContinuousClock.now
        for _ in 0..<100_000 { sum += index.withLock { $0.counts.total } }
        let nanoseconds = (ContinuousClock.now - start) / .nanoseconds(100_000)
        try check(sum == 100_000 * request.count, "counts")
        measured.notes = String(format: "status count %.1f ns", nanoseconds)
        return measured
    }

    /// Everything: submitted in lists, each run by the engine.
    static func queue(_ request: Request, in store: any Store) async throws -> Measurement {
        let priorities = priorities(request.count)
        let name = Identifier("increment")!
        let ran = Mutex<[Int]>([])
        let processor = try RegisteredProcessor(
            ClosureProcessor<Int, Int>("increment") { value, _ in
                ran.withLock { $0.append(value) }
                return value &+ 1
            })
        let engine = Engine(store: store)
        let configuration = try QueueConfiguration(
            capacity: 10_000, refreshTime: .milliseconds(10), maxSize: request.count)
        let queue = try await ExecutionQueue(engine, configuration, processors: [processor])
        var seen = 0
        var measured = try await Measurement.of {
            for start in stride(from: 0, to: request.count, by: 1_000) {
                try await queue.submit(
                    (start..<min(start + 1_000, request.count)).map { number in
                        var submission = Submission(name, over: [number])
                        submission.priority = priorities[number]
                        return submission
                    })
            }
            queue.start()
            while try await queue.cycle() > 0 {
                for _ in 0..<looks / max(1, request.count / 10_000) { seen += queue.counts.succeeded }
            }
        }
        try check(queue.counts.succeeded == request.count && seen > 0, "succeeded")
        // Whoever begins, all but those that may run beside it of lower priority have ended.
        var ranks = [Int](repeating: 0, count: request.count)
        for (rank, number) in ranked(priorities).enumerated() { ranks[number] = rank }
        let early = ran.withLock { ran in ran.indices.contains { $0 < ranks[ran[$0]] - configuration.concurrencyLimit }
        }
        try check(!early, "order")
        var sum = 0
        let start = ContinuousClock.now
        for _ in 0..<100_000 { sum += queue.counts.total }
        let nanoseconds = (ContinuousClock.now - start) / .nanoseconds(100_000)
        try check(sum == 100_000 * request.count, "counts")
        measured.notes = String(format: "status count %.1f ns", nanoseconds)
        return measured
    }

    /// As ``queue(_:in:)`` in a store on the disk.
    static func durable(_ request: Request) async throws -> Measurement {
        let folder = NSTemporaryDirectory() + "assay-bench-queue-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try await queue(request, in: SQLiteStore.open(folder + "/assay.db"))
    }
}
