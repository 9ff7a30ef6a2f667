/// The state of an alert across all programs that watched for it, as a store keeps it, or what one of them adds to it.
public struct AlertRecord: Hashable, Sendable {
    /// One firing of an alert and what caused it.
    public struct Firing: Hashable, Sendable {
        /// The time of the firing.
        public var firedAt: Timestamp
        /// The kind of the event.
        public var kind: Event.Kind
        /// The run of the event.
        public var runID: Run.ID?
        /// The item of the event.
        public var inputID: String?

        /// Creates a firing from the given parts.
        public init(firedAt: Timestamp, kind: Event.Kind, runID: Run.ID? = nil, inputID: String? = nil) {
            (self.firedAt, self.kind, self.runID, self.inputID) = (firedAt, kind, runID, inputID)
        }
    }

    /// The name of the rule.
    public let name: String
    /// The number of times it fired.
    public var fired = 0
    /// The number of times it did not fire because it had fired shortly before.
    public var suppressed = 0
    /// The number of times its action failed.
    public var errors = 0
    /// Its last firing.
    public var last: Firing?
    /// The time it was last cleared.
    public var clearedAt: Timestamp?

    /// Creates an empty record of the alert `name`.
    public init(_ name: String) { self.name = name }

    /// Whether it has fired and has not been cleared since.
    public var isActive: Bool {
        guard let last else { return false }
        return clearedAt.map { last.firedAt > $0 } ?? true
    }

    /// Returns this record with what another program, or a later moment of this one, adds.
    public func adding(_ other: AlertRecord) -> AlertRecord {
        var sum = self
        sum.fired += other.fired
        sum.suppressed += other.suppressed
        sum.errors += other.errors
        if let firing = other.last, last.map({ firing.firedAt >= $0.firedAt }) ?? true { sum.last = firing }
        sum.clearedAt = [clearedAt, other.clearedAt].compactMap(\.self).max()
        return sum
    }

    /// The record as JSON.
    public var jsonValue: JSONValue {
        [
            "name": .string(name), "active": .bool(isActive), "fired": .number(Number(fired)),
            "suppressed": .number(Number(suppressed)), "errors": .number(Number(errors)),
            "last_fired": last?.firedAt.jsonValue ?? .null,
            "event_type": last.map { .string($0.kind.rawValue) } ?? .null,
            "run_id": (last?.runID).map { .string($0.text) } ?? .null,
            "input_id": (last?.inputID).map { .string($0) } ?? .null,
            "cleared_at": clearedAt?.jsonValue ?? .null,
        ]
    }
}
