/// A name that the system generates or is configured with: of a run, an execution, a processor, a step or a node.
///
/// 1 to 128 ASCII letters, digits, `.`, `_` and `-`, not starting with `.`, so that it can appear unchanged in a file
/// name, a URL or a log line.
public struct Identifier: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The identifier as text.
    public let text: String

    /// Creates an identifier spelled `text`; `nil` if the text breaks the rule above.
    public init?(_ text: String) {
        let bytes = text.utf8
        guard (1...128).contains(bytes.count), bytes.first != UInt8(ascii: "."), bytes.allSatisfy(Self.allows)
        else { return nil }
        self.text = text
    }

    init(unchecked text: String) { self.text = text }

    private static func allows(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    public var description: String { text }

    public static func < (left: Identifier, right: Identifier) -> Bool { left.text < right.text }
}

extension Identifier: Codable {
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let identifier = Identifier(text) else {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(
                    codingPath: decoder.codingPath,
                    debugDescription: "'\(text)' may only contain letters, digits, '.', '_' and '-'"))
        }
        self = identifier
    }

    public func encode(to encoder: any Encoder) throws { try text.encode(to: encoder) }
}

/// A name from the user's world: of an input, an account or an underwriting.
///
/// 1 byte to 1 KiB of any text without control characters or bidirectional overrides. Names are compared byte by byte,
/// so two spellings of `é` are two names, as they are in the store.
public struct ExternalID: Sendable, CustomStringConvertible {
    /// The name as text.
    public let text: String

    /// Creates a name spelled `text`; `nil` if the text breaks the rule above.
    public init?(_ text: String) {
        guard (1...1_024).contains(text.utf8.count), text.unicodeScalars.allSatisfy(Self.allows) else { return nil }
        self.text = text
    }

    init(unchecked text: String) { self.text = text }

    private static func allows(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x202A...0x202E, 0x2066...0x2069: false
        default: true
        }
    }

    public var description: String { text }
}

extension ExternalID: Hashable, Comparable {
    public static func == (left: ExternalID, right: ExternalID) -> Bool { left.text.equalsInBytes(right.text) }

    public static func < (left: ExternalID, right: ExternalID) -> Bool { left.text.precedesInBytes(right.text) }

    public func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}

extension ExternalID: Codable {
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let name = ExternalID(text) else {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(
                    codingPath: decoder.codingPath,
                    debugDescription: "must be 1 byte to 1 KiB of text without control characters"))
        }
        self = name
    }

    public func encode(to encoder: any Encoder) throws { try text.encode(to: encoder) }
}
