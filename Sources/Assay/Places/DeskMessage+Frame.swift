import Logging

// How the requests of a processor, and the replies, become parts of frames.

extension DeskMessage {
    /// Whether the processor waits for a reply.
    package var isAsked: Bool {
        switch self {
        case .openStep, .rejectSaved, .closeStep, .charge, .openCall, .closeCall, .emit: true
        case .failStep, .heartbeat, .warn, .log: false
        }
    }

    /// Its description, for the failure of a message that is too large.
    var title: String {
        switch self {
        case .openStep, .rejectSaved, .failStep: "the name of a step"
        case .closeStep(let path, _): "the value of step '\(path.cut(toBytes: 256))'"
        case .charge(let usage):
            "a charge of \("\(usage.service)/\(usage.operation)".cut(toBytes: 256)) with its metadata"
        case .openCall(let request):
            "a call of \("\(request.service)/\(request.operation)".cut(toBytes: 256)) with its key"
        case .closeCall: "a paid call with its metadata"
        case .emit: "a piece of output"
        case .heartbeat, .warn, .log: "a message"
        }
    }
}

extension DeskMessage: DeskValue {
    /// Its parts: its name and arguments, then values.
    package var parts: [[UInt8]] {
        switch self {
        case .openStep(let name, let outer): ["open_step", JSONValue(name), JSONValue(outer)].parts()
        case .rejectSaved(let path, let reason): ["reject_saved", JSONValue(path), JSONValue(reason)].parts()
        case .closeStep(let path, let value): ["close_step", JSONValue(path)].parts(value)
        case .charge(let usage):
            [
                "charge", JSONValue(usage.step), .string(usage.service), .string(usage.operation),
                .number(usage.quantity),
                JSONValue(wire: usage.cost), JSONValue(usage.key), .bool(usage.incurred), JSONValue(wire: usage.inside),
            ].parts(JSONValue.object(usage.metadata).jsonBytes)
        case .openCall(let request):
            [
                "open_call", JSONValue(request.step), .string(request.service), .string(request.operation),
                JSONValue(wire: request.maximumCost), JSONValue(request.options.billing?.rawValue),
                .string(request.options.cache.scope.rawValue), JSONValue(wire: request.options.cache.ttl),
                .bool(request.options.cache.refresh), JSONValue(request.options.doubtPolicy?.rawValue),
                JSONValue(wire: request.inside),
            ].parts(request.key?.jsonBytes)
        case .closeCall(let id, let settlement, let end): closing(id, settlement, end)
        case .emit(let chunk): ["emit"].parts(chunk)
        case .failStep(let path): ["fail_step", JSONValue(path)].parts()
        case .heartbeat: ["heartbeat"].parts()
        case .warn(let message): ["warn", .string(message)].parts()
        case .log(let level, let message, let metadata):
            [
                "log", .string(level.rawValue), .string(message),
                .object(JSONObject(metadata.mapValues { .string($0) })),
            ].parts()
        }
    }

    private func closing(_ id: String, _ settlement: Call.Settlement?, _ end: CallEndMessage) -> [[UInt8]] {
        let (word, value): (JSONValue, [UInt8]?) =
            switch end {
            case .returned(let value): (.null, value)
            case .made: (.bool(true), nil)
            case .threw(let error): (error.jsonValue, nil)
            }
        let cost: JSONValue =
            switch settlement?.cost {
            case .amount(let amount)?: JSONValue(wire: amount)
            case .unreadable(let text)?: .string(text)
            case nil: .null
            }
        return ["close_call", .string(id), cost, word]
            .parts(JSONValue.object(settlement?.metadata ?? [:]).jsonBytes, value)
    }

    /// Creates the message from its parts.
    ///
    /// - Throws: ``FrameFault`` for anything that ``parts`` does not make.
    package init(parts: [[UInt8]]) throws(FrameFault) {
        let words = try Words(parts.first)
        func value(_ index: Int) throws(FrameFault) -> [UInt8] {
            guard index < parts.count else { throw FrameFault("a message without its value") }
            return parts[index]
        }
        switch try words.text(0) {
        case "open_step": self = .openStep(try words.text(1), inside: words[2]?.string)
        case "reject_saved": self = .rejectSaved(path: try words.text(1), reason: try words.text(2))
        case "close_step": self = .closeStep(path: try words.text(1), value: try value(1))
        case "charge":
            let usage = Usage(
                service: try words.text(2), operation: try words.text(3), quantity: words[4]?.number ?? 1,
                cost: Money(wire: words[5]), key: words[6]?.string, incurred: words[7] == true,
                metadata: try Words.object(try value(1)), step: words[1]?.string, inside: CallNest(wire: words[8]))
            self = .charge(usage)
        case "open_call":
            var options = CallOptions()
            options.billing = words[5]?.string.flatMap(CallOptions.Billing.init)
            options.cache.scope = words[6]?.string.flatMap(CacheScope.init) ?? options.cache.scope
            options.cache.ttl = Duration(wire: words[7])
            options.cache.refresh = words[8] == true
            options.doubtPolicy = words[9]?.string.flatMap(DoubtPolicy.init)
            let request = CallRequest(
                service: try words.text(2), operation: try words.text(3), maximumCost: Money(wire: words[4]),
                key: parts.count > 1 ? try Words.json(parts[1]) : nil, options: options,
                step: words[1]?.string, inside: CallNest(wire: words[10]))
            self = .openCall(request)
        case "close_call":
            let metadata = try Words.object(try value(1))
            let cost: Call.Settlement.Cost? =
                words[2]?.string.map { .unreadable($0) } ?? Money(wire: words[2]).map { .amount($0) }
            let settlement = Call.Settlement(cost: cost, metadata: metadata)
            let end: CallEndMessage =
                if let error = WireError(words[3]) {
                    .threw(error)
                } else if words[3] == true { .made } else { .returned(try value(2)) }
            self = .closeCall(
                id: try words.text(1), cost == nil && metadata.members.isEmpty ? nil : settlement, end)
        case "emit": self = .emit(try value(1))
        case "fail_step": self = .failStep(path: try words.text(1))
        case "heartbeat": self = .heartbeat
        case "warn": self = .warn(try words.text(1))
        case "log":
            var metadata: [String: String] = [:]
            for member in words[3]?.object?.members ?? [] { metadata[member.key] = member.value.string }
            let level = Logger.Level(rawValue: try words.text(1)) ?? .info
            self = .log(level, try words.text(2), metadata: metadata)
        case let other: throw FrameFault("the unknown message '\(other)'")
        }
    }
}

extension DeskReply: DeskValue {
    /// Its parts: its name and arguments, then values.
    package var parts: [[UInt8]] {
        switch self {
        case .done: ["done"].parts()
        case .accepted: ["accepted"].parts()
        case .openedStep(let path, let saved): ["step", JSONValue(path)].parts(saved)
        case .hit(let value): ["hit"].parts(value)
        case .proceed(let callID, let key, let number):
            ["proceed", .string(callID), .string(key), JSONValue(number)].parts()
        case .refused(let error): ["refused", error.jsonValue].parts()
        }
    }

    /// Creates the reply from its parts.
    ///
    /// - Throws: ``FrameFault`` for anything that ``parts`` does not make.
    package init(parts: [[UInt8]]) throws(FrameFault) {
        let words = try Words(parts.first)
        switch try words.text(0) {
        case "done": self = .done
        case "accepted": self = .accepted
        case "step": self = .openedStep(path: try words.text(1), saved: parts.count > 1 ? parts[1] : nil)
        case "hit" where parts.count > 1: self = .hit(parts[1])
        case "proceed":
            guard let number = words[3]?.number?.integer else { throw FrameFault("a call without its number") }
            self = .proceed(callID: try words.text(1), idempotencyKey: try words.text(2), number: number)
        case "refused":
            guard let error = WireError(words[1]) else { throw FrameFault("a refusal without its reason") }
            self = .refused(error)
        case let other: throw FrameFault("the unknown reply '\(other)'")
        }
    }
}

/// The first part of a message: a list that begins with the message's name.
struct Words {
    private let elements: [JSONValue]

    init(_ part: [UInt8]?) throws(FrameFault) {
        guard let part, case .array(let elements) = try Self.json(part) else {
            throw FrameFault("a message of no list")
        }
        self.elements = elements
    }

    subscript(index: Int) -> JSONValue? { index < elements.count ? elements[index] : nil }

    func text(_ index: Int) throws(FrameFault) -> String {
        guard let text = self[index]?.string else { throw FrameFault("a message without its word \(index)") }
        return text
    }

    static func json(_ part: [UInt8]) throws(FrameFault) -> JSONValue {
        do { return try JSONValue(json: part) } catch { throw FrameFault("a message that is not JSON: \(error)") }
    }

    static func object(_ part: [UInt8]) throws(FrameFault) -> JSONObject {
        guard case .object(let object) = try json(part) else { throw FrameFault("a message without its map") }
        return object
    }
}

extension [JSONValue] {
    /// Returns the parts of a frame: this list, and the values that are not `nil`.
    func parts(_ values: [UInt8]?...) -> [[UInt8]] { [JSONValue.array(self).jsonBytes] + values.compactMap { $0 } }
}

// Amounts and times cross exactly.
extension JSONValue {
    init(wire duration: Duration?) {
        guard let duration else {
            self = .null
            return
        }
        let parts = duration.components
        self = .array([.number(Number(parts.seconds)), .number(Number(parts.attoseconds))])
    }

    // The nests of worker processes are never assumed.
    init(wire nest: CallNest) { self = .array(nest.calls.map { JSONValue($0) }) }

    init(wire money: Money?) { self = money.map { .number(Number($0.billionths)) } ?? .null }
}

extension Duration {
    init?(wire json: JSONValue?) {
        guard let parts = json?.array, parts.count == 2, let seconds = parts[0].number?.integer,
            let attoseconds = parts[1].number?.integer
        else { return nil }
        self.init(secondsComponent: Int64(seconds), attosecondsComponent: Int64(attoseconds))
    }
}

extension CallNest {
    init(wire json: JSONValue?) { self.init(calls: json?.array?.compactMap { $0.number?.integer } ?? []) }
}

extension Money {
    init?(wire json: JSONValue?) {
        guard let billionths = json?.number?.integer else { return nil }
        self.init(billionths: Int64(billionths))
    }
}

extension JSONObject {
    init(_ members: [String: JSONValue]) {
        self.init()
        for (key, value) in members { self[key] = value }
    }
}
