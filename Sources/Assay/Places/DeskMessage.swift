package import Logging

/// A message of a processor at work somewhere else, sent through its ``Context``.
package enum DeskMessage: Sendable {
    case openStep(String, inside: String?)
    case rejectSaved(path: String, reason: String)
    case closeStep(path: String, value: [UInt8])
    case charge(Usage)
    case openCall(CallRequest)
    case closeCall(id: String, Call.Settlement?, CallEndMessage)
    case emit([UInt8])
    // The following are facts and have no reply.
    case failStep(path: String)
    case heartbeat
    case warn(String)
    case log(Logger.Level, String, metadata: [String: String])

    package enum CallEndMessage: Sendable {
        case returned([UInt8])
        case made
        case threw(WireError)
    }
}

/// A reply of the engine.
package enum DeskReply: Sendable {
    case done
    /// A charge was counted and is not on record yet.
    case accepted
    case openedStep(path: String, saved: [UInt8]?)
    case hit([UInt8])
    case proceed(callID: String, idempotencyKey: String, number: Int)
    case refused(WireError)
}

/// An error as it crosses between processes: what the engine looks at, and the name of its type.
package struct WireError: Sendable {
    /// The most bytes of a text that are sent. Every failure fits a frame, even when each of its bytes is escaped.
    private static let longest = 1 << 20

    private let json: JSONValue

    package init(_ error: any Error) {
        let described = ProcessingError(wrapping: error, as: .extraction)
        json = [
            "cancelled": .bool(error is CancellationError), "code": .string(described.code.rawValue),
            "message": .string(described.message.cut(toBytes: Self.longest)), "retryable": .bool(described.retryable),
            "exception": JSONValue(described.thrownName?.cut(toBytes: Self.longest)),
            "outcome_unknown": .bool(described.outcomeUnknown), "not_taken": .bool(described.wasNotTaken),
            "retry_after": JSONValue(wire: described.retryAfter),
        ]
    }

    init?(_ json: JSONValue?) {
        guard let json, json["code"]?.string != nil else { return nil }
        self.json = json
    }

    var jsonValue: JSONValue { json }

    /// The error as this program would have thrown it.
    package var error: any Error {
        if json["cancelled"] == true { return CancellationError() }
        let code = json["code"]?.string.flatMap(ProcessingError.Code.init) ?? .extraction
        var error = ProcessingError(
            code, json["message"]?.string ?? "", retryable: json["retryable"]?.bool,
            retryAfter: Duration(wire: json["retry_after"]),
            outcomeUnknown: json["outcome_unknown"] == true)
        error.wasNotTaken = json["not_taken"] == true
        error.thrownName = json["exception"]?.string
        return error
    }
}

/// A message between an engine and a place where its orders are worked on: words, and values as JSON texts.
///
/// Any codec may carry the parts. As a `Codable` value it is the list of them.
package protocol DeskValue: Codable, Sendable {
    /// The words, and the values.
    var parts: [[UInt8]] { get }
    /// Creates the message from its parts.
    ///
    /// - Throws: ``FrameFault`` for anything that ``parts`` does not make.
    init(parts: [[UInt8]]) throws(FrameFault)
}

extension DeskValue {
    package func encode(to encoder: any Encoder) throws {
        try parts.map { try JSONValue(json: $0) }.encode(to: encoder)
    }

    package init(from decoder: any Decoder) throws {
        try self.init(parts: [JSONValue](from: decoder).map(\.jsonBytes))
    }
}
