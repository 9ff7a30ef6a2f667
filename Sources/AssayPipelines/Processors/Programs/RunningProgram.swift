import Assay
import Foundation
import Logging
import Synchronization

/// A program that was started, with its pipes and the folder it works in.
final class RunningProgram: Sendable {
    let pipes: ProgramPipes
    private let process: ChildProcess
    private let ending: Task<ChildProcess.Exit, Never>

    /// How long a program may take to end when it is asked to.
    static let grace = Duration.seconds(5)

    /// Starts the program of `plan` for the run of `context`.
    ///
    /// - Parameter variables: the environment besides that of every program of the run.
    /// - Throws: ``ProcessingError`` with code `runner_unavailable`, retryable when something had run out.
    init(
        _ plan: ProgramPlan, reading: ProgramPipes.Reading, variables: [String: String] = [:], in context: Context
    ) throws(ProcessingError) {
        let log = ProgramLog(context: context, filter: plan.filter)
        let pipes = try ProgramPipes(reading: reading, hiding: plan.filter, in: context)
        let folder = plan.folder == nil ? try PrivateFolder() : nil
        var environment = plan.environment.revealed
        environment["ASSAY_RUN_ID"] = context.runID.text
        environment["ASSAY_EXECUTION_ID"] = context.executionID.text
        environment["ASSAY_PROCESSOR_ID"] = context.processorID.text
        environment.merge(variables) { _, new in new }
        let process: ChildProcess
        do {
            process = try ChildProcess(
                .init(
                    plan.executable, plan.arguments.revealed, environment: environment,
                    folder: plan.folder ?? folder?.path, descriptors: pipes.ends))
        } catch {
            folder?.remove { log.write($0, at: .warning, from: .log) }
            throw error
        }
        pipes.begin()
        (self.pipes, self.process) = (pipes, process)
        ending = Task {
            let exit = await process.waitForExit()
            pipes.programHasEnded()
            folder?.remove { log.write($0, at: .warning, from: .log) }
            return exit
        }
    }

    /// How it ended; `nil` while it lives.
    var exit: ChildProcess.Exit? { process.exit }

    /// How it ended, when it has; `nil` when the calling task is cancelled before.
    func exitUnlessCancelled() async -> ChildProcess.Exit? {
        let race = Race<ChildProcess.Exit?>()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                race.begin(continuation)
                Task { race.end(await ending.value) }
            }
        } onCancel: {
            race.end(nil)
        }
    }

    /// Returns when it has ended and nothing of it is left.
    @discardableResult func waitForExit() async -> ChildProcess.Exit { await ending.value }

    /// How it ended, if it does within `limit`.
    func exit(within limit: Duration) async -> ChildProcess.Exit? {
        let race = Race<ChildProcess.Exit?>()
        let exit = await withCheckedContinuation { continuation in
            race.begin(continuation)
            let countdown = Countdown(limit) { race.end(nil) }
            Task {
                race.end(await ending.value)
                countdown.cancel()
            }
        }
        // On a busy machine the news of its end may take longer than its end.
        return exit == nil && hasEnded ? await waitForExit() : exit
    }

    /// Whether it has ended, by the word of the kernel.
    private var hasEnded: Bool {
        if process.exit != nil { return true }
        var info = siginfo_t()
        let result = waitid(P_PID, id_t(process.id), &info, WEXITED | WNOHANG | WNOWAIT)
        // No such child: its end has been taken note of.
        return result != 0 || info.si_signo != 0
    }

    /// Makes it end: SIGTERM to its group, SIGKILL after 5 s; returns when nothing of it is left.
    func end() async {
        await process.end(grace: Self.grace)
        await waitForExit()
        pipes.close()
    }

    /// Lets it end by itself after its input has ended, and makes it end if it does not within 5 s.
    func retire() async {
        pipes.closeInput()
        if await exit(within: Self.grace) == nil { await end() }
        pipes.close()
    }
}

/// Goes on with the first of several values.
private final class Race<Value: Sendable>: Sendable {
    private struct State {
        var continuation: CheckedContinuation<Value, Never>?
        var winner: Value?
    }

    private let state = Mutex(State())

    func begin(_ continuation: CheckedContinuation<Value, Never>) {
        let winner = state.withLock { state in
            if state.winner == nil { state.continuation = continuation }
            return state.winner
        }
        if let winner { continuation.resume(returning: winner) }
    }

    func end(_ value: Value) {
        let continuation = state.withLock { state -> CheckedContinuation<Value, Never>? in
            guard state.winner == nil else { return nil }
            state.winner = value
            defer { state.continuation = nil }
            return state.continuation
        }
        continuation?.resume(returning: value)
    }
}
