import Assay
import AssayPipelines

/// The items in JSON lines, read on demand; empty lines are skipped.
struct JSONLines: Sendable {
    /// The user's name for the source.
    let name: String
    private let source: any ByteSource
    private var buffer: [UInt8] = []
    private var start = 0
    private var searched = 0
    private var isAtEnd = false
    private var line = 0

    /// The longest line, in bytes. Longer ones are refused.
    static let longestLine = 16 << 20

    init(_ source: any ByteSource, name: String) {
        self.source = source
        self.name = name
    }

    /// Returns the next item; `position` names it if it has no name of its own.
    ///
    /// - Throws: ``CommandFailure`` with file and line for a line that is not an item.
    mutating func next(position: Int) throws -> Item? {
        guard let json = try nextValue() else { return nil }
        do { return try Item(json: json, position: position) } catch { throw refused(error.message) }
    }

    /// Returns the item of a value from ``nextValue()``.
    ///
    /// - Parameters:
    ///   - file: makes the file from the value under `file`.
    ///   - name: returns the name of an item that is a file and has no name of its own.
    func item(
        _ json: JSONValue, position: Int, file: (JSONValue) -> InputFile?, name: (InputFile) -> String
    ) throws -> Item {
        do { return try Item(json: json, position: position, file: file, name: name) } catch {
            throw refused(error.message)
        }
    }

    /// Returns the value of the next line, of any kind.
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
