import Assay
import Synchronization

/// A writer of outcomes as JSON lines in the order in which they enter the store, or of batches as they finish.
final class OutcomeLines: Sendable {
    private let console: Console
    private let progress: RunProgress
    private let state = Mutex<State>(.open)

    private enum State {
        case open
        case closed
        case failed(SinkError)
    }

    init(_ console: Console, _ progress: RunProgress) {
        self.console = console
        self.progress = progress
    }

    /// The reason why outcomes could not be written; a reader that has gone is not a failure.
    var failure: SinkError? { state.withLock { if case .failed(let error) = $0 { error } else { nil } } }

    func write(_ outcomes: [Outcome]) {
        write { run in
            outcomes.map { (try? $0.line(of: run, type: "outcome").json) ?? #"{"type":"outcome"}"# }
        }
    }

    func write(_ batch: BatchResult) {
        write { run in
            guard case .object(var object)? = try? batch.jsonValue() else { return [#"{"type":"batch"}"#] }
            object["schema"] = "assay/batch/1"
            object["run_id"] = .string(run.text)
            object["type"] = "batch"
            return [JSONValue.object(object).json]
        }
    }

    private func write(_ lines: (Run.ID) -> [String]) {
        guard console.format == .jsonl, let run = progress.handle?.runID else { return }
        state.withLock { state in
            guard case .open = state else { return }
            do throws(SinkError) {
                try console.write(json: lines(run).map { $0 + "\n" }.joined())
            } catch {
                state = error == .closed ? .closed : .failed(error)
            }
        }
    }
}

extension Outcome {
    /// Returns the outcome as a JSON object.
    ///
    /// - Parameter type: the kind of the line in a stream of lines; `nil` for an object on its own.
    func line(of run: Run.ID, type: String? = nil) throws -> JSONValue {
        guard case .object(var object) = try jsonValue() else { return .null }
        object["schema"] = "assay/outcome/1"
        object["run_id"] = .string(run.text)
        object["type"] = type.map { .string($0) }
        return .object(object)
    }
}
