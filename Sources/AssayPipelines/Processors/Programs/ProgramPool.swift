import Assay
import Foundation
import Synchronization

/// The programs that work for one run: no more than the run has workers, started when needed.
final class ProgramPool: Sendable {
    /// A program that answers one request after another.
    final class Worker: Sendable {
        let program: RunningProgram
        private let state: Mutex<(context: Context, isAsked: Bool)>

        init(_ program: RunningProgram, _ context: Context) {
            self.program = program
            state = Mutex((context, false))
        }

        /// For whom it worked last.
        var context: Context { state.withLock { $0.context } }

        /// Takes note of a request; whether it is the first.
        func noteRequest(in context: Context) -> Bool {
            state.withLock { state in
                state.context = context
                defer { state.isAsked = true }
                return !state.isAsked
            }
        }
    }

    private struct Waiter {
        let number: Int
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var free: Int
        var waiting: [Waiter] = []
        var lastNumber = 0
        var idle: [Worker] = []
        var isClosing = false
        /// Why no more programs are started.
        var failure: ProcessingError?
    }

    private let plan: ProgramPlan
    private let limit: Int
    private let state: Mutex<State>

    /// A pool for a run with `limit` workers.
    init(_ plan: ProgramPlan, limit: Int) {
        self.plan = plan
        self.limit = max(1, limit)
        state = Mutex(State(free: max(1, limit)))
    }

    // MARK: Requests

    /// The program's answer to a request.
    func answer(_ request: ProgramRequest, in context: Context) async throws -> JSONValue {
        try await takePlace(in: context)
        switch plan.mode {
        case .worker: return try await askWorker(request, in: context)
        case .once: return try await runOnce(request, in: context)
        }
    }

    private func askWorker(_ request: ProgramRequest, in context: Context) async throws -> JSONValue {
        while true {
            let worker: Worker
            do { worker = try idleWorker() ?? Worker(start(.lines, in: context), context) } catch {
                givePlaceBack()
                throw error
            }
            let isFirst = worker.noteRequest(in: context)
            let exchange = Exchange(request, plan, worker.program, in: context)
            let loss: Exchange.Loss
            do {
                let answer = try await exchange.answer(isFirst: isFirst)
                context.desk.answered(in: context)
                await keep(worker)
                return try answer.get()
            } catch let thrown as Exchange.Loss {
                loss = thrown
            }
            switch loss {
            case .untouched(let exit):
                // It ended between two requests: nothing was asked of it yet.
                warn(of: exit, context)
                await worker.program.end()
            case .died(let error):
                await end(worker.program)
                throw error
            case .unusable(let error):
                await end(worker.program)
                throw error
            }
        }
    }

    private func runOnce(_ request: ProgramRequest, in context: Context) async throws -> JSONValue {
        let program: RunningProgram
        do {
            program = try start(
                .whole,
                variables: [
                    "ASSAY_STEP": request.step, "ASSAY_FILE": context.file?.path ?? "",
                    "ASSAY_INPUT_ID": context.inputID ?? "",
                    "ASSAY_ATTEMPT": "\(context.attempt)",
                ], in: context)
        } catch {
            givePlaceBack()
            throw error
        }
        let answer: Result<JSONValue, any Error>
        do { answer = .success(try await SingleRun(program: program, plan: plan).answer(request)) } catch {
            answer = .failure(error)
        }
        await end(program)
        let value = try answer.get()
        context.desk.answered(in: context)
        return value
    }

    private func start(
        _ reading: ProgramPipes.Reading, variables: [String: String] = [:], in context: Context
    ) throws -> RunningProgram {
        try Task.checkCancellation()
        if let failure = state.withLock({ $0.failure }) { throw failure }
        for hint in plan.hints { context.desk.hint("group_writable", hint, explainsTimeout: false, in: context) }
        do { return try RunningProgram(plan, reading: reading, variables: variables, in: context) } catch {
            // When something had run out, another attempt may find some.
            guard !error.retryable else { throw error }
            throw fail("\(plan.title.quoted) cannot be started: \(plan.filter.hiding(error.message))")
        }
    }

    /// Starts no more programs.
    private func fail(_ reason: String) -> ProcessingError {
        state.withLock { state in
            let failure = state.failure ?? ProcessingError(.programBroken, reason, retryable: false)
            state.failure = failure
            return failure
        }
    }

    // MARK: Places

    /// Has an item wait for a place, which is not its time: what holds it is another's program, or one that is ending.
    private func takePlace(in context: Context) async throws {
        let isFree = state.withLock { state in
            guard state.free > 0 else { return false }
            state.free -= 1
            return true
        }
        guard !isFree else { return }
        try await context.desk.waiting(for: .place(at: plan.name), in: context) { _ in try await self.waitForPlace() }
    }

    private func waitForPlace() async throws {
        let number = state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let now = state.withLock { state -> Result<Void, any Error>? in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if state.free > 0 {
                        state.free -= 1
                        return .success(())
                    }
                    state.waiting.append(Waiter(number: number, continuation: continuation))
                    return nil
                }
                if let now { continuation.resume(with: now) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.waiting.firstIndex { $0.number == number }.map { state.waiting.remove(at: $0) }
            }
            waiter?.continuation.resume(throwing: CancellationError())
        }
    }

    private func givePlaceBack() {
        let next = state.withLock { state -> Waiter? in
            guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
            state.free += 1
            return nil
        }
        next?.continuation.resume()
    }

    private func idleWorker() -> Worker? { state.withLock { $0.idle.popLast() } }

    private func keep(_ worker: Worker) async {
        let isKept = state.withLock { state in
            guard !state.isClosing else { return false }
            state.idle.append(worker)
            return true
        }
        if isKept { givePlaceBack() } else { await end(worker.program) }
    }

    // MARK: Ends

    /// Ends a program, and gives its place to another one when nothing of it is left.
    ///
    /// An attempt that was given up waits for that, and its supervisor for the attempt; others go on meanwhile.
    private func end(_ program: RunningProgram) async {
        // Waited for by `close` in any case, which needs every place.
        let ending = Task {
            await program.end()
            givePlaceBack()
        }
        if Task.isCancelled { await ending.value }
    }

    private func warn(of exit: ChildProcess.Exit, _ context: Context) {
        guard exit != .exited(0) else { return }
        context.desk.warn(
            "a worker of '\(plan.name)' \(exit) between two requests; another one is started", in: context)
    }

    /// Lets all programs end; returns when nothing of them is left.
    func close() async {
        let idle = state.withLock { state in
            state.isClosing = true
            defer { state.idle = [] }
            return state.idle
        }
        // Not a part of the calling task, which may be cancelled: what was started is waited for all the same.
        await Task {
            await withTaskGroup(of: Void.self) { group in
                for worker in idle {
                    group.addTask {
                        if let exit = worker.program.exit { self.warn(of: exit, worker.context) }
                        await worker.program.retire()
                    }
                }
                for _ in 0..<limit {
                    group.addTask {
                        // Nobody cancels this, so a place is all that can come.
                        do { try await self.waitForPlace() } catch { assertionFailure("\(error)") }
                    }
                }
            }
        }.value
    }
}
