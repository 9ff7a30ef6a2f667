package import ArgumentParser
import Foundation

/// `assay init`: writes pipelines, a processor in Python and inputs to begin with.
package struct InitCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Write commented pipelines, a processor in Python and sample inputs that run as they stand.")

    @Argument(help: "The folder to write to; made when it is not there.")
    var folder = "."

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let screen = Screen(shell.messages)
        let prefix = folder == "." ? "" : folder.hasSuffix("/") ? folder : folder + "/"
        let files = InitFiles.all.map { (path: prefix + $0.path, text: $0.text) }
        // All or nothing: if any file exists already, everything stays as it was.
        let known = files.filter { access(shell.place(of: $0.path), F_OK) == 0 }.map(\.path)
        guard known.isEmpty else {
            throw CommandFailure(
                .invalidData,
                "\(known.joined(separator: ", ")) \(known.count == 1 ? "is" : "are") there already and never written over; "
                    + "nothing was written: name another folder, as in: assay init first-steps")
        }
        for file in files { try write(file.text, to: file.path, in: shell) }
        for file in files { screen.say("wrote \(file.path.safe)") }
        let (pipeline, inputs) = (prefix + InitFiles.pipeline, prefix + InitFiles.inputs)
        screen.say("now try: assay run \(pipeline) \(inputs)")
        let (program, documents) = (prefix + InitFiles.program, prefix + InitFiles.documents)
        screen.say("or a program of your own: assay run \(program) --inputs \(documents)")
        return .success
    }

    private func write(_ text: String, to path: String, in shell: Shell) throws {
        let place = shell.place(of: path)
        let folder = place.contains("/") ? String(place[..<place.lastIndex(of: "/")!]) : "."
        do {
            if !folder.isEmpty {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            }
        } catch {
            throw CommandFailure(.inputOutput, "cannot make the folder of \(path): \(error.localizedDescription)")
        }
        let file = open(place, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard file >= 0 else {
            throw CommandFailure(
                .inputOutput, "\(path) cannot be written: \(String(cString: strerror(errno)).lowercased())")
        }
        defer { close(file) }
        try DescriptorSink(file).write(Array(text.utf8))
    }
}
