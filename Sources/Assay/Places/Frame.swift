/// A message between this program and a worker process, as it crosses the socket between them.
///
/// ```
/// "ASYW" version kind parts length ref request attempt nonce checksum | length of a part, its bytes | …
///    4      1      1    2     4     4     8       4     16      4     |         4
/// ```
///
/// All numbers are little-endian. The first part is the message's own JSON. Further parts are values as JSON text, each
/// as deep as a value may be.
struct Frame: Equatable, Sendable {
    enum Kind: UInt8, Sendable {
        /// To the worker, first: the processor and its setup.
        case hello = 1
        /// From the worker: it has the processor, or why not.
        case ready
        /// To the worker: the run of the items that follow.
        case run
        /// To the worker: an item.
        case work
        /// From the worker: what `extract` returned or threw.
        case answer
        /// From the worker: a request of the processor that waits for a reply.
        case ask
        /// To the worker: the reply to that.
        case reply
        /// From the worker: something that needs no reply.
        case tell
        /// From the worker: it is alive.
        case beat
    }

    /// The secret that authenticates every frame between one program and one worker.
    struct Nonce: Equatable, Sendable {
        var high: UInt64
        var low: UInt64

        static func random() -> Nonce { Nonce(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max)) }
    }

    var kind: Kind
    /// The number of the item at work, from 1; 0 outside of items.
    var request: UInt64 = 0
    /// The number of the attempt at it.
    var attempt: UInt32 = 0
    /// The number that pairs a reply with its request.
    var ref: UInt32 = 0
    /// The JSON texts.
    var parts: [[UInt8]] = []

    static let headerLength = 48
    /// The most bytes that may follow a header.
    static let maximumLength = 16 << 20
    private static let magic: UInt32 = 0x5759_5341
    private static let version: UInt8 = 1
    private static let checksumOffset = 44

    /// The number of bytes that follow the header.
    var length: Int { parts.reduce(0) { $0 + 4 + $1.count } }

    /// Returns the bytes of the frame. The caller must have checked its length.
    func encoded(_ nonce: Nonce) -> [UInt8] {
        precondition(length <= Self.maximumLength, "a frame of \(length) bytes")
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.headerLength + length)
        func append(_ number: some FixedWidthInteger) {
            withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
        }
        append(Self.magic)
        append(Self.version)
        append(kind.rawValue)
        append(UInt16(parts.count))
        append(UInt32(length))
        append(ref)
        append(request)
        append(attempt)
        append(nonce.high)
        append(nonce.low)
        append(UInt32(0))
        for part in parts {
            append(UInt32(part.count))
            bytes += part
        }
        let checksum = bytes.withUnsafeBytes { Self.checksum(of: $0) }
        withUnsafeBytes(of: checksum.littleEndian) {
            bytes.replaceSubrange(Self.checksumOffset..<Self.headerLength, with: $0)
        }
        return bytes
    }

    /// Returns the checksum of all bytes of a frame except the checksum itself.
    private static func checksum(of frame: UnsafeRawBufferPointer) -> UInt32 {
        Checksum.of(
            UnsafeRawBufferPointer(rebasing: frame[headerLength...]),
            after: Checksum.of(UnsafeRawBufferPointer(rebasing: frame[..<checksumOffset])))
    }
}

/// The reason why bytes are not a frame. It is unknown where the next frame would begin.
package struct FrameFault: Error, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

/// A decoder that turns the bytes of a socket into frames. It holds no more than one frame and one read.
struct FrameDecoder {
    /// The nonce that frames must carry. If it is not known, the first frame sets it.
    private(set) var nonce: Frame.Nonce?
    private var buffer: [UInt8] = []
    private var start = 0

    init(nonce: Frame.Nonce? = nil) { self.nonce = nonce }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        if start > 0 {
            buffer.removeFirst(start)
            start = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// Returns the next whole frame; `nil` when more bytes are needed.
    mutating func next() throws(FrameFault) -> Frame? {
        let available = buffer.count - start
        guard available > 0 else { return nil }
        let found = buffer.withUnsafeBytes { buffer in
            Result { () throws(FrameFault) in try Frame.first(of: UnsafeRawBufferPointer(rebasing: buffer[start...])) }
        }
        guard let (frame, nonce, count) = try found.get() else { return nil }
        if let expected = self.nonce, expected != nonce { throw FrameFault("a frame of somebody else") }
        self.nonce = nonce
        start += count
        if start == buffer.count {
            // A large frame's memory is released, a small one's is reused.
            buffer.removeAll(keepingCapacity: buffer.count <= 1 << 20)
            start = 0
        }
        return frame
    }
}

extension Frame {
    /// Returns the frame at the beginning of `bytes` with its nonce and its length; `nil` when it is not complete.
    fileprivate static func first(
        of bytes: UnsafeRawBufferPointer
    ) throws(FrameFault) -> (frame: Frame, nonce: Nonce, count: Int)? {
        func number<Number: FixedWidthInteger>(at offset: Int, _ type: Number.Type = Number.self) -> Number {
            Number(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: type))
        }
        // Bytes that are not a frame are refused at the first byte, however few have arrived.
        let begun = min(bytes.count, 4)
        guard withUnsafeBytes(of: magic.littleEndian, { $0.prefix(begun).elementsEqual(bytes.prefix(begun)) }) else {
            throw FrameFault("bytes that are not a frame")
        }
        guard bytes.count >= headerLength else { return nil }
        guard number(at: 4) == version else { throw FrameFault("a frame of version \(number(at: 4) as UInt8)") }
        let length = Int(number(at: 8, UInt32.self))
        guard length <= maximumLength else {
            throw FrameFault("a frame of \(length) bytes, at most \(maximumLength) are allowed")
        }
        guard bytes.count >= headerLength + length else { return nil }
        let whole = UnsafeRawBufferPointer(rebasing: bytes[..<(headerLength + length)])
        guard checksum(of: whole) == number(at: checksumOffset) else {
            throw FrameFault("a frame whose checksum does not fit")
        }
        guard let kind = Kind(rawValue: number(at: 5)) else {
            throw FrameFault("a frame of the unknown kind \(number(at: 5) as UInt8)")
        }
        var parts: [[UInt8]] = []
        var offset = headerLength
        for _ in 0..<number(at: 6, UInt16.self) {
            guard offset + 4 <= whole.count else { throw FrameFault("a frame with fewer parts than it says") }
            let count = Int(number(at: offset, UInt32.self))
            offset += 4
            guard count <= whole.count - offset else {
                throw FrameFault("a frame with a longer part than it has room for")
            }
            parts.append(Array(whole[offset..<(offset + count)]))
            offset += count
        }
        guard offset == whole.count else { throw FrameFault("a frame with more than its parts") }
        let frame = Frame(
            kind: kind, request: number(at: 16), attempt: number(at: 24), ref: number(at: 12), parts: parts)
        return (frame, Nonce(high: number(at: 28), low: number(at: 36)), whole.count)
    }
}
