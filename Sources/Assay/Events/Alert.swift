/// A rule that watches the events of an engine and acts when its condition holds.
public struct AlertRule: Sendable {
    /// The action of an alert that fires.
    public enum Action: Sendable {
        /// Writes a line to the log.
        case log
        /// Calls this function. Errors it throws are logged and counted.
        case perform(@Sendable (Alert) async throws -> Void)
    }

    /// Its name, unique among the rules of an engine.
    public let name: String
    /// The kinds of events it looks at; `nil` means all that are recorded.
    public let kinds: Set<Event.Kind>?
    /// The condition: whether the alert fires at an event.
    public let condition: @Sendable (Event) throws -> Bool
    /// The action when the alert fires.
    public let action: Action
    /// The shortest time from one firing to the next.
    public let cooldown: Duration

    /// Creates a rule whose condition is a function.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` for a name that is not an ``ExternalID`` or a negative
    ///   cooldown.
    public init(
        _ name: String, on kinds: Set<Event.Kind>? = nil, action: Action = .log, cooldown: Duration = .seconds(60),
        if condition: @escaping @Sendable (Event) throws -> Bool = { _ in true }
    ) throws(ProcessingError) {
        guard ExternalID(name) != nil else {
            throw ProcessingError(.configuration, "name of an alert must be 1 byte to 1 KiB of text")
        }
        guard cooldown >= .zero else {
            throw ProcessingError(.configuration, "cooldown must be at least 0, found \(cooldown.secondsText)")
        }
        self.name = name
        self.kinds = kinds
        self.condition = condition
        self.action = action
        self.cooldown = cooldown
    }

    /// Creates a rule whose condition is an expression about `event`, the event as JSON.
    ///
    /// - Throws: what ``init(_:on:action:cooldown:if:)`` throws.
    public init(
        _ name: String, on kinds: Set<Event.Kind>? = nil, condition: Condition, action: Action = .log,
        cooldown: Duration = .seconds(60)
    ) throws(ProcessingError) {
        try self.init(name, on: kinds, action: action, cooldown: cooldown) { event in
            condition.holds(["event": event.jsonValue])
        }
    }
}

/// One firing of an alert.
public struct Alert: Sendable {
    /// The name of the rule.
    public let name: String
    /// The event it fired at.
    public let event: Event
    /// The time of the firing.
    public let firedAt: Timestamp

    /// Creates a firing of the given parts.
    public init(name: String, event: Event, firedAt: Timestamp) {
        self.name = name
        self.event = event
        self.firedAt = firedAt
    }

    /// The firing as JSON.
    public var jsonValue: JSONValue {
        [
            "schema": "assay/alert/1", "name": .string(name), "fired_at": firedAt.jsonValue, "event": event.jsonValue,
        ]
    }
}

/// The state of an alert.
public struct AlertState: Hashable, Sendable {
    /// The name of the rule.
    public let name: String
    /// Whether it has fired and was not cleared since.
    public internal(set) var isActive = false
    /// The number of firings.
    public internal(set) var fired = 0
    /// The number of firings that its cooldown suppressed.
    public internal(set) var suppressed = 0
    /// The number of failures of its action.
    public internal(set) var errors = 0
    /// The time of its last firing.
    public internal(set) var lastFired: Timestamp?

    /// The state as JSON.
    public var jsonValue: JSONValue {
        [
            "name": .string(name), "active": .bool(isActive), "fired": .number(Number(fired)),
            "suppressed": .number(Number(suppressed)), "errors": .number(Number(errors)),
            "last_fired": lastFired?.jsonValue ?? .null,
        ]
    }
}

/// The alerts of an engine as a value: it takes events and returns the rules that fire.
struct AlertBoard: Sendable {
    private(set) var states: [AlertState]
    private let rules: [AlertRule]
    private var lastFirings: [Duration?]
    /// The changes that the store has not recorded yet, in the order of the rules.
    private var changes: [AlertRecord]

    /// - Throws: ``ProcessingError`` with code `exists` when two rules have the same name.
    init(_ rules: [AlertRule]) throws(ProcessingError) {
        var names: Set<ExternalID> = []
        for rule in rules where !names.insert(ExternalID(unchecked: rule.name)).inserted {
            throw ProcessingError(.exists, "there are two alerts named \(rule.name.quoted)")
        }
        self.rules = rules
        states = rules.map { AlertState(name: $0.name) }
        lastFirings = rules.map { _ in nil }
        changes = rules.map { AlertRecord($0.name) }
    }

    /// Applies each rule to an event once.
    ///
    /// - Parameters:
    ///   - isRecorded: whether rules that name no kinds look at the event.
    ///   - uptime: the time that cooldowns are measured by.
    /// - Returns: the rules that fire, and the rules whose condition threw.
    mutating func take(
        _ event: Event, isRecorded: Bool, at uptime: Duration, _ now: Timestamp
    ) -> (fire: [AlertRule], broken: [(rule: AlertRule, error: any Error)]) {
        var (fire, broken): ([AlertRule], [(rule: AlertRule, error: any Error)]) = ([], [])
        guard event.kind != .alert else { return (fire, broken) }
        for (place, rule) in rules.enumerated() where rule.kinds?.contains(event.kind) ?? isRecorded {
            do { guard try rule.condition(event) else { continue } } catch {
                broken.append((rule, error))
                continue
            }
            if let last = lastFirings[place], uptime - last < rule.cooldown {
                states[place].suppressed += 1
                changes[place].suppressed += 1
                continue
            }
            lastFirings[place] = uptime
            states[place].fired += 1
            states[place].isActive = true
            states[place].lastFired = now
            changes[place].fired += 1
            changes[place].last = AlertRecord.Firing(
                firedAt: now, kind: event.kind, runID: event.runID, inputID: event.inputID)
            fire.append(rule)
        }
        return (fire, broken)
    }

    mutating func clear(_ name: String, at now: Timestamp) -> Bool {
        guard let place = place(of: name) else { return false }
        states[place].isActive = false
        changes[place].clearedAt = now
        return true
    }

    mutating func noteError(of name: String) {
        guard let place = place(of: name) else { return }
        states[place].errors += 1
        changes[place].errors += 1
    }

    private func place(of name: String) -> Int? { states.firstIndex { $0.name.equalsInBytes(name) } }

    /// Returns the changes that the store has not recorded yet, and clears them.
    mutating func takeChanges() -> [AlertRecord] {
        defer { changes = rules.map { AlertRecord($0.name) } }
        return changes.filter { $0 != AlertRecord($0.name) }
    }

    /// Restores changes that the store did not accept.
    mutating func putBack(_ records: some Sequence<AlertRecord>) {
        for record in records {
            guard let place = place(of: record.name) else { continue }
            changes[place] = record.adding(changes[place])
        }
    }
}
