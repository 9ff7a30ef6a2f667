import Assay
import AssayPipelines

/// The items that JSON lines write, read as they are asked for; empty lines are passed over.
struct JSONLines: Sendable {
    /// What the user calls the source.
    let name: String
    private let source: any ByteSource
    private var buffer: [UInt8] = []
    private var start = 0
    private var searched = 0
    private var isAtEnd = false
    private var line = 0

    /// Longer lines are refused.
    static let longestLine = 16 << 20

    init(_ source: any ByteSource, name: String) {
        self.source = source
        self.name = name
    }

    /// The next item, which `position` names when it does not name itself.
    ///
    /// - Throws: ``CommandFailure`` naming file and line for a line that is not an item.
    mutating func next(position: Int) throws -> Item? {
        guard let json = try nextValue() else { return nil }
        do { return try Item(json: json, position: position) } catch { throw refused(error.message) }
    }

    /// The item of a value that this gave.
    ///
    /// - Parameters:
    ///   - file: makes the file of what stands under `file`.
    ///   - name: the name of an item that is a file and does not name itself.
    func item(
        _ json: JSONValue, position: Int, file: (JSONValue) -> InputFile?, name: (InputFile) -> String
    ) throws -> Item {
        do { return try Item(json: json, position: position, file: file, name: name) } catch {
            throw refused(error.message)
        }
    }

    /// The value of the next line, whatever it is.
    mutating func nextValue() throws -> JSONValue? {
        while let bytes = try nextLine() {
            guard bytes.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) else { continue }
            do { return try JSONValue(json: bytes) } catch { throw refused("not valid JSON: \(error)") }
        }
        return nil
    }

    private func refused(_ reason: String) -> CommandFailure {
        CommandFailure(.invalidData, "\(name):\(line): \(reason)")
    }

    private mutating func nextLine() throws -> ArraySlice<UInt8>? {
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { (start, searched) = (end + 1, end + 1) }
                line += 1
                return buffer[start..<end]
            }
            guard !isAtEnd else {
                guard start < buffer.count else { return nil }
                defer { (start, searched) = (buffer.count, buffer.count) }
                line += 1
                return buffer[start...]
            }
            buffer.removeSubrange(..<start)
            (start, searched) = (0, buffer.count)
            guard buffer.count <= Self.longestLine else {
                line += 1
                throw refused("the line is longer than 16 MiB")
            }
            let more = try source.read(65_536)
            isAtEnd = more.isEmpty
            buffer += more
        }
    }
}
