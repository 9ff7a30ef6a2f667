/// A processor whose types are erased: payloads in, payloads out.
///
/// The engine and every runner work with it, so a process or a cluster can get a name and JSON.
public struct RegisteredProcessor: Sendable {
    /// The main thing a processor waits for, which decides what `runner: auto` chooses.
    public enum Workload: String, Codable, Sendable {
        /// External calls, documents.
        case io
        /// Calculation.
        case compute
    }

    /// The processor's name.
    public let name: Identifier
    /// The version, which changes when the processor's steps change their meaning. Saved steps of another version are
    /// not reused by default.
    public var version: String
    /// The parameters of the processor, which are part of cache keys and compared like the version.
    public var parameters: JSONValue
    /// The main thing it waits for, if declared.
    public var workload: Workload?
    /// The amount of work per item, if declared. It decides the size of batches.
    public var complexity: Complexity?
    /// The amount of work per item at the nodes of a graph that declare it.
    var nodeComplexities: [Complexity] = []
    /// Top-level keys of the data that are ignored when inputs are compared.
    public var digestIgnores: Set<String>
    /// The type that names it in files; `nil` for a processor made in code.
    package var type: String?
    /// The files that define it; `nil` for a processor inside this program.
    package var files: DefinitionFiles?
    /// The variables in its parameters that are part of its definition, by name. Their values are never written down.
    package var variables = Secret<[String: String]>([:])
    /// The nodes of the graph that it represents; `nil` for a single processor.
    var nodes: [(id: Identifier, processor: RegisteredProcessor)]?
    /// Releases what the processor kept for a run. Called once, after all work of the run has ended.
    package var finish: (@Sendable (Run.ID) async -> Void)?

    /// Finds the path of the file that an input stands for without a `file` key; `nil` finds none.
    package var fileOfInput: (@Sendable (JSONValue) -> String?)?

    /// The media types of the files that it reads; `nil` when they are not declared.
    package var mediaTypes: Set<String>?

    /// Whether it may open files that its data names and that are otherwise unknown.
    package var mayOpenFiles = false

    /// Returns `false` for an output that means "no output for this item"; `nil` means that every output counts.
    package var givesOutput: (@Sendable (Payload) -> Bool)?

    /// The values that must be hidden in messages, logs, events and stored failures.
    package var secrets = SecretFilter.none

    /// Whether programs that it starts do its work, so that running it in another process would add nothing.
    package var startsPrograms = false

    /// The result of `transform` and `validate` for an input.
    enum Prepared: Sendable {
        /// Accepted unchanged.
        case unchanged
        /// Accepted in a transformed form.
        case changed(Payload)
        /// Rejected, with the value that `validate` got, if it was called.
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

    init(
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

    /// Returns the path of a file that an item's data names and that is not tracked.
    func unwatchedFile(of item: Item) -> String? {
        guard mayOpenFiles, item.file == nil, let path = (try? item.data.json())?["path"]?.string,
            (try? InputFile.stamp(of: path)) != nil
        else { return nil }
        return path
    }

    /// Returns the item with the file that its data stands for, if the processor finds one.
    func withFile(_ item: Item) -> Item {
        guard let fileOfInput, item.file == nil, let data = try? item.data.json(), let path = fileOfInput(data) else {
            return item
        }
        return item.with(InputFile(path: path))
    }

    /// Returns the digest by which an item is compared: of its data without ignored keys, of its file's content, or of
    /// both when it has both.
    func digest(of item: Item) throws -> Digest {
        guard let content = item.file?.digest else { return digest(of: try item.data.json()) }
        return try digest(of: item.hasOwnData ? item.data : nil, with: content)
    }

    /// Returns the digest of `data`, if any, combined with the content of a file.
    func digest(of data: Payload?, with content: Digest) throws -> Digest {
        guard let data else { return content }
        return Digest(of: ["data": .string(digest(of: try data.json()).text), "file": .string(content.text)])
    }

    /// Returns the digest by which an input is compared, without ignored keys.
    func digest(of data: JSONValue) -> Digest {
        guard !digestIgnores.isEmpty, case .object(var object) = data else { return Digest(of: data) }
        for key in digestIgnores { object[key] = nil }
        return Digest(of: .object(object))
    }
}
