public import Assay
import Foundation

/// A setup from which a worker process recreates the processor of a pipeline file or of a type.
///
/// ```swift
/// WorkerProcess.serveIfAsked { name, setup in
///     try WorkerSetup(json: setup).processor(named: name, from: registry)
/// }
/// ```
public enum WorkerSetup: Sendable {
    /// A pipeline file, as ``Pipeline/definition`` keeps it.
    case pipeline(definition: JSONValue, path: String, overrides: [ParameterOverride])
    /// A type with parameters that are not in a file; relative paths in them refer to `folder`.
    case type(String, parameters: JSONValue, folder: String)

    /// Makes the processor with the environment variables of this program.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` if `registry` cannot make it.
    public func processor(named name: String, from registry: Registry) throws -> RegisteredProcessor {
        switch self {
        case .pipeline(let definition, let path, let overrides):
            try Self.processor(
                named: name,
                of: Pipeline.load(definition: definition, path: path, registry: registry, overrides: overrides))
        case .type(let type, let parameters, let folder):
            try registry.make(
                type, name: type, parameters: parameters, folder: folder,
                environment: ProcessInfo.processInfo.environment)
        }
    }

    private static func processor(named name: String, of pipeline: Pipeline) throws -> RegisteredProcessor {
        if let processor = pipeline.processor { return processor }
        guard let processor = pipeline.graph?.node(name)?.processor else {
            throw ProcessingError(.configuration, "there is no node '\(name)' in the graph that this worker serves")
        }
        return processor
    }

    /// Creates the setup that ``jsonValue`` wrote.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` for anything else.
    public init(json: JSONValue) throws(ProcessingError) {
        if let type = json["type"]?.string, let parameters = json["parameters"], let folder = json["folder"]?.string {
            self = .type(type, parameters: parameters, folder: folder)
        } else if let definition = json["definition"], let path = json["path"]?.string {
            let written: [JSONValue] = json["overrides"]?.array ?? []
            var overrides: [ParameterOverride] = []
            for text in written.compactMap(\.string) { overrides.append(try ParameterOverride(text)) }
            self = .pipeline(definition: definition, path: path, overrides: overrides)
        } else {
            throw ProcessingError(.configuration, "a worker was started without the pipeline that it is to serve")
        }
    }

    /// The value that ``ProcessRunner`` passes to its workers.
    public var jsonValue: JSONValue {
        switch self {
        case .pipeline(let definition, let path, let overrides):
            let overrides = overrides.map { JSONValue.string("\($0.processorID).\($0.key)=\($0.value.json)") }
            return ["definition": definition, "path": .string(path), "overrides": .array(overrides)]
        case .type(let type, let parameters, let folder):
            return ["type": .string(type), "parameters": parameters, "folder": .string(folder)]
        }
    }
}

extension RunOptions {
    /// Makes worker processes, if the runner starts any, create their processor from `setup`.
    public mutating func handToWorkers(_ setup: WorkerSetup) { runner = runner.handing(setup.jsonValue) }
}
