import Assay

/// Items of a list in one value, which is part of the file format: the length of each item, then each item.
///
/// Lengths are numbers of 7 bits a byte, lowest first. An item is a byte of flags and its parts, each with its length.
struct InputChunk {
    /// The most items of a chunk.
    static let mostItems = 1_024
    /// The size at which a chunk takes no further item, so that one item is read without reading much else.
    static let fullSize = 128 * 1_024

    private let bytes: [UInt8]
    private var starts: [Int] = []

    /// The number of its items.
    var count: Int { max(0, starts.count - 1) }

    /// Creates the chunk in `bytes`; `nil` when they are not one.
    init?(_ bytes: [UInt8], count: Int) {
        self.bytes = bytes
        var reader = PackedReader(bytes[...])
        var lengths: [Int] = []
        lengths.reserveCapacity(count)
        for _ in 0..<count {
            guard let length = reader.number() else { return nil }
            lengths.append(length)
        }
        var start = bytes.count - reader.rest.count
        starts.reserveCapacity(count + 1)
        starts.append(start)
        for length in lengths {
            start += length
            guard start <= bytes.count else { return nil }
            starts.append(start)
        }
        guard start == bytes.count else { return nil }
    }

    /// Returns the name of the item at `place`; `nil` when it is damaged.
    func name(at place: Int) -> String? {
        var reader = PackedReader(bytes[starts[place]..<starts[place + 1]])
        guard reader.byte() != nil else { return nil }
        return reader.text()
    }

    /// Returns the item at `place`; `nil` when it is damaged.
    func item(at place: Int) throws -> Item? {
        var reader = PackedReader(bytes[starts[place]..<starts[place + 1]])
        guard let byte = reader.byte(), let id = reader.text() else { return nil }
        let flags = Flags(rawValue: byte)
        func text(_ flag: Flags) -> String? { flags.contains(flag) ? reader.text() : nil }
        let (account, underwriting) = (text(.account), text(.underwriting))
        let (execution, slot) = (text(.execution), text(.slot))
        let data = flags.contains(.data) ? reader.part().map { Payload(jsonText: Array($0)) } : Payload(json: .null)
        guard let data else { return nil }
        func json(_ flag: Flags) throws -> JSONValue? {
            flags.contains(flag) ? try reader.part().map { try JSONValue(json: Array($0)) } : nil
        }
        let (point, file) = (try json(.resumePoint), try json(.file))
        guard reader.isAtEnd else { return nil }
        return Item(
            id, storedData: data, file: file, accountID: account, underwritingID: underwriting,
            executionID: execution, slot: slot, resumePoint: point)
    }

    fileprivate struct Flags: OptionSet {
        let rawValue: UInt8
        static let account = Flags(rawValue: 1)
        static let underwriting = Flags(rawValue: 2)
        static let execution = Flags(rawValue: 4)
        static let slot = Flags(rawValue: 8)
        static let resumePoint = Flags(rawValue: 16)
        static let file = Flags(rawValue: 32)
        static let data = Flags(rawValue: 64)
    }
}

/// The stored form of items, cut into chunks.
struct InputChunks: Sendable {
    /// The bytes of a chunk and the number of its items.
    private(set) var chunks: [(bytes: [UInt8], count: Int)] = []

    /// Encodes items.
    ///
    /// - Throws: ``ProcessingError`` when the data of an item cannot be encoded as JSON.
    init(_ items: some Sequence<Item>) throws {
        var (lengths, body, count) = ([UInt8](), [UInt8](), 0)
        func close() {
            if count > 0 { chunks.append((lengths + body, count)) }
            (lengths, body, count) = ([], [], 0)
        }
        for item in items {
            let start = body.count
            try body.pack(item)
            lengths.pack(body.count - start)
            count += 1
            if count == InputChunk.mostItems || body.count >= InputChunk.fullSize { close() }
        }
        close()
    }
}

extension [UInt8] {
    fileprivate mutating func pack(_ item: Item) throws {
        let point = try item.payload?.storedBytes("the resume point of item '\(item.id)'")
        let texts: [(InputChunk.Flags, String?)] = [
            (.account, item.accountID), (.underwriting, item.underwritingID), (.execution, item.executionID),
            (.slot, item.slot),
        ]
        var flags: InputChunk.Flags = item.hasOwnData ? .data : []
        for (flag, text) in texts where text != nil { flags.insert(flag) }
        if point != nil { flags.insert(.resumePoint) }
        let file = item.storedFile
        if file != nil { flags.insert(.file) }
        append(flags.rawValue)
        pack(item.id.utf8)
        for (_, text) in texts { if let text { pack(text.utf8) } }
        if item.hasOwnData { pack(try item.data.storedBytes("the data of item '\(item.id)'")) }
        if let point { pack(point) }
        if let file { pack(file) }
    }

    /// Appends a number of 7 bits a byte, lowest first.
    mutating func pack(_ number: Int) {
        var rest = UInt64(bitPattern: Int64(number))
        while rest > 0x7F {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }

    private mutating func pack(_ part: some Collection<UInt8>) {
        pack(part.count)
        append(contentsOf: part)
    }
}

/// Reads packed numbers and parts one after the other.
struct PackedReader {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func byte() -> UInt8? { rest.popFirst() }

    mutating func number() -> Int? {
        var (value, shift): (UInt64, UInt64) = (0, 0)
        while let byte = rest.popFirst() {
            guard shift < 64 else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return Int(exactly: Int64(bitPattern: value)) }
            shift += 7
        }
        return nil
    }

    mutating func part() -> ArraySlice<UInt8>? {
        guard let count = number(), count >= 0, count <= rest.count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    mutating func text() -> String? { part().map { String(decoding: $0, as: UTF8.self) } }
}

extension Item {
    /// The stored form of the file.
    fileprivate var storedFile: [UInt8]? {
        guard case .object(var object)? = file?.stored else { return nil }
        if !hasOwnData { object["alone"] = true }
        return JSONValue.object(object).jsonBytes
    }

    /// Creates an item from its stored values; `nil` when its file is damaged.
    fileprivate init?(
        _ id: String, storedData data: Payload, file: JSONValue?, accountID: String?, underwritingID: String?,
        executionID: String?, slot: String?, resumePoint: JSONValue?
    ) {
        guard let file else {
            self.init(
                id, payload: data, accountID: accountID, underwritingID: underwritingID, executionID: executionID,
                slot: slot, resumePoint: resumePoint)
            return
        }
        guard let found = InputFile(stored: file) else { return nil }
        if file["alone"] == true {
            self.init(
                id, file: found, accountID: accountID, underwritingID: underwritingID, executionID: executionID,
                slot: slot, payload: resumePoint)
        } else {
            self.init(
                id, payload: data, file: found, accountID: accountID, underwritingID: underwritingID,
                executionID: executionID, slot: slot, resumePoint: resumePoint)
        }
    }
}
