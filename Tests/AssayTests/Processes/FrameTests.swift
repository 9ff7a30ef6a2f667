import Logging
import Testing

@testable import Assay

@Suite("A frame") struct FrameTests {
    private static let nonce = Frame.Nonce(high: 7, low: 9)
    private static let frame = Frame(
        kind: .work, request: 12, attempt: 3, ref: 4, parts: [Array("[1]".utf8), [], Array("\"é\"".utf8)])

    private func frames(_ bytes: [UInt8], by size: Int = .max) throws -> [Frame] {
        var decoder = FrameDecoder(nonce: Self.nonce)
        var frames: [Frame] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(size)
            rest = rest.dropFirst(piece.count)
            piece.withUnsafeBytes { decoder.append($0) }
            while let frame = try decoder.next() { frames.append(frame) }
        }
        return frames
    }

    @Test("arrives as it was sent, in whatever pieces", arguments: [1, 2, 47, 48, 49, 1_000])
    func pieces(size: Int) throws {
        let beat = Frame(kind: .beat)
        let bytes = Self.frame.encoded(Self.nonce) + beat.encoded(Self.nonce) + Self.frame.encoded(Self.nonce)
        #expect(try frames(bytes, by: size) == [Self.frame, beat, Self.frame])
    }

    @Test("is not there before its last byte") func half() throws {
        #expect(try frames(Self.frame.encoded(Self.nonce).dropLast()) == [])
    }

    @Test(
        "of a length that is not allowed is refused before it is there",
        arguments: [UInt32(1) << 31, .max, 16 << 20 + 1])
    func huge(length: UInt32) {
        var header = Array(Self.frame.encoded(Self.nonce).prefix(Frame.headerLength))
        withUnsafeBytes(of: length.littleEndian) { header.replaceSubrange(8..<12, with: $0) }
        let fault = #expect(throws: FrameFault.self) { try frames(header) }
        #expect(fault?.description == "a frame of \(length) bytes, at most 16777216 are allowed")
    }

    @Test("with any byte changed is refused or incomplete") func changes() {
        let whole = Self.frame.encoded(Self.nonce)
        for index in whole.indices {
            var bytes = whole
            bytes[index] ^= 0x10
            let found = (try? frames(bytes)) ?? []
            #expect(found.isEmpty, "byte \(index)")
        }
    }

    @Test("of somebody else is refused") func stranger() {
        #expect(throws: FrameFault("a frame of somebody else")) {
            try frames(Self.frame.encoded(Frame.Nonce(high: 7, low: 8)))
        }
    }

    @Test("is told from other bytes by the first of them", arguments: ["H", "\0", "ASYX"]) func garbage(text: String) {
        #expect(throws: FrameFault("bytes that are not a frame")) { try frames(Array(text.utf8)) }
    }

    @Test(
        "has the checksum of zip files",
        arguments: [("", 0), ("123456789", 0xCBF4_3926), ("The quick brown fox jumps over the lazy dog", 0x414F_A339)])
    func checksum(text: String, sum: UInt32) {
        #expect(Array(text.utf8).withUnsafeBytes { Checksum.of($0) } == sum)
    }
}

@Suite("A message of a worker") struct DeskMessageTests {
    private static let call = CallRequest(
        service: "a", operation: "b", maximumCost: Money(billionths: 5), key: ["k": [1, .null]],
        options: CallOptions(
            cache: CachePolicy(scope: .global, ttl: .nanoseconds(1_500_000_001), refresh: true), billing: .onAttempt,
            doubtPolicy: .settle), step: "s")
    private static let messages: [DeskMessage] = [
        .openStep("a", inside: nil), .openStep("a", inside: "b"), .rejectSaved(path: "a", reason: "b"),
        .closeStep(path: "a/b#2", value: Array("null".utf8)),
        .charge(
            Usage(
                service: "a", operation: "b", quantity: Number("0.10") ?? 1, cost: Money(billionths: 1), key: "k",
                incurred: true,
                metadata: ["m": [1]], step: "s")),
        .charge(Usage(service: "a", operation: "b")), .openCall(call),
        .openCall(CallRequest(service: "a", operation: "b")),
        .closeCall(
            id: "c", Call.Settlement(cost: .amount(Money(billionths: 3)), metadata: ["a": 1]),
            .returned(Array("1".utf8))),
        .closeCall(id: "c", Call.Settlement(cost: .unreadable("no amount"), metadata: [:]), .made),
        .closeCall(id: "c", nil, .threw(WireError(ProcessingError(.api, "no")))),
        .emit(Array("[]".utf8)), .failStep(path: "a"), .heartbeat, .log(.warning, "text", metadata: ["k": "v"]),
    ]

    @Test("is the same on the other side", arguments: messages) func roundTrip(message: DeskMessage) throws {
        let again = try DeskMessage(parts: message.parts)
        #expect(again.parts == message.parts)
        #expect("\(again)" == "\(message)")
    }

    @Test(
        "is refused when it is none",
        arguments: ["", "{}", "[]", "[1]", "[\"dance\"]", "[\"open_step\"]", "[\"close_step\",\"a\"]", "[\"emit\"]"])
    func refused(text: String) {
        #expect(throws: FrameFault.self) { try DeskMessage(parts: [Array(text.utf8)]) }
    }

    @Test("keeps what the engine looks at in an error") func errors() throws {
        var thrown = ProcessingError(
            .api, "busy", retryable: false, retryAfter: .milliseconds(1_500), outcomeUnknown: true)
        thrown.thrownName = "Busy"
        let error = try #require(WireError(WireError(thrown).jsonValue)?.error as? ProcessingError)
        #expect(error.code == .api && error.message == "busy" && !error.retryable && error.outcomeUnknown)
        #expect(error.retryAfter == .milliseconds(1_500) && error.exception == "Busy")
        #expect(WireError(WireError(CancellationError()).jsonValue)?.error is CancellationError)
    }
}
