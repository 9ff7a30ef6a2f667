import ArgumentParser
import Assay
import AssayPipelines
import Foundation

/// The program `assay`.
package enum CommandLineTool {
    /// Serves as a worker process, and never returns, if this program was started as one.
    ///
    /// Call it on the main thread, before anything else.
    package static func serveIfAsked() {
        WorkerProcess.serveIfAsked { name, setup in
            try WorkerSetup(json: setup).processor(named: name, from: .complete)
        }
    }

    /// Parses the arguments, runs the command and ends the program.
    @concurrent package static func main() async -> Never {
        // A reader that goes away must fail `write`, not end the program.
        signal(SIGPIPE, SIG_IGN)
        exit(await run(Array(CommandLine.arguments.dropFirst()), in: .system()))
    }

    /// Runs the command in `arguments` and returns the exit code.
    package static func run(_ arguments: [String], in shell: Shell) async -> Int32 {
        let messages = Screen(shell.messages)
        if let complaint = AssayCommand.unknownCommand(in: arguments) {
            messages.say("assay: \(complaint)")
            return ExitStatus.usage.rawValue
        }
        do {
            if let complaint = negativeNumber(in: arguments) { throw CommandFailure.usage(complaint) }
            var command = try AssayCommand.parseAsRoot(arguments)
            if let command = command as? any ShellCommand { return try await command.run(in: shell).rawValue }
            try command.run()
            return ExitStatus.success.rawValue
        } catch SinkError.closed {
            return ExitStatus.success.rawValue
        } catch  where isParsing(error) {
            return tell(error, to: shell, messages)
        } catch {
            let failure = CommandFailure(error)
            for line in failure.message.split(separator: "\n", omittingEmptySubsequences: false) {
                let line = String(line).safe
                messages.say(line.namesPlace ? line : "assay: \(line)")
            }
            return failure.status.rawValue
        }
    }

    /// Returns a message about a negative number that is given as a separate word, which the parser takes for a flag.
    private static func negativeNumber(in arguments: [String]) -> String? {
        let words = arguments.prefix { $0 != "--" }
        for (flag, value) in zip(words, words.dropFirst()) {
            guard flag.hasPrefix("--"), !flag.contains("="), value.hasPrefix("-"), Double(value) != nil else {
                continue
            }
            return "a negative number is written with '=', as \(flag)=\(value)"
        }
        return nil
    }

    /// Returns whether `error` comes from the argument parser, which also throws to end `--help`.
    private static func isParsing(_ error: any Error) -> Bool {
        if error is CommandFailure || error is ProcessingError || error is SinkError { return false }
        return [.success, .validationFailure].contains(AssayCommand.exitCode(for: error))
    }

    private static func tell(_ error: any Error, to shell: Shell, _ messages: Screen) -> Int32 {
        let code = AssayCommand.exitCode(for: error)
        let text = AssayCommand.fullMessage(for: error, columns: shell.messages.columns)
        if code == .success {
            try? shell.output.write(Array((text + "\n").utf8))
        } else {
            messages.say(text)
        }
        return code.rawValue
    }
}

extension String {
    /// Whether the line itself names the file that it is about: `FILE:LINE:COLUMN: WHAT`.
    fileprivate var namesPlace: Bool { wholeMatch(of: /[^ ]+?(:\d+)+: .+/) != nil }
}
