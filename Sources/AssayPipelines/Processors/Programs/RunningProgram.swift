import Assay
import Foundation
import Logging
import Synchronization

/// A started program with its pipes and its working folder.
final class RunningProgram: Sendable {
    let pipes: ProgramPipes
    private let process: ChildProcess
    private let ending: Task<ChildProcess.Exit, Never>

    /// The time that a program has to end after it is asked to.
    static let grace = Duration.seconds(5)

    /// Starts the program of `plan` for the run of `context`.
    ///
    /// - Parameter variables: environment variables besides those of every program of the run.
    /// - Throws: ``ProcessingError`` with code `runner_unavailable`, retryable if a resource had run out.
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

    /// Its exit; `nil` while it runs.
    var exit: ChildProcess.Exit? { process.exit }

    /// Waits for its exit; `nil` if the calling task is cancelled first.
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

    /// Waits until it has ended and nothing of it is left.
    @discardableResult func waitForExit() async -> ChildProcess.Exit { await ending.value }

    /// Waits for its exit, at most `limit`; `nil` after that.
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
        // On a busy machine the news of its end may take longer than the end itself.
        return exit == nil && hasEnded ? await waitForExit() : exit
    }

    /// Whether it has ended according to the kernel.
    private var hasEnded: Bool {
        if process.exit != nil { return true }
        var info = siginfo_t()
        let result = waitid(P_PID, id_t(process.id), &info, WEXITED | WNOHANG | WNOWAIT)
        // No such child: its end has already been collected.
        return result != 0 || info.si_signo != 0
    }

    /// Ends it with SIGTERM to its group, and SIGKILL after 5 s. Returns when nothing of it is left.
    func end() async {
        await process.end(grace: Self.grace)
        await waitForExit()
        pipes.close()
    }

    /// Closes its input so that it ends by itself, and ends it if it does not within 5 s.
    func retire() async {
        pipes.closeInput()
        if await exit(within: Self.grace) == nil { await end() }
        pipes.close()
    }
}

/// A race that resumes a continuation with the first of several values.
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
