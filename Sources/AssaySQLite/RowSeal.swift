/// A 64-bit check value over the columns of a row, which detects a flipped bit in a stored row.
///
/// It is part of the file format: the same columns in the same order always give the same value. It protects against
/// accidents, not against attackers.
struct RowSeal {
    private var state: UInt64 = 0x9E37_79B9_7F4A_7C15

    /// The value over everything added so far.
    var value: Int64 { Int64(bitPattern: state) }

    /// Adds an absent value.
    mutating func addNull() { mix(0x6E75_6C6C) }

    /// Adds a whole number.
    mutating func add(_ number: Int64) { mix(UInt64(bitPattern: number) ^ 0x5151_0000_0000_0000) }

    /// Adds text or JSON as its UTF-8 bytes.
    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        mix(UInt64(bytes.count) &+ 0xB17E_0000_0000_0000)
        var offset = 0
        while offset + 8 <= bytes.count {
            mix(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
            offset += 8
        }
        guard offset < bytes.count else { return }
        var rest: UInt64 = 0
        for (place, byte) in bytes[offset...].enumerated() { rest |= UInt64(byte) << UInt64(8 * place) }
        mix(rest)
    }

    private mutating func mix(_ word: UInt64) {
        let product = (state ^ word).multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
        state = (product.high ^ product.low) &+ 0xE703_7ED1_A0B4_28DB
    }
}
