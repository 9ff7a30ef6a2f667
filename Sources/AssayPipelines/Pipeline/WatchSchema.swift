package import Assay
import Foundation
import Logging

/// A reader of the keys for monitoring, alerts, breakpoints, taps and checkpoints.
package struct WatchSchema {
    /// The folder to which relative paths refer.
    let folder: String
    /// The variables of the program.
    let environment: [String: String]

    package init(folder: String, environment: [String: String]) {
        self.folder = folder
        self.environment = environment
    }

    /// Reads the key `monitoring`.
    package func monitoring(_ value: ValueReader) -> Monitoring {
        var monitoring = Monitoring()
        guard let map = value.map() else { return monitoring }
        monitoring.isEnabled = map["enabled"]?.bool() ?? true
        monitoring.level = map["log_level"].flatMap(level) ?? .info
        monitoring.maxEvents = map["max_events"]?.integer(in: .between(1, and: 1_000_000)) ?? monitoring.maxEvents
        map.finish()
        return monitoring
    }

    private func level(_ value: ValueReader) -> Logger.Level? {
        guard let text = value.text() else { return nil }
        let words = ["debug", "info", "warning", "error", "critical"]
        guard let word = words.first(where: { $0 == text.lowercased() }) else {
            value.reportUnknown("log level", among: words)
            return nil
        }
        return Logger.Level(rawValue: word)
    }

    /// Reads the key `checkpoints`.
    package func checkpoints(_ value: ValueReader) -> CheckpointSettings {
        var settings = CheckpointSettings()
        guard let map = value.map() else { return settings }
        settings.isEnabled = map["enabled"]?.bool() ?? false
        settings.folder = map["storage_path"]?.text().map(place)
        settings.maxCheckpoints =
            map["max_checkpoints"]?.integer(in: .between(1, and: 1_000_000)) ?? settings.maxCheckpoints
        map.finish()
        return settings
    }

    // MARK: Alerts

    /// Reads the key `alerts`.
    package func alerts(_ value: ValueReader) -> [AlertRule] {
        var seen: [String: Int] = [:]
        return (value.list() ?? []).compactMap { alert($0, &seen) }
    }

    private func alert(_ value: ValueReader, _ seen: inout [String: Int]) -> AlertRule? {
        guard let map = value.map() else { return nil }
        let name = map.required("name")
        let text = name?.externalID()?.text
        if let name, let text {
            if let line = seen[text] { name.report("alert \(text.quoted) is already used at line \(line)") }
            seen[text] = seen[text] ?? name.node.position.line
        }
        let kinds = map["on"]?.oneOrMore().compactMap { kind in
            kind.word("kind of event", of: Event.Kind.allCases.filter { $0 != .alert }.map(\.rawValue))
                .flatMap(Event.Kind.init(rawValue:))
        }
        let condition = map["condition"].flatMap { self.condition($0, for: .alert) }
        let action = map["action"].map(self.action) ?? .log
        let cooldown = map["cooldown"]?.duration(in: .notNegative, plainSeconds: true) ?? .seconds(60)
        map.finish()
        guard let text, let action, map["condition"] == nil || condition != nil else { return nil }
        let on = kinds.map(Set.init)
        do {
            guard let condition else { return try AlertRule(text, on: on, action: action, cooldown: cooldown) }
            return try AlertRule(text, on: on, condition: condition, action: action, cooldown: cooldown)
        } catch {
            value.report(error.message)
            return nil
        }
    }

    private func condition(_ value: ValueReader, for names: Condition.Names) -> Condition? {
        guard let text = value.text() else { return nil }
        do { return try Condition(text, for: names) } catch {
            value.report(error.message)
            return nil
        }
    }

    private func action(_ value: ValueReader) -> AlertRule.Action? {
        guard case .map = value.node.value else { return value.word("alert action", of: ["log"]).map { _ in .log } }
        guard let map = value.map() else { return nil }
        let webhook = map["webhook"]
        let command = map["command"]
        map.finish()
        switch (webhook, command) {
        case (let webhook?, nil): return Webhook(webhook).map { hook in .perform { try await hook.send($0) } }
        case (nil, let command?): return self.command(command)
        default:
            value.report("action needs one of 'webhook' and 'command'")
            return nil
        }
    }

    private func command(_ value: ValueReader) -> AlertRule.Action? {
        guard let elements = value.list() else { return nil }
        guard let first = elements.first else {
            value.report("command needs a program")
            return nil
        }
        let words = elements.compactMap { $0.text() }
        for (element, word) in zip(elements, words) where word.utf8.contains(0) {
            element.report("\(element.name) must not hold NUL characters")
            return nil
        }
        guard words.count == elements.count, let name = words.first else { return nil }
        let surroundings = Surroundings(folder: folder, environment: environment, parameters: .none)
        guard let program = ProgramFile.find(name, said: first, surroundings) else { return nil }
        // A script behind an interpreter follows the same rule as a program.
        let arguments = zip(words, elements).map { (text: $0, said: $1) }
        _ = ProgramFile.findScript(among: arguments.dropFirst(), surroundings)
        let command = AlertCommand(
            program.path, Array(words.dropFirst()), folder: folder, environment: environment)
        return .perform { try await command.perform($0) }
    }

    // MARK: Breakpoints and taps

    /// Reads the key `breakpoints`.
    ///
    /// - Parameter processors: the nodes of the graph.
    package func breakpoints(_ value: ValueReader, processors: [Identifier]) -> [Breakpoint] {
        let names = KnownNames(processors.map(\.text))
        return (value.list() ?? []).compactMap { breakpoint($0, names) }
    }

    private func breakpoint(_ value: ValueReader, _ processors: KnownNames) -> Breakpoint? {
        guard let map = value.map() else { return nil }
        let node = map.required("processor_id")
            .flatMap { processors.name($0, "processor", place: "\(value.name): ") }.flatMap { Identifier($0) }
        let condition = map["condition"].map { self.condition($0, for: .breakpoint) }
        let hitCount = map["hit_count"]?.integer(in: .atLeast(1))
        let isEnabled = map["enabled"]?.bool() ?? true
        map.finish()
        guard let node, condition != .some(nil) else { return nil }
        return try? Breakpoint(node, condition: condition ?? nil, hitCount: hitCount, isEnabled: isEnabled)
    }

    /// Reads the key `taps`.
    ///
    /// - Parameter pipes: the pipes of the graph: `a:output->b:input`.
    package func taps(_ value: ValueReader, pipes: [String]) -> [TapSetting] {
        let names = KnownNames(pipes)
        return (value.list() ?? []).compactMap { value in
            guard let map = value.map() else { return nil }
            let pipe = map.required("pipe").flatMap { names.name($0, "pipe", place: "\(value.name): ") }
            let sink = map.required("to")?.text()
            map.finish()
            guard let pipe, let sink else { return nil }
            return TapSetting(pipe: pipe, file: sink == "log" ? nil : place(of: sink))
        }
    }

    private func place(of path: String) -> String {
        Surroundings(folder: folder, environment: environment, parameters: .none).place(of: path)
    }
}

/// A tap in a pipeline file.
package struct TapSetting: Hashable, Sendable {
    /// The pipe.
    package let pipe: String
    /// The file that receives a line for every value; `nil`: the log.
    package let file: String?
}
