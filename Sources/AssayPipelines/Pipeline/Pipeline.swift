public import Assay
import Foundation

/// A pipeline file that has been read and checked: what to run, how, and at which prices.
public struct Pipeline: Sendable {
    /// The file as the user named it.
    public let path: String
    /// What a file describes, and how it is to be run.
    public enum Content: Sendable {
        /// One processor, run over all items in three phases.
        case processor(RegisteredProcessor, RunOptions)
        /// Processors wired port to port.
        case graph(Graph, GraphOptions)
    }

    /// What it runs, and how.
    public let content: Content
    /// For whom it works; also given to items that name none.
    public let scope: Scope
    /// The items to use when the caller gives none.
    public let items: [Item]
    /// What things cost; `nil` when the file does not say.
    public let prices: (any PriceSource)?
    /// How executions of it wait; `nil` when the file does not say.
    public let queue: PipelineQueue?
    /// Which events are recorded.
    public let monitoring: Monitoring
    /// What is watched for in them.
    public let alerts: [AlertRule]
    /// Where checkpoints are kept.
    public let checkpoints: CheckpointSettings
    /// What the pipes of a graph are watched by.
    package let taps: [TapSetting]
    /// What in the file may not be meant.
    package var warnings: [Finding] = []
    /// The file's contents as a value, texts before environment variables were put in; from this it can be read again.
    public let definition: JSONValue

    /// Reads the file at `path`.
    ///
    /// - Parameters:
    ///   - registry: the processor types it may name.
    ///   - environment: the variables that `${NAME}` in parameters stands for; `nil`: those of this program.
    ///   - overrides: parameters that replace those of the file.
    ///   - warn: takes what is wrong with a later change of the price file.
    /// - Throws: ``ProcessingError`` with code `configuration`, one finding a line: `FILE:LINE:COLUMN: WHAT`.
    public static func load(
        _ path: String, registry: Registry, environment: [String: String]? = nil,
        overrides: [ParameterOverride] = [], warn: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(ProcessingError) -> Pipeline {
        let document = try ConfigurationDocument(path: path)
        return try PipelineSchema(
            document: document, path: path, registry: registry,
            environment: environment ?? ProcessInfo.processInfo.environment,
            overrides: overrides, warn: warn
        ).read()
    }

    /// Reads what ``definition`` kept of the file at `path`.
    ///
    /// - Throws: as ``load(_:registry:environment:overrides:warn:)``.
    public static func load(
        definition: JSONValue, path: String, registry: Registry,
        environment: [String: String]? = nil, overrides: [ParameterOverride] = [],
        warn: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(ProcessingError) -> Pipeline {
        let document = try ConfigurationDocument(definition.jsonBytes, as: .json, file: path)
        document.findings.isCopy = true
        return try PipelineSchema(
            document: document, path: path, registry: registry,
            environment: environment ?? ProcessInfo.processInfo.environment,
            overrides: overrides, warn: warn
        ).read()
    }
}

extension Pipeline {
    /// The one processor that it runs over all items; `nil` for a graph.
    public var processor: RegisteredProcessor? {
        if case .processor(let processor, _) = content { processor } else { nil }
    }

    /// The graph that it runs; `nil` for a single processor.
    public var graph: Graph? { if case .graph(let graph, _) = content { graph } else { nil } }

    /// How it is to be run, as far as that holds for processors and graphs alike.
    public var options: RunOptions {
        switch content {
        case .processor(_, let options): options
        case .graph(_, let options): options.run
        }
    }

    /// From what a worker process makes ``processor`` once more.
    ///
    /// - Parameter overrides: the parameters that replaced those of the file.
    public func workerSetup(overrides: [ParameterOverride] = []) -> WorkerSetup {
        .pipeline(definition: definition, path: path, overrides: overrides)
    }
}

extension Pipeline {
    /// The keys of a file that say what is done, rather than how, when and for whom.
    private static let keysOfWork = ["run_as", "graph_id", "processors", "connections", "digest_ignores"]

    /// The digest of what the file says is to be done, as it is written; executions of a queue are of it.
    package var identity: Digest {
        var work = JSONObject()
        for key in Self.keysOfWork { work[key] = definition[key] }
        return Digest(of: .object(work))
    }

    /// Whether the file at `path` is a pipeline that says how its executions wait.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` when it cannot be read to its end.
    package static func waitsInQueue(_ path: String) throws(ProcessingError) -> Bool {
        guard case .map(let entries) = try ConfigurationDocument(path: path).root.value else { return false }
        let keys = Set(entries.map(\.key))
        return keys.contains("queue") && keys.contains("processors")
    }
}

/// A parameter given outside of the pipeline file: `name.key=value`.
public struct ParameterOverride: Hashable, Sendable {
    /// The processor.
    public var processorID: String
    /// The parameter.
    public var key: String
    /// Its value.
    public var value: JSONValue

    /// The override that `text` writes; a value that is not JSON is taken as text. The last dot before the `=` ends
    /// the name, which may have dots of its own.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` for another form.
    public init(_ text: String) throws(ProcessingError) {
        guard let equals = text.firstIndex(of: "="), let dot = text[..<equals].lastIndex(of: "."),
            dot > text.startIndex, text.index(after: dot) < equals
        else { throw ProcessingError(.configuration, "a parameter is given as name.key=value, found \(text.quoted)") }
        processorID = String(text[..<dot])
        key = String(text[text.index(after: dot)..<equals])
        let written = String(text[text.index(after: equals)...])
        value = (try? JSONValue(json: written)) ?? .string(written)
    }
}
