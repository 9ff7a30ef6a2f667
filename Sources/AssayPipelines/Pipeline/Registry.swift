public import Assay
import Foundation

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
    /// - Throws: ``ProcessingError`` with code `configuration` for an unknown type, a name that is no ``Identifier``
    ///   or parameters the type does not take.
    public func make(_ type: String, name: String, parameters: JSONValue = [:]) throws -> RegisteredProcessor {
        let document = try ConfigurationDocument(parameters.jsonBytes, as: .json, file: "parameters")
        guard let reading = types[type] else {
            let ending = Suggestion(for: type, among: names).ending
            throw ProcessingError(.configuration, "unknown processor type \(type.quoted)\(ending)")
        }
        guard Identifier(name) != nil else {
            throw ProcessingError(
                .configuration,
                "a processor's name must be 1 to 128 letters, digits, '.', '_' or '-', not starting with '.', "
                    + "found \(name.quoted)")
        }
        let value = ValueReader(document.root, name: "parameters", path: "parameters", findings: document.findings)
        let processor = Self.read(
            reading, type: type, name: name, from: value,
            parameters: Parameters(written: parameters, values: Secret(parameters), secrets: []))
        try document.findings.check()
        guard let processor else { throw ProcessingError(.configuration, "'\(type)' takes other parameters") }
        return processor
    }

    /// A processor of the type that `type` holds; `nil` after a finding.
    ///
    /// - Parameter name: `nil` if the file gives none; then the parameters are looked at and no processor is made.
    func make(
        type: ValueReader, name: String?, from value: ValueReader, parameters: Parameters
    ) -> RegisteredProcessor? {
        guard let word = type.text() else { return nil }
        guard let reading = types[word] else {
            type.reportUnknown("processor type", among: names)
            return nil
        }
        return Self.read(reading, type: word, name: name, from: value, parameters: parameters)
    }

    private static func read(
        _ reading: Reading, type: String, name: String?, from value: ValueReader, parameters: Parameters
    ) -> RegisteredProcessor? {
        let owner = name.map { "processor '\($0)'" } ?? "a processor"
        guard let map = value.parameters(of: "\(owner) of type \(type)") else { return nil }
        var processor: RegisteredProcessor?
        switch reading {
        case .map(let read):
            processor = read(name ?? "unnamed", map)
            map.finish()
        case .json(let known, let make):
            for key in known { _ = map.contains(key) }
            map.finish()
            guard let name else { return nil }
            do { processor = try make(name, parameters.values.revealed) } catch {
                value.report(parameters.hiding((error as? ProcessingError)?.message ?? "\(error)"))
            }
        }
        // Whatever the type keeps of them, what identifies the processor is what was written.
        processor?.parameters = parameters.written
        return processor
    }
}

extension Parameters {
    /// `message` with `***` in place of what environment variables put into the parameters.
    fileprivate func hiding(_ message: String) -> String {
        // Longest first, so that a secret within another does not leave the rest of it.
        let secrets = secrets.map(\.revealed).filter { !$0.isEmpty }.sorted { $0.utf8.count > $1.utf8.count }
        return secrets.reduce(message) { $0.replacingOccurrences(of: $1, with: "***", options: .literal) }
    }
}
