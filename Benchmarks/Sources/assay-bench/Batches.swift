import Assay

/// Batches of 50, 8 in flight, folded into a sum: W8.
enum Batches {
    private static let size = 50
    private static let width = 8

    /// The yardstick: the same batches in a task group.
    static func taskGroup(_ request: Request) async throws -> Measurement {
        var sum = 0
        let count = request.count
        let measured = await Measurement.of {
            await withTaskGroup(of: Int.self) { group in
                var start = 0
                func add() {
                    guard start < count else { return }
                    let items = start..<min(start + size, count)
                    group.addTask { items.reduce(0) { $0 &+ ($1 &+ 1) } }
                    start += size
                }
                for _ in 0..<width { add() }
                for await part in group {
                    sum &+= part
                    add()
                }
            }
        }
        try check(sum == count * (count + 1) / 2, "taskgroup")
        return measured
    }

    /// The engine, with a store that forgets batches once they are handed over.
    static func fold(_ request: Request) async throws -> Measurement {
        let engine = Engine(store: MemoryStore(forgetsBatches: true))
        let policy = try BatchPolicy(maxConcurrentBatches: width, enableInstrumentation: false)
        let processor = ClosureProcessor<Int, Int>("increment") { value, _ in value &+ 1 }
        var sum = 0
        let measured = try await Measurement.of {
            let batching = Batching(policy: policy, size: size, isParallel: true)
            sum = try await engine.batches(processor, over: 0..<request.count, batching: batching)
                .fold(Int.self, from: 0, &+)
        }
        try check(sum == request.count * (request.count + 1) / 2, "fold")
        return measured
    }
}
