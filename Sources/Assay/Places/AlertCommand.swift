import Foundation

/// A program that an alert starts, with its arguments, never a shell line.
///
/// It receives the alert as JSON on its standard input and runs in a process group of its own, which is ended after a
/// time.
package struct AlertCommand: Sendable {
    private let executable: String
    private let arguments: [String]
    private let folder: String
    private let environment: [String: String]
    private let timeout: Duration
    private let time: any TimeSource

    /// Creates a command from a program to start.
    ///
    /// - Parameters:
    ///   - folder: its working folder.
    ///   - environment: the variables of which it receives `PATH`, `LANG`, `LC_ALL` and `TZ`.
    ///   - timeout: how long it may take.
    package init(
        _ executable: String, _ arguments: [String], folder: String, environment: [String: String],
        timeout: Duration = .seconds(30), time: any TimeSource = World.system.time
    ) {
        self.executable = executable
        self.arguments = arguments
        self.folder = folder
        self.environment = environment.filter { ["PATH", "LANG", "LC_ALL", "TZ"].contains($0.key) }
        self.timeout = timeout
        self.time = time
    }

    /// Starts the program and waits until it has ended.
    ///
    /// - Throws: ``ProcessingError`` with code `processing` when it ends with a status other than 0, `timeout` when it
    ///   takes too long, `runner_unavailable` when it cannot be started.
    package func perform(_ alert: Alert) async throws {
        var environment = environment
        environment["ASSAY_ALERT"] = alert.name
        environment["ASSAY_EVENT_TYPE"] = alert.event.kind.rawValue
        environment["ASSAY_RUN_ID"] = alert.event.runID?.text ?? ""
        let (input, end) = try Descriptor.socketPair()
        let process = try ChildProcess(
            .init(executable, arguments, environment: environment, folder: folder, descriptors: [end]))
        end.close()
        let outbox = Outbox(input)
        outbox.send(alert.jsonValue.jsonBytes + [UInt8(ascii: "\n")])
        outbox.close()
        let exit = try await exit(of: process)
        guard exit != .exited(0) else { return }
        throw ProcessingError(.processing, "command \(executable.quoted) \(exit)", retryable: false)
    }

    private func exit(of process: ChildProcess) async throws -> ChildProcess.Exit {
        let deadline = time.uptime() + timeout
        return try await withThrowingTaskGroup(of: ChildProcess.Exit?.self) { group in
            group.addTask { await process.waitForExit() }
            group.addTask { [time] in
                try await time.sleep(until: deadline)
                return nil
            }
            defer { group.cancelAll() }
            guard let exit = try await group.next() ?? nil else {
                await process.end()
                throw ProcessingError(
                    .timeout, "command \(executable.quoted) took longer than \(timeout.secondsText) and was ended")
            }
            return exit
        }
    }
}
