public import Assay
import Foundation

/// The names that pipeline files may use: types of processors, error strategies and admission policies, runners and
/// charge policies; and the resolvers of calls of unknown outcome, by service.
///
/// Registration does not affect graphs or pipelines that already exist.
public struct Registry: Sendable {
    /// Makes a processor of a type.
    ///
    /// - Parameters:
    ///   - name: the processor's id.
    ///   - parameters: its parameters in the file, with environment variables substituted.
    /// - Throws: ``ProcessingError`` whose message says what is wrong with the parameters.
    public typealias Make = @Sendable (_ name: String, _ parameters: JSONValue) throws -> RegisteredProcessor

    /// The way a type reads its parameters: by key with positions, or as one JSON value.
    enum Reading: Sendable {
        case map(@Sendable (_ name: String, _ parameters: MapReader, Surroundings) -> RegisteredProcessor?)
        case json(known: [String], Make)
    }

    private var types: [String: Reading] = [:]
    private var strategies: [String: StrategyReading] = [:]
    private var admissions: [String: AdmissionReading] = [:]
    /// The runners besides those that every registry has, by their words.
    var runners: [String: MakeRunner] = [:]
    /// Charge policies that prices may name besides the standard ones. Pass them to the engine.
    public private(set) var chargePolicies: [any ChargePolicy] = []
    /// The resolvers of calls of unknown outcome, by service. Pass them to the engine.
    public private(set) var resolvers: [String: any DoubtResolver] = [:]

    /// Makes an error strategy of a type from the keys beside `type`.
    ///
    /// - Throws: ``ProcessingError`` whose message says what is wrong with the keys.
    public typealias MakeStrategy = @Sendable (_ keys: JSONValue) throws -> any ErrorStrategy

    private struct StrategyReading: Sendable {
        let known: [String]
        let make: MakeStrategy
    }

    /// Makes an admission policy of a type from the keys beside `type`.
    ///
    /// - Throws: ``ProcessingError`` whose message says what is wrong with the keys.
    public typealias MakeAdmission = @Sendable (_ keys: JSONValue) throws -> any AdmissionPolicy

    private struct AdmissionReading: Sendable {
        let known: [String]
        let make: MakeAdmission
    }

    /// Creates a registry without types.
    public init() {}

    /// The types that need only this library: `aggregator`, `command`, `data_filter`, `http`, `simple`,
    /// `text_transformer`.
    public static let standard: Registry = {
        var registry = Registry()
        registry.types["aggregator"] = .map { name, parameters, _ in Aggregator.read(name, parameters) }
        registry.types["data_filter"] = .map { name, parameters, _ in DataFilter.read(name, parameters) }
        registry.types["command"] = .map(ProgramProcessor.read)
        registry.types["http"] = .map(HTTPProcessor.read)
        registry.types["simple"] = .map { name, parameters, _ in SimpleProcessor.read(name, parameters) }
        registry.types["text_transformer"] = .map { name, parameters, _ in TextTransformer.read(name, parameters) }
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

    /// Adds a type of error strategies, which nodes of graphs may then name.
    ///
    /// - Parameter keys: the keys it knows beside `type`; others are findings.
    /// - Throws: ``ProcessingError`` with code `exists` for a name that is taken.
    public mutating func registerStrategy(
        _ type: String, keys: [String], make: @escaping MakeStrategy
    ) throws(ProcessingError) {
        guard strategies[type] == nil, !StrategySchema.builtIn.contains(type) else {
            throw ProcessingError(.exists, "error strategy '\(type)' is registered already")
        }
        strategies[type] = StrategyReading(known: keys, make: make)
    }

    /// Adds a type of admission policies, which `queue` may then name.
    ///
    /// - Parameter keys: the keys it knows beside `type`; others are findings.
    /// - Throws: ``ProcessingError`` with code `exists` for a name that is taken.
    public mutating func registerAdmission(
        _ type: String, keys: [String], make: @escaping MakeAdmission
    ) throws(ProcessingError) {
        guard admissions[type] == nil, !QueueSchema.builtIn.contains(type) else {
            throw ProcessingError(.exists, "admission policy '\(type)' is registered already")
        }
        admissions[type] = AdmissionReading(known: keys, make: make)
    }

    /// Adds a charge policy, which prices may then name.
    ///
    /// - Throws: ``ProcessingError`` with code `exists` for a name that is taken.
    public mutating func register(_ policy: any ChargePolicy) throws(ProcessingError) {
        guard !chargePolicyNames.contains(policy.name) else {
            throw ProcessingError(.exists, "charge policy '\(policy.name)' is registered already")
        }
        chargePolicies.append(policy)
    }

    /// Adds the resolver of calls of `service` whose outcome is unknown.
    ///
    /// - Throws: ``ProcessingError`` with code `exists` if the service has one.
    public mutating func register(
        _ resolver: any DoubtResolver, ofService service: String
    ) throws(ProcessingError) {
        guard resolvers[service] == nil else {
            throw ProcessingError(.exists, "a resolver of service '\(service)' is registered already")
        }
        resolvers[service] = resolver
    }

    /// The names of all charge policies.
    var chargePolicyNames: [String] { StandardChargePolicy.allCases.map(\.rawValue) + chargePolicies.map(\.name) }

    /// The names of the registered types of admission policies.
    var admissionNames: [String] { Array(admissions.keys) }

    /// Returns the admission policy of a registered type; `nil` after a finding.
    func admission(named name: String, from map: MapReader) -> (any AdmissionPolicy)? {
        guard let reading = admissions[name] else { return nil }
        return made(from: map, reading.known, reading.make)
    }

    /// Returns the result of `make` for the keys `known` of a map; `nil` after a finding.
    private func made<Value>(
        from map: MapReader, _ known: [String], _ make: (_ keys: JSONValue) throws -> Value
    ) -> Value? {
        var keys = JSONObject()
        for key in known { keys[key] = map[key]?.node.json }
        map.finish()
        do { return try make(.object(keys)) } catch {
            map.value.report((error as? ProcessingError)?.message ?? "\(error)")
            return nil
        }
    }

    /// The names of the registered types of error strategies.
    var strategyNames: [String] { Array(strategies.keys) }

    /// Returns the strategy of a registered type; `nil` after a finding.
    func strategy(named name: String, from map: MapReader) -> (any ErrorStrategy)? {
        guard let reading = strategies[name] else { return nil }
        return made(from: map, reading.known, reading.make)
    }

    /// The names of all types, sorted.
    public var names: [String] { types.keys.sorted() }

    /// Makes a processor named `name` of a type, from parameters that are not in a file.
    ///
    /// - Parameters:
    ///   - folder: the folder to which relative paths in the parameters refer; `nil`: this program's.
    ///   - environment: the variables that the type may read; `nil`: those of this program.
    /// - Throws: ``ProcessingError`` with code `configuration` for an unknown type, a name that is not an
    ///   ``Identifier`` or parameters that the type does not accept.
    public func make(
        _ type: String, name: String, parameters: JSONValue = [:], folder: String? = nil,
        environment: [String: String]? = nil
    ) throws -> RegisteredProcessor {
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
            Surroundings(
                folder: folder ?? FileManager.default.currentDirectoryPath,
                environment: environment ?? ProcessInfo.processInfo.environment,
                parameters: Parameters(written: parameters, values: Secret(parameters), secrets: [])))
        try document.findings.check()
        guard let processor else { throw ProcessingError(.configuration, "'\(type)' takes other parameters") }
        return processor
    }

    /// Makes a processor of the type in `type`; `nil` after a finding.
    ///
    /// - Parameter name: `nil` if the file gives none; then only the parameters are checked.
    func make(
        type: ValueReader, name: String?, from value: ValueReader, _ surroundings: Surroundings
    ) -> RegisteredProcessor? {
        guard let word = type.text() else { return nil }
        guard let reading = types[word] else {
            type.reportUnknown("processor type", among: names)
            return nil
        }
        return Self.read(reading, type: word, name: name, from: value, surroundings)
    }

    private static func read(
        _ reading: Reading, type: String, name: String?, from value: ValueReader, _ surroundings: Surroundings
    ) -> RegisteredProcessor? {
        let parameters = surroundings.parameters
        let owner = name.map { "processor '\($0)'" } ?? "a processor"
        guard let map = value.parameters(of: "\(owner) of type \(type)") else { return nil }
        var processor: RegisteredProcessor?
        switch reading {
        case .map(let read):
            processor = read(name ?? "unnamed", map, surroundings)
            map.finish()
        case .json(let known, let make):
            for key in known { _ = map.contains(key) }
            map.finish()
            guard let name else { return nil }
            do { processor = try make(name, parameters.values.revealed) } catch let error as ParameterError {
                for finding in error.findings { value.report(parameters.hiding(finding.message), under: finding.path) }
            } catch {
                value.report(parameters.hiding((error as? ProcessingError)?.message ?? "\(error)"))
            }
        }
        // The written parameters identify the processor, whatever the type keeps of them.
        processor?.parameters = parameters.written
        processor?.type = type
        processor?.variables = Secret(parameters.counted.mapValues(\.revealed))
        let secrets = processor?.secrets ?? .none
        processor?.secrets = secrets.joined(with: parameters.filter)
        return processor
    }
}

/// The context in which a processor type reads its parameters.
struct Surroundings: Sendable {
    /// The folder to which relative paths refer.
    let folder: String
    /// The variables of the program.
    let environment: [String: String]
    /// The parameters as a whole.
    let parameters: Parameters
    /// The terms of services, by name.
    var services: [String: ServiceTerms] = [:]

    /// Returns `path` as an absolute path.
    func place(of path: String) -> String {
        path.hasPrefix("/") ? path : URL(fileURLWithPath: folder).appendingPathComponent(path).standardizedFileURL.path
    }
}

extension Parameters {
    /// Returns `message` with `***` in place of values that environment variables put into the parameters.
    func hiding(_ message: String) -> String { filter.hiding(message) }

    /// A filter that hides those values in everything that is shown and stored.
    var filter: SecretFilter { SecretFilter(secrets.map(\.revealed)) }
}
