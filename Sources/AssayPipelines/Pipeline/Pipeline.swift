public import Assay
import Foundation

/// A validated pipeline file: what to run, how, and at which prices.
public struct Pipeline: Sendable {
    /// The file as the user named it.
    public let path: String
    /// The work that a file describes, with its options.
    public enum Content: Sendable {
        /// One processor, run over all items in three phases.
        case processor(RegisteredProcessor, RunOptions)
        /// Processors wired port to port.
        case graph(Graph, GraphOptions)
    }

    /// The work and its options.
    public let content: Content
    /// The scope of the work, also used for items without their own.
    public let scope: Scope
    /// The items to use when the caller gives none.
    public let items: [Item]
    /// The price source; `nil` if the file does not give one.
    public let prices: (any PriceSource)?
    /// The queue for its executions; `nil` if the file does not give one.
    public let queue: PipelineQueue?
    /// The settings for recorded events.
    public let monitoring: Monitoring
    /// The alert rules for its events.
    public let alerts: [AlertRule]
    /// The settings for checkpoints.
    public let checkpoints: CheckpointSettings
    /// The taps on the pipes of a graph.
    package let taps: [TapSetting]
    /// The warnings about the file.
    package var warnings: [Finding] = []
    /// The file's contents as a value, with texts before environment variables are substituted. The pipeline can be
    /// loaded from it again.
    public let definition: JSONValue

    /// Reads the file at `path`.
    ///
    /// - Parameters:
    ///   - registry: the processor types that the file may name.
    ///   - environment: the variables for `${NAME}` in parameters; `nil`: those of this program.
    ///   - overrides: parameters that replace those of the file.
    ///   - warn: receives problems with a later change of the price file.
    /// - Throws: ``ProcessingError`` with code `configuration`, one finding per line: `FILE:LINE:COLUMN: WHAT`.
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

    /// Reads a ``definition`` kept from the file at `path`.
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
    /// The single processor that it runs over all items; `nil` for a graph.
    public var processor: RegisteredProcessor? {
        if case .processor(let processor, _) = content { processor } else { nil }
    }

    /// The graph that it runs; `nil` for a single processor.
    public var graph: Graph? { if case .graph(let graph, _) = content { graph } else { nil } }

    /// The options that processors and graphs share.
    public var options: RunOptions {
        switch content {
        case .processor(_, let options): options
        case .graph(_, let options): options.run
        }
    }

    /// Returns the setup from which a worker process recreates ``processor``.
    ///
    /// - Parameter overrides: the parameters that replaced those of the file.
    public func workerSetup(overrides: [ParameterOverride] = []) -> WorkerSetup {
        .pipeline(definition: definition, path: path, overrides: overrides)
    }
}

extension Pipeline {
    /// The keys of a file that define the work, rather than how, when and for whom it runs.
    private static let keysOfWork = ["run_as", "graph_id", "processors", "connections", "digest_ignores"]

    /// The digest of the work as written in the file, which identifies the pipeline of queued executions.
    package var identity: Digest {
        var work = JSONObject()
        for key in Self.keysOfWork { work[key] = definition[key] }
        return Digest(of: .object(work))
    }

    /// Returns whether the file at `path` is a pipeline with a queue.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` if it cannot be read to its end.
    package static func waitsInQueue(_ path: String) throws(ProcessingError) -> Bool {
        guard case .map(let entries) = try ConfigurationDocument(path: path).root.value else { return false }
        let keys = Set(entries.map(\.key))
        return keys.contains("queue") && keys.contains("processors")
    }
}

/// A parameter given outside the pipeline file: `name.key=value`.
public struct ParameterOverride: Hashable, Sendable {
    /// The processor.
    public var processorID: String
    /// The parameter.
    public var key: String
    /// Its value.
    public var value: JSONValue

    /// Parses `text` as an override; a value that is not JSON is text. The last dot before the `=` ends the name, which
    /// may contain dots.
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
