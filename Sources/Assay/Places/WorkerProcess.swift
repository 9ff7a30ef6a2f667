import Foundation
import Synchronization

/// The worker's side of a ``ProcessRunner``: the same program, started again to serve one processor.
///
/// ```swift
/// @main struct Program {
///     static func main() async throws {
///         WorkerProcess.serveIfAsked { name, setup in
///             try name == "invoices" ? RegisteredProcessor(Invoices()) : nil
///         }
///         // What the program is otherwise.
///     }
/// }
/// ```
public enum WorkerProcess {
    /// Makes the processor of a name; returns `nil` when there is none of that name.
    ///
    /// - Parameter setup: the setup value of the runner.
    public typealias Resolver = @Sendable (_ name: String, _ setup: JSONValue) throws -> RegisteredProcessor?

    /// The first argument of a program that is started as a worker.
    static let argument = "__assay-worker"

    private static let resolver = Mutex<Resolver?>(nil)

    /// Serves items, and never returns, in a process that was started as a worker. In any other process, it remembers
    /// `resolve` and returns at once.
    ///
    /// Call it first in `main`, before anything is opened, started or printed.
    public static func serveIfAsked(_ resolve: @escaping Resolver) {
        resolver.withLock { $0 = resolve }
        guard CommandLine.arguments.count > 1, CommandLine.arguments[1] == argument else { return }
        do {
            var loop = try WorkerLoop()
            try loop.run(resolve)
        } catch {
            WorkerOutput.toStandardError("Fatal error: \(error)")
            exit(70)
        }
    }

    /// Returns the processor that a worker of this program would serve under `name`.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` when it would serve none.
    static func processor(_ name: String, setup: JSONValue) throws -> RegisteredProcessor {
        guard let resolve = resolver.withLock({ $0 }) else {
            throw ProcessingError(
                .configuration,
                "the runner 'process' starts this program again, which must call WorkerProcess.serveIfAsked first thing in its main"
            )
        }
        return try self.resolve(name, setup: setup, with: resolve)
    }

    static func resolve(_ name: String, setup: JSONValue, with resolve: Resolver) throws -> RegisteredProcessor {
        guard let processor = try resolve(name, setup), processor.name.text == name else {
            throw ProcessingError(
                .configuration, "the processor '\(name)' is not registered in the worker processes of this program")
        }
        return processor
    }
}
