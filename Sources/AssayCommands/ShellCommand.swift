package import ArgumentParser

/// A command that is handed everything it uses of the world around it, so that it can be run in a test.
package protocol ShellCommand: AsyncParsableCommand {
    /// Carries the command out.
    ///
    /// - Throws: anything; what it says goes to the messages and decides how the program ends.
    func run(in shell: Shell) async throws -> ExitStatus
}

extension ShellCommand {
    package mutating func run() async throws {
        let status = try await run(in: .system())
        guard status == .success else { throw ExitCode(status.rawValue) }
    }
}
