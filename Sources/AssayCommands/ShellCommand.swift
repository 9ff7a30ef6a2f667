package import ArgumentParser

/// A command that receives all its access to the outside world, so that a test can run it.
package protocol ShellCommand: AsyncParsableCommand {
    /// Runs the command.
    ///
    /// - Throws: any error; its message is written, and it decides the exit status.
    func run(in shell: Shell) async throws -> ExitStatus
}

extension ShellCommand {
    package mutating func run() async throws {
        let status = try await run(in: .system())
        guard status == .success else { throw ExitCode(status.rawValue) }
    }
}
