import Assay

/// The bytes behind the SHA-256 of saved steps and cached values: each part with its length, so that no two lists of
/// parts have the same bytes. Part of the file format.
struct PartsDigest {
    private var bytes: [UInt8] = []

    mutating func add(_ text: String?) {
        guard let text else { return add(Int64(-1)) }
        add(Int64(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    mutating func add(_ number: Int64) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Returns the digest as 64 hex digits, with the value as the last part.
    func hex(with value: [UInt8]) -> String { Digest.hex(of: bytes + value) }
}
