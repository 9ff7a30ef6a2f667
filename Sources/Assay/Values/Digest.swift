import Crypto

/// The SHA-256 of a value's canonical JSON, by which inputs and parameters are told apart.
public struct Digest: Hashable, Sendable, CustomStringConvertible {
    /// `sha256:` and 64 lower-case hex digits.
    public let text: String

    /// The digest of `value`: keys sorted, no white space, numbers in their shortest form (`1.0` is `1`).
    public init(of value: JSONValue) {
        var bytes: [UInt8] = []
        value.write(into: &bytes, reducing: true)
        text = "sha256:" + Self.hex(of: bytes)
    }

    /// The digest of a text as it stands, which for one that is not JSON is the digest of no value.
    init(hashing text: String) { self.text = "sha256:" + Self.hex(of: text.utf8) }

    /// The digest that a hash came to.
    init(_ hash: SHA256Digest) { text = "sha256:" + Self.hex(hash) }

    /// The keyed digest of a text, which tells nothing of it to those who do not have the key.
    init(keying text: String, with key: [UInt8]) {
        let code = HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: SymmetricKey(data: key))
        self.text = "sha256:" + Self.hex(code)
    }

    /// The 64 digits.
    package var hexDigits: String { String(text.dropFirst(7)) }

    /// A digest as it was written; `nil` if it is not one.
    public init?(_ text: String) {
        let bytes = text.utf8
        guard text.hasPrefix("sha256:"), bytes.count == 71,
            bytes.dropFirst(7).allSatisfy({ (48...57).contains($0) || (97...102).contains($0) })
        else { return nil }
        self.text = text
    }

    public var description: String { text }

    /// The SHA-256 of `bytes` as 64 lower-case hex digits.
    public static func hex(of bytes: some Sequence<UInt8>) -> String {
        var hash = SHA256()
        let contiguous: Void? = bytes.withContiguousStorageIfAvailable {
            hash.update(bufferPointer: UnsafeRawBufferPointer($0))
        }
        if contiguous == nil { hash.update(data: ContiguousArray(bytes)) }
        return hex(hash.finalize())
    }

    private static func hex(_ hash: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(unsafeUninitializedCapacity: 64) { text in
            for (index, byte) in hash.enumerated() {
                text[2 * index] = digits[Int(byte >> 4)]
                text[2 * index + 1] = digits[Int(byte & 15)]
            }
            return 64
        }
    }
}
