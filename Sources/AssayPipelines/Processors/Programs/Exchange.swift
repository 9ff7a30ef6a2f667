import Assay
import Foundation
import Logging
import Synchronization

/// One request to a worker: carries out what its lines ask for until it has ended.
final class Exchange: Sendable {
    private struct State {
        var conversation: Conversation
        var calls: [String: Call] = [:]
        /// Steps that the program does the work of, the latest last.
        var steps: [(name: String, opened: OpenedStep)] = []
        /// Why the attempt fails whatever the program answers.
        var failure: (any Error)?
        var isOver = false
        /// How many lines belong to no request, and whether one has belonged to this.
        var strays = 0
        var hasSpoken = false
    }

    private let request: ProgramRequest
    private let plan: ProgramPlan
    private let program: RunningProgram
    private let context: Context
    private let id: String
    private let log: ProgramLog
    /// What had been written to the program before.
    private let mark: Int
    private let state: Mutex<State>

    init(_ request: ProgramRequest, _ plan: ProgramPlan, _ program: RunningProgram, in context: Context) {
        (self.request, self.plan, self.program, self.context) = (request, plan, program, context)
        id = "q" + [UInt64.random(in: 0 ... .max), .random(in: 0 ... .max)].map { String($0, radix: 36) }.joined()
        log = ProgramLog(context: context, filter: plan.filter)
        mark = program.pipes.given
        state = Mutex(State(conversation: Conversation(id: id, isPlan: request.isPlan, hiding: plan.filter)))
    }

    /// How a worker let a request down.
    enum Loss: Error {
        /// It had ended before it took anything of the request: another one can be asked.
        case untouched(ChildProcess.Exit)
        /// It ended, or closed its output.
        case died(ProcessingError)
        /// It is of no more use and to be ended.
        case unusable(any Error)
    }

    /// Asks the worker.
    ///
    /// - Parameter isFirst: whether it has not been asked anything before.
    /// - Returns: its answer; a failure that is an answer, too.
    /// - Throws: ``Loss`` when the worker cannot be asked again.
    func answer(isFirst: Bool) async throws(Loss) -> Result<JSONValue, ProcessingError> {
        let line = request.line(id: id, settings: plan.settings.revealed, in: context)
        guard line.count <= ProgramPipes.maximumBytes else {
            return .failure(
                ProcessingError(
                    .processing, "the request is larger than 16 MiB; hand a path over instead of the data",
                    retryable: false))
        }
        program.pipes.beginRequest(of: context, isFirst: isFirst)
        defer { program.pipes.endRequest() }
        program.pipes.write(line + [UInt8(ascii: "\n")])
        let startup = isFirst ? Countdown(plan.startupTimeout) { [self] in giveUpStart() } : nil
        let quiet = isFirst ? Countdown(Self.patience) { [self] in hintAtSilence() } : nil
        defer {
            startup?.cancel()
            quiet?.cancel()
        }
        let ending: Result<Conversation.Ending, any Error>
        do {
            ending = .success(
                try await withTaskCancellationHandler {
                    try await conversation()
                } onCancel: {
                    program.pipes.close()
                })
        } catch {
            ending = .failure(error)
        }
        startup?.cancel()
        quiet?.cancel()
        return try await conclude(ending)
    }

    // MARK: Lines

    /// Carries lines out until the request has ended.
    private func conversation() async throws -> Conversation.Ending {
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer { state.withLock { $0.isOver = true } }
            while true {
                let action: Conversation.Action
                switch await program.pipes.next() {
                case .output(let line): action = state.withLock { $0.conversation.receive(line) }
                case .tooLong(let start):
                    let text = plan.filter.excerpt(of: start, characters: 200)
                    throw ProcessingError(.protocol, "a line of the program is longer than 16 MiB: \(text)")
                case .end: throw await silence()
                }
                if case .log(.own) = action {} else { state.withLock { $0.hasSpoken = true } }
                switch action {
                case .log(.own(let text)):
                    log.write(text, from: .output)
                    if text.contains(where: { !$0.isWhitespace }) { noteStray() }
                case .log(.said(let level, let text)):
                    log.write(text, at: Logger.Level(rawValue: level) ?? .info, from: .log)
                case .ask(.call(let call), let ref?):
                    let step = innermostStep
                    // A program that asks for one call within another cannot end that before; others can.
                    let inside = openCalls
                    // Beside the other lines: it may have to wait for the outcome of another call of this program.
                    group.addTask {
                        await self.interruptible { try await self.open(call, ref: ref, step: step, inside) }
                    }
                case .ask(let question, let ref): try await answer(question, ref: ref)
                case .settle(let settlement, let ref): try await settle(settlement, ref: ref)
                case .end(let ending):
                    // First, so that a call that still waits is known to be no longer wanted when it is cancelled.
                    state.withLock { $0.isOver = true }
                    group.cancelAll()
                    return ending
                case .broken(let reason): throw ProcessingError(.protocol, reason)
                }
            }
        }
    }

    /// What it means that nothing more comes from the program.
    private func silence() async -> any Error {
        if let failure = state.withLock({ $0.failure }) { return failure }
        if Task.isCancelled { return CancellationError() }
        guard let exit = await program.exit(within: .seconds(1)) else {
            return Loss.died(ProcessingError(.workerCrashed, told("worker closed its output before answering")))
        }
        if program.pipes.taken <= mark, mark > 0 { return Loss.untouched(exit) }
        let what = if case .exited = exit { "\(exit) before answering" } else { "\(exit)" }
        return Loss.died(ProcessingError(.workerCrashed, told("worker \(what)")))
    }

    /// `message` with the end of what the program said on its error stream.
    private func told(_ message: String) -> String {
        let end = program.pipes.errorEnd
        return end.isEmpty ? message : "\(message): \(end.printableLines)"
    }

    /// Ends the conversation if `body` fails, which nobody waits for.
    private func interruptible(_ body: () async throws -> Void) async {
        do { try await body() } catch {
            let isOver = state.withLock { state in
                // The program ended its request without waiting for this: it wants no answer, and nothing was opened.
                if state.isOver, error is CancellationError { return true }
                if state.failure == nil { state.failure = error }
                return state.isOver
            }
            if !isOver { program.pipes.close() }
        }
    }

    /// How long a program may be silent that has read its first request, before somebody is told of it.
    private static let patience = Duration.seconds(10)

    /// Says that the program writes what answers nothing.
    private func noteStray() {
        let count = state.withLock { state in
            state.strays += 1
            return state.hasSpoken ? 0 : state.strays
        }
        guard count > 0 else { return }
        hint("wrote \(count) \(count == 1 ? "line that answers" : "lines that answer") nothing")
    }

    /// Says that the program has read its first request and written nothing.
    private func hintAtSilence() {
        let isSilent = state.withLock { !$0.isOver && !$0.hasSpoken && $0.strays == 0 }
        guard isSilent, program.pipes.taken > mark else { return }
        hint("has written nothing for \(Self.patience / .seconds(1)) s since it read its request")
    }

    private func hint(_ what: String) {
        context.desk.hint(
            "answers_nothing", "'\(plan.name)' \(what); each answer needs the request's id and a flush",
            explainsTimeout: true, in: context)
    }

    private func giveUpStart() {
        guard program.pipes.taken <= mark else { return }
        let isOver = state.withLock { state in
            guard !state.isOver else { return true }
            let seconds = plan.startupTimeout / .seconds(1)
            state.failure = Loss.died(
                ProcessingError(.timeout, "worker did not read its first request within \(seconds) s"))
            return false
        }
        if !isOver { program.pipes.close() }
    }

    // MARK: What the program asks for

    /// The step that charges and calls belong to now.
    private var innermostStep: String? { state.withLock { $0.steps.last?.opened.path } ?? Context.enclosingStep }

    private func reply(_ ref: String, _ decision: String, _ more: JSONObject = [:]) {
        var line = more
        line["id"] = .string(id)
        line["ref"] = .string(ref)
        line["decision"] = .string(decision)
        let isWanted = state.withLock { state in
            if !state.isOver { state.conversation.answered(ref) }
            return !state.isOver
        }
        // After its end the program reads its next request.
        if isWanted { program.pipes.write(JSONValue.object(line).jsonBytes + [UInt8(ascii: "\n")]) }
    }

    private func answer(_ question: Conversation.Question, ref: String?) async throws {
        switch question {
        case .charge(let expense):
            try await refusable(ref) {
                let isRecorded = try await charge(expense)
                if let ref { reply(ref, isRecorded ? "recorded" : "accepted") }
            }
        case .step(let name):
            let opened = try await context.desk.openStep(name, inside: Context.enclosingStep, in: context)
            if let saved = opened.saved {
                if let ref { reply(ref, "saved", ["value": saved]) }
            } else {
                state.withLock { $0.steps.append((name, opened)) }
                if let ref { reply(ref, "run") }
            }
        case .checkpoint(let name, let value):
            try await save(value, of: name)
            if let ref { reply(ref, "recorded") }
        case .emit(let chunk): try await context.desk.emit(Payload(json: chunk), in: context)
        case .heartbeat: try context.desk.heartbeat(in: context)
        // Carried out beside the lines, see above; the protocol knows none without a `ref`.
        case .call: break
        }
    }

    private func save(_ value: JSONValue, of name: String) async throws {
        let asked = state.withLock { state in
            state.steps.lastIndex { $0.name == name }.map { state.steps.remove(at: $0).opened }
        }
        let opened: OpenedStep
        if let asked {
            opened = asked
        } else {
            opened = try await context.desk.openStep(name, inside: Context.enclosingStep, in: context)
        }
        try await context.desk.closeStep(opened, value: Payload(json: value), in: context)
    }

    /// The calls that the program has open; nobody knows for which of them it does what it asks for next.
    private var openCalls: CallNest {
        CallNest(calls: state.withLock { $0.calls.values.map(\.number) }.sorted(), isAssumed: true)
    }

    /// Whether the charge is on record.
    private func charge(_ expense: Conversation.Expense) async throws -> Bool {
        let usage = Usage(
            service: expense.service, operation: expense.operation, quantity: expense.quantity,
            cost: try expense.cost.map { try Money($0) }, key: expense.key, incurred: expense.incurred,
            metadata: expense.metadata, step: innermostStep, inside: openCalls)
        return try await context.desk.charge(usage, in: context)
    }

    private func open(_ paid: Conversation.PaidCall, ref: String, step: String?, _ inside: CallNest) async throws {
        try await refusable(ref) {
            let call = CallRequest(
                service: paid.service, operation: paid.operation,
                maximumCost: try paid.maximumCost.map { try Money($0) },
                key: paid.key, step: step, inside: inside)
            switch try await context.desk.openCall(call, in: context) {
            case .hit(let value): reply(ref, "hit", ["value": value])
            case .proceed(let call):
                let isWanted = state.withLock { state in
                    guard !state.isOver else { return false }
                    state.calls[ref] = call
                    state.conversation.open(call: ref)
                    return true
                }
                guard isWanted else { return try await close(call, .notMade) }
                reply(ref, "proceed", ["idempotency_key": .string(call.idempotencyKey)])
            }
        }
    }

    /// Does what may be refused, and says so to a program that wants to know.
    private func refusable(_ ref: String?, _ body: () async throws -> Void) async throws {
        do { try await body() } catch let error as ProcessingError {
            guard let ref, [.budgetExhausted, .circuitOpen, .store, .cost].contains(error.code) else { throw error }
            // What is no amount is the program's fault, whatever it makes of the answer.
            if error.code == .cost { state.withLock { $0.failure = $0.failure ?? error } }
            reply(ref, "refused", ["reason": .string(error.code.rawValue)])
        }
    }

    private func settle(_ settlement: Conversation.Settlement, ref: String) async throws {
        guard let call = state.withLock({ $0.calls.removeValue(forKey: ref) }) else { return }
        let cost = settlement.cost.map(Self.cost)
        let end: CallEnd
        switch settlement.outcome {
        case .settled:
            if cost != nil || !settlement.metadata.isEmpty {
                call.settle(Call.Settlement(cost: cost, metadata: settlement.metadata))
            }
            end = settlement.value.map { .returned(Payload(json: $0)) } ?? .made
        case .failed:
            if let cost { call.settle(Call.Settlement(cost: cost, metadata: settlement.metadata)) }
            end = .threw(ProcessingError(.api, "the program says that the call failed"))
        case .unknown:
            end = .threw(ProcessingError(.api, "the program does not know", outcomeUnknown: true))
        }
        try await close(call, end)
    }

    /// What a program says that a call came to; what is no amount is told in the words of the refusal.
    private static func cost(_ value: JSONValue) -> Call.Settlement.Cost {
        guard let number = value.number else {
            return .unreadable("an amount must be a number such as 0.10, found \(value.kind)")
        }
        do { return .amount(try Money(number)) } catch { return .unreadable(error.message) }
    }

    private func close(_ call: Call, _ end: CallEnd) async throws {
        try await context.desk.closeCall(call.id, call.settlement, end, in: context)
    }

    // MARK: The end

    /// Settles what the program left open, and says what its answer is.
    private func conclude(
        _ ending: Result<Conversation.Ending, any Error>
    ) async throws(Loss) -> Result<JSONValue, ProcessingError> {
        let end: CallEnd =
            switch ending {
            case .success(.output): .made
            case .success(.failed): .threw(ProcessingError(.extraction, "the request failed"))
            case .failure: .threw(ProcessingError(.workerCrashed, "the program did not say", outcomeUnknown: true))
            }
        let (calls, steps, failure) = state.withLock { state in
            defer { (state.calls, state.steps) = ([:], []) }
            return (state.calls.sorted { $0.key < $1.key }.map(\.value), state.steps, state.failure)
        }
        var problem: (any Error)?
        for call in calls {
            do { try await close(call, end) } catch { problem = problem ?? error }
        }
        if case .success(.output) = ending {} else { for step in steps { context.desk.failStep(step.opened) } }
        switch ending {
        case .failure(let loss as Loss): throw loss
        case .failure(let error): throw .unusable(error)
        case .success(let answer):
            if let failure = failure ?? problem {
                guard let failure = failure as? ProcessingError else { throw .unusable(failure) }
                return .failure(failure)
            }
            switch answer {
            case .output(let value): return .success(value)
            case .failed(let failure): return .failure(error(failure))
            }
        }
    }

    /// Codes that a program may give; those of the engine are not its to claim.
    private static let codes: Set<ProcessingError.Code> = [
        .transformation, .validation, .extraction, .api, .processing, .aggregation, .cost, .timeout, .budgetExhausted,
        .circuitOpen,
    ]

    private func error(_ failure: Conversation.Failure) -> ProcessingError {
        let named = failure.code.flatMap(ProcessingError.Code.init(rawValue:)).flatMap {
            Self.codes.contains($0) ? $0 : nil
        }
        let message = failure.message ?? "the program failed and did not say why"
        var error = ProcessingError(
            named ?? request.code, plan.filter.hiding(message), retryable: failure.retryable)
        error.thrownName = failure.exception.map { plan.filter.hiding($0).cut(toBytes: 128).printable }
        return error
    }
}
