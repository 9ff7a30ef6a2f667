/// A condition of comparisons joined by `and` and `or`; it decides when a breakpoint stops a run and when an alert
/// fires.
///
/// `and` binds tighter than `or`; each comparison may begin with `not`. A comparison is `PATH OP LITERAL` or
/// `PATH exists`, where `OP` is `==`, `!=`, `<`, `<=`, `>`, `>=` or `contains`, and `PATH` is a name followed by `.key`
/// and `[n]` parts. A comparison is false, before any `not`, if its path leads nowhere or to a value of another kind
/// than the literal. Numbers are compared exactly, text byte by byte.
public struct Condition: Hashable, Sendable {
    /// The sets of names that paths may begin with.
    public enum Names: String, Sendable, CaseIterable {
        /// `value`, `input_id`, `attempt`, `processor_id`.
        case breakpoint
        /// `event`.
        case alert

        var names: [String] {
            switch self {
            case .breakpoint: ["value", "input_id", "attempt", "processor_id"]
            case .alert: ["event"]
            }
        }
    }

    /// The maximum length of a condition, in characters.
    public static let maximumLength = 4_096
    /// The maximum number of keys and positions in a path.
    public static let maximumDepth = 64

    /// The condition as written.
    public let text: String
    /// The alternatives, each a list of comparisons that must all hold.
    let alternatives: [[Comparison]]

    /// Creates a condition from `text`.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration`; its message names the character, counted from 1, at
    ///   which parsing failed.
    public init(_ text: String, for names: Names) throws(ProcessingError) {
        self.text = text
        var parser = ConditionParser(text, names: names.names)
        alternatives = try parser.read()
    }

    /// Returns whether the condition holds when the names have these values.
    public func holds(_ values: JSONObject) -> Bool {
        alternatives.contains { $0.allSatisfy { $0.holds(values) } }
    }

    /// A path and the test of its value.
    struct Comparison: Hashable, Sendable {
        let isNegated: Bool
        let path: Path
        let test: Test

        func holds(_ values: JSONObject) -> Bool {
            guard let value = path.value(in: values) else { return isNegated }
            return test.holds(value) != isNegated
        }
    }

    /// A test of a value.
    enum Test: Hashable, Sendable {
        case exists
        case compares(Operation, JSONValue)

        func holds(_ value: JSONValue) -> Bool {
            guard case .compares(let operation, let literal) = self else { return true }
            return operation.holds(value, literal)
        }
    }

    enum Operation: String, CaseIterable, Sendable {
        case equal = "=="
        case unequal = "!="
        case atMost = "<="
        case atLeast = ">="
        case less = "<"
        case greater = ">"
        case contains

        func holds(_ value: JSONValue, _ literal: JSONValue) -> Bool {
            switch self {
            case .equal: value == literal
            case .unequal: value.kind == literal.kind && value != literal
            case .less: value.order(literal).map { $0 < 0 } ?? false
            case .atMost: value.order(literal).map { $0 <= 0 } ?? false
            case .greater: value.order(literal).map { $0 > 0 } ?? false
            case .atLeast: value.order(literal).map { $0 >= 0 } ?? false
            case .contains: value.contains(literal)
            }
        }
    }

    /// The location of a value.
    struct Path: Hashable, Sendable {
        enum Step: Hashable, Sendable {
            case key(String)
            case position(Int)
        }

        let name: String
        let steps: [Step]

        func value(in values: JSONObject) -> JSONValue? {
            var value = values[name]
            for step in steps {
                switch (step, value) {
                case (.key(let key), .object(let object)?): value = object[key]
                case (.position(let index), .array(let elements)?):
                    guard elements.indices.contains(index) else { return nil }
                    value = elements[index]
                default: return nil
                }
            }
            return value
        }
    }
}

extension JSONValue {
    /// Returns a negative number, 0 or a positive number as this sorts before, with or after `other`; `nil` for kinds
    /// without an order and for values of different kinds.
    fileprivate func order(_ other: JSONValue) -> Int? {
        switch (self, other) {
        case (.number(let left), .number(let right)): left < right ? -1 : left == right ? 0 : 1
        case (.string(let left), .string(let right)):
            left.precedesInBytes(right) ? -1 : left.equalsInBytes(right) ? 0 : 1
        default: nil
        }
    }

    /// Returns whether this is text that contains the text `other`, or a list that contains the value `other`.
    fileprivate func contains(_ other: JSONValue) -> Bool {
        switch (self, other) {
        case (.string(let text), .string(let part)):
            part.isEmpty || Array(text.utf8).firstRange(of: Array(part.utf8)) != nil
        case (.array(let elements), _): elements.contains(other)
        default: false
        }
    }
}

extension Condition: CustomStringConvertible {
    public var description: String { text }
}
