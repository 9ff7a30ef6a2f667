import Assay

/// What has been said about one request: lines of the program go in, what is to be done comes out.
///
/// It does nothing itself and waits for nothing, so that every rule of the protocol can be tried on a table of lines.
struct Conversation {
    /// What is to be done because of a line.
    enum Action: Hashable, Sendable {
        /// Nothing to do with the request: to be logged and not believed.
        case log(Line)
        /// To be carried out; with a `ref` it is answered.
        case ask(Question, ref: String?)
        /// A paid call ended.
        case settle(Settlement, ref: String)
        /// The request ended.
        case end(Ending)
        /// The program broke the protocol: it is to be killed.
        case broken(String)
    }

    /// What is written to the log on the program's behalf.
    enum Line: Hashable, Sendable {
        /// Output that is no answer.
        case own(String)
        /// What the program wants to be logged.
        case said(level: String, String)
    }

    /// What a program may ask for before it answers.
    enum Question: Hashable, Sendable {
        case charge(Expense)
        case call(PaidCall)
        case step(String)
        case checkpoint(step: String, value: JSONValue)
        case emit(JSONValue)
        case heartbeat
    }

    /// A charge as the program put it.
    struct Expense: Hashable, Sendable {
        var service: String
        var operation: String
        var quantity: Number = 1
        var cost: Number?
        var key: String?
        var incurred = false
        var metadata: JSONObject = [:]
    }

    /// A paid call as the program put it.
    struct PaidCall: Hashable, Sendable {
        var service: String
        var operation: String
        var key: JSONValue?
        var maximumCost: Number?
    }

    /// What became of a paid call.
    struct Settlement: Hashable, Sendable {
        /// How it ended.
        enum Outcome: String, CaseIterable, Sendable {
            case settled, failed, unknown
        }

        var outcome = Outcome.settled
        /// What it came to, whether or not that is an amount: the answer is paid for in any case.
        var cost: JSONValue?
        var value: JSONValue?
        var metadata: JSONObject = [:]
    }

    /// How a request ended.
    enum Ending: Hashable, Sendable {
        case output(JSONValue)
        case failed(Failure)
    }

    /// A failure as the program put it.
    struct Failure: Hashable, Sendable {
        var code: String?
        var message: String?
        var retryable: Bool?
        var exception: String?
    }

    /// The text that every line of the program must repeat.
    let id: String
    /// Hides secrets in what is said about lines.
    private let filter: SecretFilter
    private var refs: Set<String> = []
    private var calls: Set<String> = []
    private var hasEnded = false
    /// Whether the program is only asked what it expects to pay for, and must not do anything.
    private let isPlan: Bool

    /// A conversation about the request `id`.
    init(id: String, isPlan: Bool = false, hiding filter: SecretFilter = .none) {
        (self.id, self.isPlan, self.filter) = (id, isPlan, filter)
    }

    /// What is to be done about a line.
    mutating func receive(_ line: some Collection<UInt8>) -> Action {
        let text = String(decoding: line, as: UTF8.self)
        let value: JSONValue
        do { value = try JSONValue(json: line) } catch {
            // A line that holds the id and is no JSON that Assay reads was meant as an answer: nobody would wait for
            // another one.
            guard !hasEnded, text.first == "{", text.contains("\"\(id)\"") else { return .log(.own(text)) }
            return broken("is not valid JSON: \(error)", text)
        }
        guard case .object(let object) = value, object["id"] == .string(id), !hasEnded else {
            return .log(.own(text))
        }
        do throws(Fault) {
            let action = try action(of: object)
            if case .end = action { hasEnded = true }
            return action
        } catch {
            return broken(error.reason, text)
        }
    }

    /// Says that the call under `ref` may go on: from now on it can be settled.
    mutating func open(call ref: String) { calls.insert(ref) }

    /// Says that what was asked under `ref` has been answered.
    mutating func answered(_ ref: String) { refs.remove(ref) }

    private mutating func broken(_ reason: String, _ text: String) -> Action {
        hasEnded = true
        return .broken("a line of the program \(reason): \(filter.excerpt(of: text.utf8, characters: 200))")
    }
}

// MARK: The keys

/// Why a line breaks the protocol.
struct Fault: Error {
    let reason: String

    init(_ reason: String) { self.reason = reason }
}

extension Conversation {
    private static let keys = [
        "call", "charge", "checkpoint", "emit", "error", "heartbeat", "log", "output", "settle", "step",
    ]

    /// What may be said about a plan, for which nothing may be paid or saved.
    private static let keysOfPlan = ["error", "expects", "heartbeat", "log"]

    private mutating func action(of object: JSONObject) throws(Fault) -> Action {
        let known = isPlan ? Self.keysOfPlan : Self.keys
        let found = known.filter { object[$0] != nil }
        guard let key = found.first, let value = object[key], found.count == 1 else {
            throw Fault(
                found.isEmpty
                    ? "\(isPlan ? "about step 'plan' " : "")has none of the keys \(known.joined(separator: ", "))"
                    : "has several keys: \(found.joined(separator: ", "))")
        }
        let ref = try reference(object)
        switch key {
        case "output": return .end(.output(value))
        case "expects": return .end(.output(["expects": value]))
        case "error": return .end(.failed(try failure(Fields(value, of: key))))
        case "charge": return .ask(.charge(try expense(Fields(value, of: key))), ref: try taken(ref))
        case "call":
            guard let ref else { throw Fault("has a 'call' without 'ref'") }
            return .ask(.call(try paidCall(Fields(value, of: key))), ref: try taken(ref))
        case "settle":
            guard let ref, calls.remove(ref) != nil else {
                throw Fault(
                    "settles a call that is not open\(ref.map { ": unknown ref \($0.quoted)" } ?? ", and has no 'ref'")"
                )
            }
            return .settle(try settlement(Fields(value, of: key)), ref: ref)
        case "step":
            guard let ref else { throw Fault("has a 'step' without 'ref'") }
            return .ask(.step(try name(value, of: key)), ref: try taken(ref))
        case "checkpoint":
            let fields = try Fields(value, of: key)
            try fields.allow(["step", "value"])
            guard let step = fields.object["step"], let kept = fields.object["value"] else {
                throw Fault("has a 'checkpoint' without 'step' or 'value'")
            }
            return .ask(.checkpoint(step: try name(step, of: "step"), value: kept), ref: try taken(ref))
        case "emit": return .ask(.emit(value), ref: nil)
        case "heartbeat":
            guard value == true else { throw Fault("has a 'heartbeat' that is not true") }
            return .ask(.heartbeat, ref: nil)
        default:
            let fields = try Fields(value, of: key)
            return .log(.said(level: try fields.text("level") ?? "info", try fields.required("message")))
        }
    }

    private func reference(_ object: JSONObject) throws(Fault) -> String? {
        switch object["ref"] {
        case nil, .null: return nil
        case .string(let ref) where ref.utf8.count <= 1_024: return ref
        default: throw Fault("has a 'ref' that is not a text of at most 1 KiB")
        }
    }

    /// Takes a `ref` into use until it is answered, or a call under it is settled.
    private mutating func taken(_ ref: String?) throws(Fault) -> String? {
        guard let ref else { return nil }
        guard !calls.contains(ref), refs.insert(ref).inserted else {
            throw Fault("uses the ref \(ref.quoted), which is still in use")
        }
        return ref
    }

    private func name(_ value: JSONValue, of key: String) throws(Fault) -> String {
        guard let name = value.string, Identifier(name) != nil else {
            throw Fault("has a '\(key)' that is not 1 to 128 letters, digits, '.', '_' or '-'")
        }
        return name
    }

    private func failure(_ fields: Fields) throws(Fault) -> Failure {
        Failure(
            code: try fields.text("code"), message: try fields.text("message"),
            retryable: try fields.bool("retryable"), exception: try fields.text("exception"))
    }

    private func expense(_ fields: Fields) throws(Fault) -> Expense {
        try fields.allow(["service", "operation", "quantity", "cost", "key", "incurred", "metadata"])
        return Expense(
            service: try fields.required("service"), operation: try fields.required("operation"),
            quantity: try fields.number("quantity") ?? 1, cost: try fields.number("cost"),
            key: try fields.text("key"), incurred: try fields.bool("incurred") ?? false,
            metadata: try fields.map("metadata") ?? [:])
    }

    private func paidCall(_ fields: Fields) throws(Fault) -> PaidCall {
        try fields.allow(["service", "operation", "key", "maximum_cost"])
        let key = fields.object["key"]
        return PaidCall(
            service: try fields.required("service"), operation: try fields.required("operation"),
            key: key == .null ? nil : key, maximumCost: try fields.number("maximum_cost"))
    }

    private func settlement(_ fields: Fields) throws(Fault) -> Settlement {
        try fields.allow(["outcome", "cost", "value", "metadata"])
        let word = try fields.text("outcome") ?? "settled"
        guard let outcome = Settlement.Outcome(rawValue: word) else {
            throw Fault("has the unknown outcome \(word.quoted)")
        }
        return Settlement(
            outcome: outcome, cost: fields.value("cost"), value: fields.object["value"],
            metadata: try fields.map("metadata") ?? [:])
    }
}

/// The parts of a map in a line; null is the same as nothing.
struct Fields {
    let object: JSONObject
    let key: String

    init(_ value: JSONValue, of key: String) throws(Fault) {
        guard let object = value.object else { throw Fault("has a '\(key)' that is not a map") }
        self.object = object
        self.key = key
    }

    /// Refuses other keys: a misspelled amount must not be overlooked.
    func allow(_ known: [String]) throws(Fault) {
        guard let unknown = object.keys.first(where: { !known.contains($0) }) else { return }
        throw Fault("has the unknown key \(unknown.quoted) in '\(key)'")
    }

    func required(_ name: String) throws(Fault) -> String {
        guard let text = try text(name) else { throw Fault("has no '\(name)' in '\(key)'") }
        return text
    }

    func value(_ name: String) -> JSONValue? { object[name] == .null ? nil : object[name] }
    func text(_ name: String) throws(Fault) -> String? { try read(name, "text", \.string) }
    func number(_ name: String) throws(Fault) -> Number? { try read(name, "a number", \.number) }
    func bool(_ name: String) throws(Fault) -> Bool? { try read(name, "true or false", \.bool) }
    func map(_ name: String) throws(Fault) -> JSONObject? { try read(name, "a map", \.object) }

    private func read<Value>(_ name: String, _ kind: String, _ form: (JSONValue) -> Value?) throws(Fault) -> Value? {
        guard let value = object[name], value != .null else { return nil }
        guard let read = form(value) else { throw Fault("has a '\(name)' in '\(key)' that is not \(kind)") }
        return read
    }
}
