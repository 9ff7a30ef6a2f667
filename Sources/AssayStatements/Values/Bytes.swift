#if canImport(Glibc)
    internal import Glibc
#else
    internal import Foundation
#endif

/// A view of bytes that belong to someone else; reading past an end gives zero instead of a trap.
///
/// Valid only inside the closure that lent the memory.
struct Bytes {
    private var buffer: UnsafeBufferPointer<UInt8>

    init() { buffer = UnsafeBufferPointer(start: nil, count: 0) }
    init(_ buffer: UnsafeBufferPointer<UInt8>) { self.buffer = buffer }
    init(_ raw: UnsafeRawBufferPointer) { buffer = raw.bindMemory(to: UInt8.self) }

    var count: Int { buffer.count }
    var isEmpty: Bool { buffer.isEmpty }
    var last: UInt8 { self[count - 1] }

    subscript(index: Int) -> UInt8 {
        guard UInt(bitPattern: index) < UInt(bitPattern: buffer.count) else { return 0 }
        return buffer[index]
    }

    /// Returns the bytes from `start` up to `end`, both moved into range.
    func part(_ start: Int, _ end: Int) -> Bytes {
        let from = min(max(start, 0), count)
        let to = min(max(end, from), count)
        return Bytes(UnsafeBufferPointer(rebasing: buffer[from..<to]))
    }

    /// Returns the offset of a part of these bytes; 0 for an empty part.
    func start(of part: Bytes) -> Int {
        guard let base = buffer.baseAddress, let start = part.buffer.baseAddress else { return 0 }
        return start - base
    }

    func dropping(_ length: Int) -> Bytes { part(length, count) }

    /// Returns the place of the first `byte` at or after `start`.
    func firstIndex(of byte: UInt8, from start: Int = 0) -> Int? {
        guard start >= 0, start < count, let base = buffer.baseAddress,
            let found = memchr(base + start, Int32(byte), count - start)
        else { return nil }
        return UnsafePointer(found.assumingMemoryBound(to: UInt8.self)) - base
    }

    /// Returns the first offset of `text` at or after `start`.
    func firstRange(of text: StaticString, from start: Int = 0) -> Int? {
        var place = firstIndex(of: text.utf8Start[0], from: start)
        while let found = place {
            if dropping(found).hasPrefix(text) { return found }
            place = firstIndex(of: text.utf8Start[0], from: found + 1)
        }
        return nil
    }

    func contains(_ text: StaticString) -> Bool { firstRange(of: text) != nil }

    func trimmed() -> Bytes {
        var start = 0
        var end = count
        while start < end, self[start] <= 0x20 { start += 1 }
        while end > start, self[end - 1] <= 0x20 { end -= 1 }
        return part(start, end)
    }

    func hasPrefix(_ text: StaticString) -> Bool {
        let length = text.utf8CodeUnitCount
        guard length <= count, let base = buffer.baseAddress else { return length == 0 }
        return memcmp(base, text.utf8Start, length) == 0
    }

    func hasPrefixIgnoringCase(_ text: StaticString) -> Bool {
        let length = text.utf8CodeUnitCount
        guard length <= count else { return false }
        for index in 0..<length where self[index].uppercased != text.utf8Start[index].uppercased { return false }
        return true
    }

    func hasSuffixIgnoringCase(_ text: StaticString) -> Bool {
        count >= text.utf8CodeUnitCount && dropping(count - text.utf8CodeUnitCount).hasPrefixIgnoringCase(text)
    }

    static func == (bytes: Bytes, text: StaticString) -> Bool {
        bytes.count == text.utf8CodeUnitCount && bytes.hasPrefix(text)
    }

    /// Returns the number written by exactly `digits` digits at `start`.
    func number(at start: Int, digits: Int) -> Int? {
        guard digits > 0, digits <= 9, start + digits <= count else { return nil }
        var result = 0
        for index in start..<start + digits {
            guard self[index].isDigit else { return nil }
            result = result * 10 + Int(self[index] - 0x30)
        }
        return result
    }

    /// Returns the rest of the line at `position`, which moves past its end (`\n`, `\r\n` or a lone `\r`).
    func line(at position: inout Int) -> Bytes {
        let start = position
        let newline = firstIndex(of: 0x0A, from: start) ?? count
        if let carriage = part(start, newline).firstIndex(of: 0x0D), start + carriage + 1 < newline {
            position = start + carriage + 1
            return part(start, start + carriage)
        }
        position = min(newline + 1, count)
        return part(start, newline > start && self[newline - 1] == 0x0D ? newline - 1 : newline)
    }

    func withBuffer<Result>(_ body: (UnsafeBufferPointer<UInt8>) throws -> Result) rethrows -> Result {
        try body(buffer)
    }
}

extension UInt8 {
    var isDigit: Bool { self &- 0x30 < 10 }
    var isUpper: Bool { self &- 0x41 < 26 }
    var isLetter: Bool { (self | 0x20) &- 0x61 < 26 }
    var uppercased: UInt8 { self &- 0x61 < 26 ? self - 0x20 : self }
}
