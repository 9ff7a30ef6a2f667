import Assay
import Foundation

/// What a `command` processor starts, and how.
struct ProgramPlan: Sendable {
    /// How a program is talked to.
    enum Mode: String, CaseIterable {
        /// One program for many requests, a line each.
        case worker
        /// One program for each request.
        case once
    }

    /// The requests before the steps of an item.
    enum Gate: String, CaseIterable {
        case transformation, validation
    }

    /// The processor, for messages.
    let name: String
    /// The program's name as it stands in the file.
    let title: String
    /// The program as an absolute path.
    let executable: String
    /// What is to be said when it is started, though it may be.
    let hints: [String]
    /// Its arguments.
    let arguments: Secret<[String]>
    let mode: Mode
    let steps: [String]
    let gates: Set<Gate>
    let aggregates: Bool
    /// Whether it says what it expects to pay for when it is asked; others would do the work.
    let tellsCosts: Bool
    /// The variables it gets besides those of the run.
    let environment: Secret<[String: String]>
    let settings: Secret<JSONValue>
    /// Where it works; `nil`: in an empty folder of its own.
    let folder: String?
    /// How long it may take to begin to read.
    let startupTimeout: Duration
    /// Hides what the program gets in secret: its variables, and those that its parameters name.
    let filter: SecretFilter
}

extension ProgramPlan {
    /// Variables that every program gets as this one has them.
    private static let inherited = ["PATH", "LANG", "LC_ALL", "TZ"]

    /// Reads the parameters; `nil` after a finding.
    init?(_ name: String, _ parameters: MapReader, _ surroundings: Surroundings) {
        let command = parameters.required("command").flatMap { Self.command($0, surroundings) }
        let mode = parameters["mode"].map { $0.word("mode", as: Mode.self) } ?? .worker
        let steps = parameters["steps"].map(Self.steps) ?? ["extraction"]
        let gates = parameters["gates"].map { $0.list()?.compactMap { $0.word("gate", as: Gate.self) } } ?? []
        let aggregates = parameters["aggregate"].map { $0.bool() } ?? false
        let tellsCosts = parameters["plan"].map { $0.bool() } ?? false
        if tellsCosts == true, steps?.contains(ProgramRequest.planStep) == true {
            parameters["steps"]?.report("a step cannot be called 'plan' where 'plan' is true")
        }
        let given = parameters["environment"].map(Self.environment) ?? [:]
        let names = parameters["inherit_environment"].map { $0.list()?.compactMap(Self.variable) } ?? []
        let settings = parameters["settings"]
        if let settings, settings.entries() == nil { return nil }
        let folder = parameters["working_directory"].map { Self.folder($0, surroundings) }
        let timeout = parameters["startup_timeout"].map { $0.duration() } ?? .seconds(30)
        guard let command, let mode, let steps, let gates, let aggregates, let tellsCosts, let given, let names,
            let timeout,
            folder != .some(nil)
        else { return nil }
        var environment: [String: String] = [:]
        for name in Self.inherited + names { environment[name] = surroundings.environment[name] }
        self.tellsCosts = tellsCosts
        environment.merge(given) { _, given in given }
        self.name = name
        (title, executable, hints) = (command.title, command.executable, command.hints)
        arguments = Secret(command.arguments)
        (self.mode, self.steps, self.gates, self.aggregates) = (mode, steps, Set(gates), aggregates)
        self.environment = Secret(environment)
        self.settings = Secret(surroundings.parameters.values.revealed["settings"] ?? [:])
        self.folder = folder ?? nil
        startupTimeout = timeout
        let values = given.values + names.compactMap { surroundings.environment[$0] }
        filter = SecretFilter(values).joined(with: surroundings.parameters.filter)
    }

    private typealias Command = (title: String, executable: String, hints: [String], arguments: [String])

    private static func command(_ value: ValueReader, _ surroundings: Surroundings) -> Command? {
        guard let elements = value.list() else { return nil }
        guard let first = elements.first else {
            value.report("command needs a program")
            return nil
        }
        let texts = elements.map { $0.text() }
        for (element, text) in zip(elements, texts) where text?.utf8.contains(0) == true {
            element.report("\(element.name) must not hold NUL characters")
        }
        let executable = texts[0].flatMap { ProgramFile.find($0, said: first, surroundings) }
        guard let executable, texts.allSatisfy({ $0?.utf8.contains(0) == false }) else { return nil }
        let said = zip(texts, elements).map { (text: $0 ?? "", said: $1) }
        let script = ProgramFile.findScript(among: said.dropFirst(), surroundings)
        let arguments = texts.dropFirst().compactMap { text in
            text.map { $0.hasPrefix("./") || $0.hasPrefix("../") ? surroundings.place(of: $0) : $0 }
        }
        return (
            (first.node.json.string ?? "").visible, executable.path,
            [executable.hint, script?.hint].compactMap(\.self), arguments
        )
    }

    private static func steps(_ value: ValueReader) -> [String]? {
        guard let elements = value.list() else { return nil }
        guard !elements.isEmpty else {
            value.report("steps needs at least one step")
            return nil
        }
        var names = UniqueNames()
        return elements.compactMap { element in
            guard let step = element.identifier()?.text, names.take(step, from: element) else { return nil }
            return step
        }
    }

    /// Variables that are the engine's to set.
    private static let reserved = "ASSAY_"

    private static func environment(_ value: ValueReader) -> [String: String]? {
        guard let entries = value.entries() else { return nil }
        var variables: [String: String] = [:]
        for entry in entries {
            guard isName(entry.key), !entry.key.hasPrefix(reserved) else {
                value.findings.report(
                    "\(entry.key.quoted) is not the name of a variable that can be given", at: entry.keyPosition)
                continue
            }
            guard let text = entry.value.text() else { continue }
            guard !text.utf8.contains(0) else {
                entry.value.report("\(entry.value.name) must not hold NUL characters")
                continue
            }
            variables[entry.key] = text
        }
        return variables
    }

    private static func variable(_ value: ValueReader) -> String? {
        guard let name = value.text() else { return nil }
        guard isName(name), !name.hasPrefix(reserved) else {
            value.report("\(name.quoted) is not the name of a variable that can be given")
            return nil
        }
        return name
    }

    private static func isName(_ name: String) -> Bool {
        name.utf8.first.map { $0 &- 48 >= 10 } == true
            && name.utf8.allSatisfy { ($0 | 0x20) &- 97 < 26 || $0 &- 48 < 10 || $0 == UInt8(ascii: "_") }
    }

    private static func folder(_ value: ValueReader, _ surroundings: Surroundings) -> String? {
        guard let text = value.text() else { return nil }
        let place = surroundings.place(of: text)
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: place, isDirectory: &isFolder), isFolder.boolValue else {
            value.report("\(value.name) \((value.node.json.string ?? "").quoted) is not a folder")
            return nil
        }
        return place
    }
}
