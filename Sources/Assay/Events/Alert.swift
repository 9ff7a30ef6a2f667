/// What is watched for in the events of an engine, and what is done when it is seen.
public struct AlertRule: Sendable {
    /// What is done when an alert fires.
    public enum Action: Sendable {
        /// It is written to the log.
        case log
        /// This is carried out; what it throws is logged and counted.
        case perform(@Sendable (Alert) async throws -> Void)
    }

    /// Its name, unique among those of an engine.
    public let name: String
    /// The kinds of events that are looked at; `nil`: all that are recorded.
    public let kinds: Set<Event.Kind>?
    /// Whether an event is one to fire at.
    public let condition: @Sendable (Event) throws -> Bool
    /// What is done then.
    public let action: Action
    /// The shortest time from one firing to the next.
    public let cooldown: Duration

    /// A rule whose condition is a function.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` for a name without letters or a negative cooldown.
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

    /// A rule whose condition is an expression about `event`, the event as JSON.
    ///
    /// - Throws: as ``init(_:on:action:cooldown:if:)``.
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
    /// What it fired at.
    public let event: Event
    /// When it fired.
    public let firedAt: Timestamp

    /// A firing of the given parts.
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

/// How an alert stands.
public struct AlertState: Hashable, Sendable {
    /// The name of the rule.
    public let name: String
    /// Whether it has fired and was not cleared since.
    public internal(set) var isActive = false
    /// How often it fired.
    public internal(set) var fired = 0
    /// How often it would have fired, had it not done so shortly before.
    public internal(set) var suppressed = 0
    /// How often its action failed.
    public internal(set) var errors = 0
    /// When it fired last.
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

/// The alerts of an engine as a value: told of events, it says which fire.
struct AlertBoard: Sendable {
    private(set) var states: [AlertState]
    private let rules: [AlertRule]
    private var lastFirings: [Duration?]
    /// What the store does not know yet, in the order of the rules.
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

    /// Looks at an event once for each rule.
    ///
    /// - Parameters:
    ///   - isRecorded: whether rules that name no kinds look at it.
    ///   - uptime: the time by which cooldowns are measured.
    /// - Returns: the rules that fire, and those whose condition threw.
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

    /// Hands over what the store does not know yet.
    mutating func takeChanges() -> [AlertRecord] {
        defer { changes = rules.map { AlertRecord($0.name) } }
        return changes.filter { $0 != AlertRecord($0.name) }
    }

    /// Takes back what the store has not taken.
    mutating func putBack(_ records: some Sequence<AlertRecord>) {
        for record in records {
            guard let place = place(of: record.name) else { continue }
            changes[place] = record.adding(changes[place])
        }
    }
}
