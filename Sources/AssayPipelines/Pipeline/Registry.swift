public import Assay
import Foundation

/// What pipeline files may name: types of processors, error strategies and admission policies, and charge policies; and
/// resolvers of calls whose outcome is unknown.
///
/// Registering changes no graph or pipeline that was made before.
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
        case map(@Sendable (_ name: String, _ parameters: MapReader, Surroundings) -> RegisteredProcessor?)
        case json(known: [String], Make)
    }

    private var types: [String: Reading] = [:]
    private var strategies: [String: StrategyReading] = [:]
    private var admissions: [String: AdmissionReading] = [:]
    /// Charge policies that prices may name besides the standard ones; an engine is given them.
    public private(set) var chargePolicies: [any ChargePolicy] = []
    /// Who is asked about calls of unknown outcome, by service; an engine is given them.
    public private(set) var resolvers: [String: any DoubtResolver] = [:]

    /// Makes an error strategy of a type from the keys beside `type`.
    ///
    /// - Throws: ``ProcessingError`` whose message says what is wrong with them.
    public typealias MakeStrategy = @Sendable (_ keys: JSONValue) throws -> any ErrorStrategy

    private struct StrategyReading: Sendable {
        let known: [String]
        let make: MakeStrategy
    }

    /// Makes an admission policy of a type from the keys beside `type`.
    ///
    /// - Throws: ``ProcessingError`` whose message says what is wrong with them.
    public typealias MakeAdmission = @Sendable (_ keys: JSONValue) throws -> any AdmissionPolicy

    private struct AdmissionReading: Sendable {
        let known: [String]
        let make: MakeAdmission
    }

    /// A registry without types.
    public init() {}

    /// The types that need nothing besides this library: `aggregator`, `command`, `data_filter`, `http`, `simple`,
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
    /// - Throws: ``ProcessingError`` with code `exists` when the service has one.
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

    /// The admission policy of a registered type; `nil` after a finding.
    func admission(named name: String, from map: MapReader) -> (any AdmissionPolicy)? {
        guard let reading = admissions[name] else { return nil }
        return made(from: map, reading.known, reading.make)
    }

    /// What `make` makes of the keys `known` of a map; `nil` after a finding.
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

    /// The strategy of a registered type; `nil` after a finding.
    func strategy(named name: String, from map: MapReader) -> (any ErrorStrategy)? {
        guard let reading = strategies[name] else { return nil }
        return made(from: map, reading.known, reading.make)
    }

    /// The names of all types, sorted.
    public var names: [String] { types.keys.sorted() }

    /// A processor named `name` of a type, from parameters that are no file's.
    ///
    /// - Parameters:
    ///   - folder: from where relative paths in the parameters are meant; `nil`: this program's.
    ///   - environment: the variables that the type may look at; `nil`: those of this program.
    /// - Throws: ``ProcessingError`` with code `configuration` for an unknown type, a name that is no ``Identifier``
    ///   or parameters the type does not take.
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

    /// A processor of the type that `type` holds; `nil` after a finding.
    ///
    /// - Parameter name: `nil` if the file gives none; then the parameters are looked at and no processor is made.
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
        // Whatever the type keeps of them, what identifies the processor is what was written.
        processor?.parameters = parameters.written
        processor?.type = type
        processor?.variables = Secret(parameters.counted.mapValues(\.revealed))
        let secrets = processor?.secrets ?? .none
        processor?.secrets = secrets.joined(with: parameters.filter)
        return processor
    }
}

/// What a processor type may look at while it reads its parameters.
struct Surroundings: Sendable {
    /// From where relative paths are meant.
    let folder: String
    /// The variables of the program.
    let environment: [String: String]
    /// The parameters as a whole.
    let parameters: Parameters
    /// What is known of services, by their names.
    var services: [String: ServiceTerms] = [:]

    /// `path` as an absolute one.
    func place(of path: String) -> String {
        path.hasPrefix("/") ? path : URL(fileURLWithPath: folder).appendingPathComponent(path).standardizedFileURL.path
    }
}

extension Parameters {
    /// `message` with `***` in place of what environment variables put into the parameters.
    func hiding(_ message: String) -> String { filter.hiding(message) }

    /// Hides them in what is shown and stored.
    var filter: SecretFilter { SecretFilter(secrets.map(\.revealed)) }
}
