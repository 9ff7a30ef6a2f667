import Foundation
import Synchronization

/// What a worker process writes to its standard output and error: passed on line by line, up to a limit an item.
///
/// It is read whatever becomes of it, so a worker never waits for anybody to look.
final class WorkerOutput: Sendable {
    /// The most bytes that are passed on of one item.
    static let limit = 1 << 20
    private static let longestLine = 64 << 10
    private static let tailLength = 4_096

    private struct State {
        var line: [UInt8] = []
        var tail: [UInt8] = []
        var passed = 0
    }

    private let source: Descriptor
    private let sink: @Sendable (String) -> Void
    private let state = Mutex(State())
    private let ended = DispatchSemaphore(value: 0)

    init(_ source: Descriptor, process: Int32, sink: @escaping @Sendable (String) -> Void) {
        self.source = source
        self.sink = sink
        let reader = Thread { [self] in read(process) }
        reader.name = "assay-output"
        reader.stackSize = 512 << 10
        reader.start()
    }

    /// Lets as much again pass.
    func beginItem() { state.withLock { $0.passed = 0 } }

    /// The last 4 KiB of a worker that has ended.
    var tail: String {
        // What it wrote last may still be on its way; who escaped from it may hold the pipe open.
        if ended.wait(timeout: .now() + 0.2) == .success { ended.signal() }
        return state.withLock { String(decoding: $0.tail, as: UTF8.self) }
    }

    private func read(_ process: Int32) {
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Foundation.read(source.number, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            for line in take(chunk[..<count], process) { sink(line) }
        }
        let last = state.withLock { state in
            defer { state.line = [] }
            return state.line
        }
        if !last.isEmpty { sink(Self.shown(last[...])) }
        ended.signal()
    }

    /// The whole lines that are to be passed on.
    private func take(_ bytes: ArraySlice<UInt8>, _ process: Int32) -> [String] {
        state.withLock { state in
            state.tail = Array((state.tail + bytes.suffix(Self.tailLength)).suffix(Self.tailLength))
            guard state.passed <= Self.limit else { return [] }
            state.passed += bytes.count
            guard state.passed <= Self.limit else {
                state.line = []
                return [
                    "worker \(process) writes more than \(Self.limit >> 20) MiB for one item; the rest is not shown"
                ]
            }
            var lines: [String] = []
            for piece in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast() {
                lines.append(Self.shown(state.line[...] + piece))
                state.line = []
            }
            let end = bytes.lastIndex(of: UInt8(ascii: "\n")).map { bytes[($0 + 1)...] } ?? bytes
            state.line += end
            if state.line.count > Self.longestLine {
                lines.append(Self.shown(state.line[...]))
                state.line = []
            }
            return lines
        }
    }

    /// A line without anything that a terminal would obey.
    private static func shown(_ line: ArraySlice<UInt8>) -> String {
        var text = ""
        for scalar in String(decoding: line, as: UTF8.self).unicodeScalars {
            switch scalar.value {
            case 0x09: text.unicodeScalars.append(scalar)
            case 0..<0x20, 0x7F..<0xA0, 0x202A...0x202E, 0x2066...0x2069:
                text += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    /// Writes a line to this program's standard error.
    static func toStandardError(_ line: String) {
        var bytes = Array(line.utf8)
        bytes.append(UInt8(ascii: "\n"))
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                Foundation.write(STDERR_FILENO, $0.baseAddress?.advanced(by: written), bytes.count - written)
            }
            guard count > 0 else { return }
            written += count
        }
    }
}
