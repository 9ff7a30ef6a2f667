import Foundation

/// A JSON value that keeps the digits of its numbers and the bytes of its keys.
public enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case number(Number)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)
}

/// The members of a JSON object, sorted by the code points of their keys; keys are compared byte by byte.
public struct JSONObject: Hashable, Sendable {
    /// A key with its value.
    public struct Member: Hashable, Sendable {
        /// The key, compared by its UTF-8 bytes.
        public let key: String
        /// The value under the key.
        public var value: JSONValue
    }

    /// The members in the order of their keys.
    public private(set) var members: [Member]

    /// Creates an object without members.
    public init() { members = [] }

    /// Creates an object from members in any order; `nil` if two have the same key.
    init?(unsorted: [Member]) {
        var members = unsorted
        if !zip(members, members.dropFirst()).allSatisfy({ $0.key.precedesInBytes($1.key) }) {
            members.sort { $0.key.precedesInBytes($1.key) }
            guard zip(members, members.dropFirst()).allSatisfy({ $0.key.precedesInBytes($1.key) }) else { return nil }
        }
        self.members = members
    }

    /// The value under `key`; setting `nil` removes the member. Reading is O(log n).
    public subscript(key: String) -> JSONValue? {
        get {
            let index = position(of: key)
            // Not `? : nil`, which would read as the value null.
            guard index < members.count, members[index].key.equalsInBytes(key) else { return nil }
            return members[index].value
        }
        set {
            let index = position(of: key)
            let found = index < members.count && members[index].key.equalsInBytes(key)
            switch (found, newValue) {
            case (true, let value?): members[index].value = value
            case (true, nil): members.remove(at: index)
            case (false, let value?): members.insert(Member(key: key, value: value), at: index)
            case (false, nil): break
            }
        }
    }

    /// Makes room for `count` members.
    mutating func reserve(_ count: Int) { members.reserveCapacity(count) }

    /// The keys in code point order.
    public var keys: [String] { members.map(\.key) }

    /// Whether there are no members.
    public var isEmpty: Bool { members.isEmpty }

    private func position(of key: String) -> Int {
        var (low, high) = (0, members.count)
        while low < high {
            let middle = (low + high) / 2
            if members[middle].key.precedesInBytes(key) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

// Text is compared and hashed by its bytes, as in digests and databases.
extension JSONValue {
    public static func == (left: JSONValue, right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.number(let a), .number(let b)): a == b
        case (.string(let a), .string(let b)): a.equalsInBytes(b)
        case (.array(let a), .array(let b)): a == b
        case (.object(let a), .object(let b)): a == b
        case (.null, _), (.bool, _), (.number, _), (.string, _), (.array, _), (.object, _): false
        }
    }
}

extension JSONObject.Member {
    public static func == (left: Self, right: Self) -> Bool {
        left.key.equalsInBytes(right.key) && left.value == right.value
    }
}

extension JSONObject {
    /// Creates an object from members in any order; of two with the same key, the later one wins.
    init(_ elements: some Sequence<(String, JSONValue)>) {
        self.init()
        for (key, value) in elements { self[key] = value }
    }
}

extension JSONObject {
    /// Returns the object without the members of these names.
    func removing(_ keys: Set<String>) -> JSONObject {
        var rest = self
        for key in keys where rest[key] != nil { rest[key] = nil }
        return rest
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    /// Creates an object from members in any order; of two with the same key, the later one wins.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self.init()
        for (key, value) in elements { self[key] = value }
    }
}

extension JSONValue: ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int) { self = .number(Number(value)) }
    public init(stringLiteral value: String) { self = .string(value) }
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        var object = JSONObject()
        for (key, value) in elements { object[key] = value }
        self = .object(object)
    }
}

extension JSONValue {
    /// The member under `key`, if this is an object that has it.
    public subscript(key: String) -> JSONValue? {
        if case .object(let object) = self { object[key] } else { nil }
    }

    /// The text, if this is text.
    public var string: String? { if case .string(let value) = self { value } else { nil } }
    /// The number, if this is a number.
    public var number: Number? { if case .number(let value) = self { value } else { nil } }
    /// The truth value, if this is a boolean.
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    /// The elements, if this is an array.
    public var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
    /// The members, if this is an object.
    public var object: JSONObject? { if case .object(let value) = self { value } else { nil } }

    /// The kind of this value, in the words of error messages.
    public var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "text"
        case .array: "a list"
        case .object: "a map"
        }
    }
}

extension String {
    /// Returns whether the UTF-8 bytes of `self` come before those of `other`, which is code point order.
    func precedesInBytes(_ other: String) -> Bool { comparedInBytes(with: other) < 0 }

    /// Returns whether both have the same UTF-8 bytes, unlike `==`, which uses canonical equivalence.
    func equalsInBytes(_ other: String) -> Bool { utf8.count == other.utf8.count && comparedInBytes(with: other) == 0 }

    private func comparedInBytes(with other: String) -> Int {
        var (left, right) = (self, other)
        return left.withUTF8 { left in
            right.withUTF8 { right in
                let common = min(left.count, right.count)
                guard common > 0, let a = left.baseAddress, let b = right.baseAddress else {
                    return left.count - right.count
                }
                let order = memcmp(a, b, common)
                return order != 0 ? Int(order) : left.count - right.count
            }
        }
    }
}
