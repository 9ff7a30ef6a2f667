public import Assay

/// The processor types that pipeline files may name.
public struct Registry: Sendable {
    /// Makes a processor of a type.
    ///
    /// - Parameters:
    ///   - name: the processor's id.
    ///   - parameters: what the file gives it, environment variables put in.
    /// - Throws: ``ProcessingError`` whose message says what is wrong with the parameters.
    public typealias Make = @Sendable (_ name: String, _ parameters: JSONValue) throws -> RegisteredProcessor

    /// How a type reads its parameters: by key with places of its own, or as one JSON value.
    enum Reading: Sendable {
        case map(@Sendable (_ name: String, _ parameters: MapReader) -> RegisteredProcessor?)
        case json(known: [String], Make)
    }

    private var types: [String: Reading] = [:]

    /// A registry without types.
    public init() {}

    /// The types that need nothing besides this library: `simple`, `text_transformer`.
    public static let standard: Registry = {
        var registry = Registry()
        registry.types["simple"] = .map(SimpleProcessor.read)
        registry.types["text_transformer"] = .map(TextTransformer.read)
        return registry
    }()

    /// Adds a type.
    ///
    /// - Parameter parameters: the keys it knows; others are findings.
    /// - Throws: ``ProcessingError`` with code `exists` for a name that is taken.
    public mutating func register(
        _ type: String, parameters: [String], make: @escaping Make
    ) throws(ProcessingError) {
        guard types[type] == nil else {
            throw ProcessingError(.exists, "processor type '\(type)' is registered already")
        }
        types[type] = .json(known: parameters, make)
    }

    /// The names of all types, sorted.
    public var names: [String] { types.keys.sorted() }

    /// A processor named `name` of a type, from parameters that are no file's.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` for an unknown type or parameters it does not take.
    public func make(_ type: String, name: String, parameters: JSONValue = [:]) throws -> RegisteredProcessor {
        let document = try ConfigurationDocument(parameters.jsonBytes, as: .json, file: "parameters")
        guard let reading = types[type] else {
            let ending = Suggestion(for: type, among: names).ending
            throw ProcessingError(.configuration, "unknown processor type '\(type)'\(ending)")
        }
        let processor = Self.read(reading, type: type, name: name, from: document.value, json: parameters)
        try document.findings.check()
        guard let processor else { throw ProcessingError(.configuration, "'\(type)' takes other parameters") }
        return processor
    }

    /// A processor of the type that `type` holds; `nil` after a finding.
    func make(type: ValueReader, name: String, parameters: ValueReader, json: JSONValue) -> RegisteredProcessor? {
        guard let word = type.text() else { return nil }
        guard let reading = types[word] else {
            type.reportUnknown("processor type", among: names)
            return nil
        }
        return Self.read(reading, type: word, name: name, from: parameters, json: json)
    }

    private static func read(
        _ reading: Reading, type: String, name: String, from parameters: ValueReader, json: JSONValue
    ) -> RegisteredProcessor? {
        guard let map = parameters.parameters(of: "processor '\(name)' of type \(type)") else { return nil }
        switch reading {
        case .map(let read):
            let processor = read(name, map)
            map.finish()
            return processor
        case .json(let known, let make):
            for key in known { _ = map.contains(key) }
            map.finish()
            do { return try make(name, json) } catch {
                parameters.report((error as? ProcessingError)?.message ?? "\(error)")
                return nil
            }
        }
    }
}
