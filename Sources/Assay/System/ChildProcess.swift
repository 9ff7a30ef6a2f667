internal import CSpawn
import Foundation
import Synchronization

/// A program that this one started, in its own session and process group.
///
/// Its end is detected by waiting for it, never by a closed pipe, which a grandchild may hold open. Whatever it leaves
/// behind in its group ends with it, and it does not outlive this program: see ``Leash``.
package final class ChildProcess: Sendable {
    /// A description of a program to start.
    package struct Launch: Sendable {
        /// The path of the program.
        package var executable: String
        /// Its arguments, without the program name.
        package var arguments: [String]
        /// Its whole environment, to which the leash is added.
        package var environment: [String: String]
        /// Its working folder; `nil` for this program's own.
        package var folder: String?
        /// The descriptors that become its descriptors 0, 1, 2 and so on; `nil` is `/dev/null`. It gets no others.
        package var descriptors: [Descriptor?]

        package init(
            _ executable: String, _ arguments: [String] = [], environment: [String: String] = [:],
            folder: String? = nil, descriptors: [Descriptor?] = []
        ) {
            self.executable = executable
            self.arguments = arguments
            self.environment = environment
            self.folder = folder
            self.descriptors = descriptors
        }
    }

    /// The way a program ended.
    package enum Exit: Hashable, Sendable {
        case exited(Int32)
        case signalled(Int32)
    }

    private struct State {
        var exit: Exit?
        /// Whether its process ID may belong to another process by now.
        var reaped = false
        var watchers: [@Sendable (Exit) -> Void] = []
    }

    /// Its process ID, which is also the ID of its group.
    package let id: Int32
    /// Whether it ends with this program.
    private let isLeashed: Bool
    private let state = Mutex(State())

    /// Starts a program.
    ///
    /// - Throws: ``ProcessingError`` with code `runner_unavailable` when it cannot be started; retryable when
    ///   descriptors, memory or processes have run out.
    package convenience init(_ launch: Launch) throws(ProcessingError) {
        var launch = launch
        launch.environment[Leash.variable] = try Leash.hold()
        try self.init(launch, isLeashed: true)
    }

    /// Starts a program that stays alive when this one ends.
    convenience init(unleashed launch: Launch) throws(ProcessingError) { try self.init(launch, isLeashed: false) }

    private init(_ launch: Launch, isLeashed: Bool) throws(ProcessingError) {
        // Descriptor n must not be overwritten before it has been copied to its target.
        let least = Int32(max(launch.descriptors.count, 3))
        var copies: [Descriptor] = []
        var numbers: [Int32] = []
        for descriptor in launch.descriptors + Array(repeating: nil, count: max(0, 3 - launch.descriptors.count)) {
            guard let descriptor else {
                numbers.append(-1)
                continue
            }
            let source = descriptor.number < least ? try descriptor.duplicate(atLeast: least) : descriptor
            copies.append(source)
            numbers.append(source.number)
        }
        var id: pid_t = 0
        let variables = launch.environment.map { "\($0.key)=\($0.value)" }.sorted()
        let code = withExtendedLifetime(copies) {
            Self.withStrings([launch.executable] + launch.arguments) { arguments in
                Self.withStrings(variables) { variables in
                    assay_spawn(
                        &id, launch.executable, arguments, variables, launch.folder, numbers, Int32(numbers.count))
                }
            }
        }
        guard code == 0 else { throw SystemFailure(code).error("cannot start '\(launch.executable)'") }
        (self.id, self.isLeashed) = (id, isLeashed)
        if isLeashed { Leash.remember(id) }
        let waiter = Thread { [self] in waitForEnd() }
        waiter.name = "assay-wait"
        waiter.stackSize = 256 << 10
        waiter.start()
    }

    private static func withStrings<Result>(
        _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let copies = strings.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        return body(copies + [nil])
    }

    // MARK: Ending

    /// The way it ended; `nil` while it, or anything in its group, is alive.
    package var exit: Exit? { state.withLock { $0.exit } }

    /// Waits until it has ended and nothing in its group is alive.
    @discardableResult package func waitForExit() async -> Exit {
        await withCheckedContinuation { continuation in whenEnded { continuation.resume(returning: $0) } }
    }

    /// Calls `body` when it has ended and nothing in its group is alive; at once if that is already so.
    package func whenEnded(_ body: @escaping @Sendable (Exit) -> Void) {
        let exit = state.withLock { state in
            if state.exit == nil { state.watchers.append(body) }
            return state.exit
        }
        if let exit { body(exit) }
    }

    /// Sends a signal to it and its whole group; does nothing after its end.
    package func signalGroup(_ signal: Int32) {
        state.withLock { state in
            if !state.reaped { _ = kill(-id, signal) }
        }
    }

    /// Asks its group to end, kills it after `grace`, and returns when nothing in it is alive.
    @discardableResult package func end(grace: Duration = .seconds(5)) async -> Exit {
        signalGroup(SIGTERM)
        let kill = Countdown(grace) { [self] in signalGroup(SIGKILL) }
        defer { kill.cancel() }
        return await waitForExit()
    }

    /// Waits for its end, kills what it left behind, and notifies the watchers.
    private func waitForEnd() {
        // The process is not reaped before its group has been killed: until then no other process can get its ID.
        var info = siginfo_t()
        while waitid(P_PID, id_t(id), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        var status: Int32 = 0
        ProcessGroup(id: id).killSession()
        if isLeashed { Leash.forget(id) }
        state.withLock { state in
            _ = kill(-id, SIGKILL)
            while waitpid(id, &status, 0) < 0, errno == EINTR {}
            state.reaped = true
        }
        ProcessGroup(id: id).waitUntilEmpty()
        let signal = status & 0x7f
        let exit = signal == 0 ? Exit.exited(status >> 8 & 0xff) : .signalled(signal)
        let watchers = state.withLock { state in
            state.exit = exit
            defer { state.watchers = [] }
            return state.watchers
        }
        for watcher in watchers { watcher(exit) }
    }
}

extension ChildProcess.Exit: CustomStringConvertible {
    /// "exited with status 3" or "crashed with signal 11 (SIGSEGV)".
    package var description: String {
        switch self {
        case .exited(let status): "exited with status \(status)"
        case .signalled(let signal):
            "crashed with signal \(signal)" + (Self.names[signal].map { " (\($0))" } ?? "")
        }
    }

    private static let names: [Int32: String] = [
        SIGHUP: "SIGHUP", SIGINT: "SIGINT", SIGQUIT: "SIGQUIT", SIGILL: "SIGILL", SIGTRAP: "SIGTRAP",
        SIGABRT: "SIGABRT", SIGBUS: "SIGBUS", SIGFPE: "SIGFPE", SIGKILL: "SIGKILL", SIGUSR1: "SIGUSR1",
        SIGSEGV: "SIGSEGV", SIGUSR2: "SIGUSR2", SIGPIPE: "SIGPIPE", SIGALRM: "SIGALRM", SIGTERM: "SIGTERM",
        SIGXCPU: "SIGXCPU", SIGXFSZ: "SIGXFSZ", SIGSYS: "SIGSYS",
    ]
}
