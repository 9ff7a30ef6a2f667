import Assay
import Foundation

/// A request to a program that is started for it alone.
struct SingleRun {
    let program: RunningProgram
    let plan: ProgramPlan

    /// Sends the data and returns the program's result.
    func answer(_ request: ProgramRequest) async throws -> JSONValue {
        program.pipes.write(request.data.jsonBytes)
        program.pipes.closeInput()
        let output = try await withTaskCancellationHandler {
            try await read()
        } onCancel: {
            program.pipes.close()
        }
        let exit = await program.exitUnlessCancelled()
        guard let exit else { throw CancellationError() }
        let end = program.pipes.errorEnd.printableLines
        switch exit {
        case .exited(0): return try value(of: output)
        case .exited:
            throw ProcessingError(request.code, "\(exit)" + (end.isEmpty ? "" : ": \(end)"), retryable: true)
        case .signalled:
            throw ProcessingError(.workerCrashed, "worker \(exit)" + (end.isEmpty ? "" : ": \(end)"))
        }
    }

    private func read() async throws -> [UInt8] {
        switch await program.pipes.next() {
        case .output(let bytes): return bytes
        case .tooLong(let start):
            throw ProcessingError(.protocol, "the program wrote more than 16 MiB: \(excerpt(start))")
        case .end: throw CancellationError()
        }
    }

    private func value(of output: [UInt8]) throws(ProcessingError) -> JSONValue {
        guard output.contains(where: { ![9, 10, 13, 32].contains($0) }) else { return .null }
        do { return try JSONValue(json: output) } catch {
            throw ProcessingError(
                .protocol, "the program's output is not one JSON value: \(error): \(excerpt(output))")
        }
    }

    private func excerpt(_ bytes: [UInt8]) -> String {
        plan.filter.excerpt(of: bytes, characters: 200)
    }
}
