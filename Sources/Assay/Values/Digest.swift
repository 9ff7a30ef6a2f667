import Crypto

/// The SHA-256 digest of a value's canonical JSON, used to tell inputs and parameters apart.
public struct Digest: Hashable, Sendable, CustomStringConvertible {
    /// The digest as `sha256:` and 64 lowercase hex digits.
    public let text: String

    /// Creates the digest of `value`: keys sorted, no whitespace, numbers in their shortest form (`1.0` is `1`).
    public init(of value: JSONValue) {
        var bytes: [UInt8] = []
        value.write(into: &bytes, reducing: true)
        text = "sha256:" + Self.hex(of: bytes)
    }

    /// Creates the digest of text as is; for text that is not JSON, this is the digest of no value.
    init(hashing text: String) { self.text = "sha256:" + Self.hex(of: text.utf8) }

    /// Creates a digest from a finished hash.
    init(_ hash: SHA256Digest) { text = "sha256:" + Self.hex(hash) }

    /// Creates the keyed digest of `text`, which reveals nothing about the text to anyone without the key.
    init(keying text: String, with key: [UInt8]) {
        let code = HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: SymmetricKey(data: key))
        self.text = "sha256:" + Self.hex(code)
    }

    /// The 64 hex digits.
    package var hexDigits: String { String(text.dropFirst(7)) }

    /// Creates a digest from its written form; `nil` if the text is not a digest.
    public init?(_ text: String) {
        let bytes = text.utf8
        guard text.hasPrefix("sha256:"), bytes.count == 71,
            bytes.dropFirst(7).allSatisfy({ (48...57).contains($0) || (97...102).contains($0) })
        else { return nil }
        self.text = text
    }

    public var description: String { text }

    /// Returns the SHA-256 of `bytes` as 64 lowercase hex digits.
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
