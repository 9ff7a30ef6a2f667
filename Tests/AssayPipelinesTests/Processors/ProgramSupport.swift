import Assay
import AssayPipelines
import Foundation
import Synchronization
import Testing

/// A folder with programs, and pipelines that run them.
struct ProgramFolder {
    let folder: TemporaryFolder
    /// The file that programs of the test write to, see ``marks``.
    var record: String { "\(folder.path)/record" }

    init() throws { folder = try TemporaryFolder() }

    /// What programs say about themselves: a line each.
    var marks: [String] {
        let text = (try? String(contentsOfFile: record, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    /// What every Python program of these tests begins with.
    private static let python = """
        import json, os, signal, subprocess, sys, time
        def requests():
            for line in sys.stdin:
                yield json.loads(line)
        def say(request, **keys):
            print(json.dumps({"id": request["id"], **keys}), flush=True)
        def answer():
            return json.loads(sys.stdin.readline())
        def mark(text):
            with open(os.environ["RECORD"], "a") as file:
                file.write(f"{text}\\n")

        """

    /// The pipeline that runs the Python program `program`.
    ///
    /// - Parameters:
    ///   - parameters: of the processor besides its command.
    ///   - node: keys of the processor.
    ///   - top: keys of the file.
    func python(
        _ program: String, parameters: String = "", node: String = "", top: String = "",
        environment: [String: String] = [:]
    ) throws -> Pipeline {
        try folder.write(Self.python + program, to: "program.py")
        return try load(
            command: "[/usr/bin/python3, -u, ./program.py]", parameters: parameters, node: node, top: top,
            environment: environment)
    }

    /// The pipeline that runs the shell script `program` once for each request.
    func once(
        _ program: String, parameters: String = "", node: String = "", top: String = "",
        environment: [String: String] = [:]
    ) throws -> Pipeline {
        try shell(
            program, parameters: "mode: once\n\(parameters)", node: node, top: top, environment: environment)
    }

    /// The pipeline that runs the shell script `program`.
    func shell(
        _ program: String, parameters: String = "", node: String = "", top: String = "",
        environment: [String: String] = [:]
    ) throws -> Pipeline {
        try folder.write(program, to: "program.sh")
        return try load(
            command: "[/bin/sh, ./program.sh]", parameters: parameters, node: node, top: top,
            environment: environment)
    }

    private func load(
        command: String, parameters: String, node: String, top: String, environment: [String: String]
    ) throws -> Pipeline {
        func indented(_ text: String, by count: Int) -> String {
            text.split(separator: "\n").map { String(repeating: " ", count: count) + $0 }.joined(separator: "\n")
        }
        let hasEnvironment = parameters.contains("environment:")
        return try folder.load(
            """
            run_as: processor
            \(top)
            processors:
              - processor_id: a
                processor_type: command
            \(indented(node, by: 4))
                parameters:
                  command: \(command)
            \(indented(hasEnvironment ? "" : "environment: {RECORD: \(record)}", by: 6))
            \(indented(parameters, by: 6))
            """, environment: ["PATH": "/usr/bin:/bin"].merging(environment) { $1 })
    }
}

extension Pipeline {
    /// Runs the pipeline over inputs.
    func run(
        _ inputs: [JSONValue] = [1], engine: Engine = Engine(), _ change: (inout RunOptions) -> Void = { _ in },
        watching: (@Sendable (RunHandle) -> Void)? = nil
    ) async throws -> Report {
        var options = options
        change(&options)
        let items = inputs.enumerated().map {
            Item("\($0 + 1)", payload: Payload(json: $1), accountID: options.scope.accountID?.text)
        }
        return try await engine.run(single, over: items, options: options, watching: watching)
    }
}

extension Report {
    /// The outputs as JSON text, `code: message` of what failed.
    var told: [String] {
        outcomes.map { outcome in
            if let error = outcome.error { return "\(error.code.rawValue): \(error.message)" }
            return (try? outcome.output?.json().json) ?? outcome.status.rawValue
        }
    }
}

/// Whether a process that a program named can still do something.
func isAlive(_ process: String) -> Bool {
    guard let stat = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
        let name = stat.lastIndex(of: ")")
    else { return false }
    return !["Z", "X"].contains(stat[stat.index(after: name)...].split(separator: " ").first)
}

extension Engine {
    /// An engine whose warnings are collected.
    static func listening(world: World = .system) -> (engine: Engine, warnings: @Sendable () async -> [String]) {
        let engine = Engine(world: world)
        let messages = Collected()
        let subscription = engine.events.subscribe([.warning]) { event in
            messages.add(event.data["message"]?.string ?? "")
        }
        return (
            engine,
            {
                await subscription.finish(); return messages.all
            }
        )
    }
}

/// Texts in the order in which they came.
final class Collected: Sendable {
    private let texts = Mutex<[String]>([])

    func add(_ text: String) { texts.withLock { $0.append(text) } }

    var all: [String] { texts.withLock { $0 } }
}
