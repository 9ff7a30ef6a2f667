import Assay
import Synchronization

/// The built-in type `command`: a program in any language that works on one item after another.
struct ProgramProcessor: Processor {
    let plan: ProgramPlan
    private let pools = ProgramPools()

    var name: String { plan.name }
    var transforms: Bool { plan.gates.contains(.transformation) }

    func transform(_ input: JSONValue, in context: Context) async throws -> JSONValue {
        guard plan.gates.contains(.transformation) else { return input }
        return try await answer(ProgramRequest(step: "transformation", data: input, code: .transformation), context)
    }

    func validate(_ input: JSONValue, in context: Context) async throws {
        guard plan.gates.contains(.validation) else { return }
        _ = try await answer(ProgramRequest(step: "validation", data: input, code: .validation), context)
    }

    func expectedCosts(of input: JSONValue, in context: Context) async throws -> [ExpectedCost]? {
        // One that does not know the step would do the work and pay for it.
        guard plan.tellsCosts else { return nil }
        let request = ProgramRequest(
            step: ProgramRequest.planStep, data: input, code: .processing, isPlan: true)
        return try ExpectedCost.list(from: try await answer(request, context))
    }

    func extract(_ input: JSONValue, in context: Context) async throws -> JSONValue {
        // The one step that every program has is the item itself: its output is on record as the outcome.
        if plan.steps == ["extraction"] {
            return try await answer(ProgramRequest(step: "extraction", data: input, code: .extraction), context)
        }
        var data = input
        for step in plan.steps {
            data = try await context.step(step) {
                try await answer(ProgramRequest(step: step, data: data, code: .extraction), context)
            }
        }
        return data
    }

    func aggregate(_ outputs: Outputs<JSONValue>, in context: Context) async throws -> JSONValue {
        let data = JSONValue.array(try await outputs.all())
        guard plan.aggregates else { return data }
        return try await answer(ProgramRequest(step: "aggregation", data: data, code: .aggregation), context)
    }

    /// The program's answer, within the time that a request may take.
    private func answer(_ request: ProgramRequest, _ context: Context) async throws -> JSONValue {
        let pool = pools.pool(of: plan, for: context)
        // The engine itself ends attempts that are out of time.
        guard context.phase != .extraction else { return try await pool.answer(request, in: context) }
        let limit = context.desk.terms.itemTimeout
        return try await withThrowingTaskGroup(of: JSONValue.self) { group in
            group.addTask { try await pool.answer(request, in: context) }
            group.addTask {
                try await Task.sleep(for: limit)
                throw ProcessingError(.timeout, "timed out after \(limit / .seconds(1)) s")
            }
            defer { group.cancelAll() }
            guard let answer = try await group.next() else { throw CancellationError() }
            return answer
        }
    }

    /// Reads the parameters.
    static func read(_ name: String, _ parameters: MapReader, _ surroundings: Surroundings) -> RegisteredProcessor? {
        guard let plan = ProgramPlan(name, parameters, surroundings) else { return nil }
        let processor = ProgramProcessor(plan: plan)
        var registered = try? RegisteredProcessor(processor, workload: .io)
        registered?.secrets = plan.filter
        registered?.startsPrograms = true
        registered?.mayOpenFiles = true
        registered?.files = DefinitionFiles.files(
            ofCommand: plan.executable, arguments: plan.arguments.revealed, from: surroundings.folder,
            workingFolder: plan.folder)
        registered?.finish = { await processor.pools.finish($0) }
        return registered
    }
}

/// The pools of the runs in progress.
private final class ProgramPools: Sendable {
    private let pools = Mutex<[Run.ID: ProgramPool]>([:])

    func pool(of plan: ProgramPlan, for context: Context) -> ProgramPool {
        pools.withLock { pools in
            if let pool = pools[context.runID] { return pool }
            let pool = ProgramPool(plan, limit: context.desk.terms.maxWorkers)
            pools[context.runID] = pool
            return pool
        }
    }

    func finish(_ run: Run.ID) async { await pools.withLock { $0.removeValue(forKey: run) }?.close() }
}
