/// A processor whose types were traded for a name: payloads in, payloads out.
///
/// This is what the engine and every runner work with, so that a process or a cluster can be handed a name and JSON.
public struct RegisteredProcessor: Sendable {
    /// What a processor mostly waits for, from which `runner: auto` chooses.
    public enum Workload: String, Codable, Sendable {
        /// External calls, documents.
        case io
        /// Calculation.
        case compute
    }

    /// The processor's name.
    public let name: Identifier
    /// Changes when the processor's steps mean something else; saved steps of another version are not reused unasked.
    public var version: String
    /// What the processor was set up with; part of cache keys and compared like the version.
    public var parameters: JSONValue
    /// What it mostly waits for, if declared.
    public var workload: Workload?
    /// How much work one of its items is, if declared; the size of batches follows from it.
    public var complexity: Complexity?
    /// How much work an item is at the nodes of a graph that say so.
    var nodeComplexities: [Complexity] = []
    /// Top-level keys of the data that do not count when inputs are compared.
    public var digestIgnores: Set<String>
    /// The type by which files name it; `nil` for one that was made in code.
    package var type: String?
    /// The files that it is made of; `nil` for one that is in this program.
    package var files: DefinitionFiles?
    /// The variables in its parameters that are part of what it does, by name; their values are never written down.
    package var variables = Secret<[String: String]>([:])
    /// The nodes of the graph that this stands for; `nil` for one processor.
    private(set) var nodes: [(id: Identifier, processor: RegisteredProcessor)]?
    /// Lets go of what the processor kept for a run; called once, when nothing of the run goes on any more.
    package var finish: (@Sendable (Run.ID) async -> Void)?

    /// Finds the path of the file that an input stands for without saying so as `file`; `nil` finds none.
    package var fileOfInput: (@Sendable (JSONValue) -> String?)?

    /// The media types of the files that it reads; `nil` for one that does not say.
    package var mediaTypes: Set<String>?

    /// Whether it may open files that its data names, of which nobody else knows.
    package var mayOpenFiles = false

    /// Whether an output is one, rather than a sign that there is none for this item; `nil`: every output is.
    package var givesOutput: (@Sendable (Payload) -> Bool)?

    /// What it works with and nobody may see in messages, logs, events and stored failures.
    package var secrets = SecretFilter.none

    /// Whether its work is done by programs that it starts, so that another process around it would add nothing.
    package var startsPrograms = false

    /// How an input came through `transform` and `validate`.
    enum Prepared: Sendable {
        /// Accepted as it is.
        case unchanged
        /// Accepted in another form.
        case changed(Payload)
        /// Not accepted; with what `validate` was given, if it came to that.
        case refused(any Error, in: Stage, value: Payload?)
    }

    let prepare: @Sendable (Payload, Context) async -> Prepared
    let extract: @Sendable (Payload, Context) async throws -> Payload
    let expectedCosts: @Sendable (Payload, Context) async throws -> [ExpectedCost]?
    package let costsOfAnyInput: [ExpectedCost]?
    let aggregate: @Sendable (_ count: Int, _ page: @escaping OutputPage, Context) async throws -> Payload

    typealias OutputPage = @Sendable (_ start: Int) async throws -> [Payload]

    /// Registers `processor`.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` when its name is not an ``Identifier``.
    public init<P: Processor>(
        _ processor: P, version: String = "1", parameters: JSONValue = [:], workload: Workload? = nil,
        digestIgnores: Set<String> = []
    ) throws(ProcessingError) {
        guard let name = Identifier(processor.name) else {
            throw ProcessingError(
                .configuration,
                "a processor's name must be 1 to 128 letters, digits, '.', '_' or '-', not starting with '.', found '\(processor.name)'"
            )
        }
        self.name = name
        self.version = version
        self.parameters = parameters
        self.workload = workload
        self.digestIgnores = digestIgnores
        let acceptsAll = processor is any AcceptsEveryInput
        prepare = { payload, context in
            var transformed: P.Input?
            do {
                let input = try payload.value(as: P.Input.self)
                if acceptsAll { return .unchanged }
                let value = try await processor.transform(input, in: context)
                transformed = value
                try await processor.validate(value, in: context)
                return processor.transforms ? .changed(Payload(value)) : .unchanged
            } catch {
                let stage: Stage = transformed == nil ? .transformation : .validation
                return .refused(error, in: stage, value: transformed.map { Payload($0) })
            }
        }
        extract = { input, context in
            Payload(try await processor.extract(input.value(as: P.Input.self), in: context))
        }
        expectedCosts = { input, context in
            try await processor.expectedCosts(of: input.value(as: P.Input.self), in: context)
        }
        costsOfAnyInput = processor.costsOfAnyInput
        aggregate = { count, page, context in
            Payload(try await processor.aggregate(Outputs<P.Output>(count: count, page: page), in: context))
        }
    }

    /// What a worker for `nodes` has: it does what the node does that the context names.
    init(serving nodes: [Node]) {
        if nodes.count == 1 {
            self = nodes[0].processor
            return
        }
        let processors = Dictionary(uniqueKeysWithValues: nodes.map { ($0.id, $0.processor) })
        @Sendable func processor(in context: Context) throws -> RegisteredProcessor {
            guard let processor = processors[context.processorID] else {
                throw ProcessingError(.notFound, "no node '\(context.processorID)' is served here")
            }
            return processor
        }
        self.init(named: Identifier(unchecked: "graph")) { _, _ in
            .unchanged
        } extract: { input, context in
            try await processor(in: context).extract(input, context)
        }
        startsPrograms = nodes.contains { $0.processor.startsPrograms }
        secrets = nodes.reduce(.none) { $0.joined(with: $1.processor.secrets) }
    }

    /// What a run of a graph is done with: items are checked for its sources, and the summary is the list of results.
    init(_ graph: Identifier, _ wiring: Wiring) {
        self.init(named: graph) { data, context in
            do {
                _ = try wiring.feed(data, of: context.inputID ?? "")
                return .unchanged
            } catch {
                return .refused(error, in: .prevalidation, value: nil)
            }
        } extract: { _, _ in
            throw ProcessingError(.configuration, "a graph is run by its nodes")
        }
        parameters = wiring.definition
        if wiring.sources.count == 1, let source = wiring.sources.first {
            fileOfInput = wiring.nodes[source].processor.fileOfInput
            mayOpenFiles = wiring.nodes[source].processor.mayOpenFiles
            mediaTypes = wiring.nodes[source].processor.mediaTypes
        }
        let processors = wiring.nodes.map(\.processor)
        nodes = wiring.nodes.map { ($0.id, $0.processor) }
        secrets = processors.reduce(.none) { $0.joined(with: $1.secrets) }
        nodeComplexities = processors.compactMap(\.complexity)
        finish = { run in for processor in processors { await processor.finish?(run) } }
    }

    private init(
        named name: Identifier, prepare: @escaping @Sendable (Payload, Context) async -> Prepared,
        extract: @escaping @Sendable (Payload, Context) async throws -> Payload
    ) {
        self.name = name
        (version, parameters, digestIgnores) = ("1", [:], [])
        self.prepare = prepare
        self.extract = extract
        expectedCosts = { _, _ in nil }
        costsOfAnyInput = nil
        aggregate = { count, page, _ in Payload(try await Outputs<JSONValue>(count: count, page: page).all()) }
    }

    /// The path of a file that an item's data names and that nobody looks at.
    func unwatchedFile(of item: Item) -> String? {
        guard mayOpenFiles, item.file == nil, let path = (try? item.data.json())?["path"]?.string,
            (try? InputFile.stamp(of: path)) != nil
        else { return nil }
        return path
    }

    /// The item with the file that its data stands for, where the processor says so.
    func withFile(_ item: Item) -> Item {
        guard let fileOfInput, item.file == nil, let data = try? item.data.json(), let path = fileOfInput(data) else {
            return item
        }
        return item.with(InputFile(path: path))
    }

    /// The digest by which an item is compared: of its data without the keys that do not count, of its file by the file's
    /// content, of both together where it has both.
    func digest(of item: Item) throws -> Digest {
        guard let content = item.file?.digest else { return digest(of: try item.data.json()) }
        return try digest(of: item.hasOwnData ? item.data : nil, with: content)
    }

    /// The digest of `data`, if there is some, with the content of a file.
    func digest(of data: Payload?, with content: Digest) throws -> Digest {
        guard let data else { return content }
        return Digest(of: ["data": .string(digest(of: try data.json()).text), "file": .string(content.text)])
    }

    /// The digest by which an input is compared, without the keys that do not count.
    func digest(of data: JSONValue) -> Digest {
        guard !digestIgnores.isEmpty, case .object(var object) = data else { return Digest(of: data) }
        for key in digestIgnores { object[key] = nil }
        return Digest(of: .object(object))
    }
}
