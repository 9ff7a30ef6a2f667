import Assay
import Foundation
import Synchronization

/// The rows of a plan that is being made, in a file that nobody sees and that is gone with the program: what becomes of
/// the first input is known only when the last one is.
final class PlanRows {
    private let file: Descriptor
    private var buffer: [UInt8] = []
    private var size = 0

    /// - Throws: ``CommandFailure`` when there is no room for the file.
    init() throws {
        let path = "\(NSTemporaryDirectory())/assay-plan-\(UUID().uuidString)"
        let number = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard number >= 0 else { throw Self.failure(errno) }
        file = Descriptor(number)
        unlink(path)
    }

    private static func failure(_ code: Int32) -> CommandFailure {
        CommandFailure(
            .inputOutput,
            "the plan cannot be kept in '\(NSTemporaryDirectory())': \(String(cString: strerror(code)).lowercased())")
    }

    /// Adds a row.
    func add(_ entry: Plan.Entry) throws {
        buffer += entry.jsonValue.jsonBytes + [UInt8(ascii: "\n")]
        if buffer.count > 65_536 { try flush() }
    }

    private func flush() throws {
        do { try DescriptorSink(file.number).write(buffer) } catch {
            guard case .failed(let code) = error else { throw error }
            throw Self.failure(code)
        }
        size += buffer.count
        buffer.removeAll(keepingCapacity: true)
    }

    /// Hands each row to `body`, with what becomes of it in `plan`.
    func forEach(of plan: Plan, _ body: (Plan.Entry) throws -> Void) throws {
        try flush()
        var rows = SavedRows(JSONLines(PieceSource(file, size: size), name: "the plan"))
        while let row = try rows.next() { try body(plan.settled(row)) }
    }
}

/// What was written to a file, read from its beginning.
private final class PieceSource: ByteSource {
    private let file: Descriptor
    private let size: Int
    private let place = Mutex(0)

    init(_ file: Descriptor, size: Int) { (self.file, self.size) = (file, size) }

    func read(_ limit: Int) throws -> [UInt8] {
        try place.withLock { place in
            let wanted = min(limit, size - place)
            guard wanted > 0 else { return [] }
            var code: Int32 = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, count in
                let got = pread(file.number, buffer.baseAddress, wanted, off_t(place))
                code = got < 0 ? errno : 0
                count = max(0, got)
            }
            guard code == 0, !bytes.isEmpty else { throw CommandFailure.unreadable("the plan", code == 0 ? EIO : code) }
            place += bytes.count
            return bytes
        }
    }
}

/// The rows of a plan as a file has them, read as they are asked for.
struct SavedRows {
    private var lines: JSONLines

    init(_ lines: JSONLines) { self.lines = lines }

    /// The next row; `nil` at the end.
    ///
    /// - Throws: ``CommandFailure`` for what is no row.
    mutating func next() throws -> Plan.Entry? {
        guard let json = try lines.nextValue() else { return nil }
        guard let entry = Plan.Entry(jsonValue: json) else {
            throw CommandFailure(.invalidData, "\(lines.name): a line is not a row of a plan; plan again")
        }
        return entry
    }
}
