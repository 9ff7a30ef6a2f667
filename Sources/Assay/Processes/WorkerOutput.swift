import Foundation
import Logging
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
        /// For whom the worker works.
        var context: Context?
        var tail: [UInt8] = []
        var passed = 0
        var stream: SecretStream
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        var isOver = false
    }

    /// A whole line, and for whom it was said.
    private typealias Line = (text: String, context: Context?)

    private let source: Descriptor
    private let process: Int32
    private let sink: @Sendable (String) -> Void
    private let state: Mutex<State>
    private let outlet = DispatchQueue(label: "assay.output")
    private let ended = DispatchSemaphore(value: 0)

    /// - Parameters:
    ///   - filter: hides secrets in all of it.
    ///   - sink: takes each line, besides the record of the run it is said in.
    init(
        _ source: Descriptor, process: Int32, hiding filter: SecretFilter, sink: @escaping @Sendable (String) -> Void
    ) {
        self.source = source
        self.process = process
        self.sink = sink
        state = Mutex(State(stream: SecretStream(filter)))
        _ = fcntl(source.number, F_SETFL, fcntl(source.number, F_GETFL) | O_NONBLOCK)
        let reader = Thread { [self] in read() }
        reader.name = "assay-output"
        reader.stackSize = 512 << 10
        reader.start()
    }

    /// Lets as much again pass; from now on lines are of the item of `context`.
    func beginItem(_ context: Context) {
        state.withLock { ($0.passed, $0.context) = (0, context) }
    }

    /// Takes what the worker has written about its item so far; from now on lines are nobody's.
    func endItem() {
        var waiting: Int32 = 0
        // No more than lies there now: a worker may go on writing for ever.
        if ioctl(source.number, UInt(FIONREAD), &waiting) == 0 { _ = takeAll(atMost: Int(waiting)) }
        state.withLock { state in
            // A line without an end is of this item all the same.
            tell(take(state.stream.finish()[...], &state) + rest(&state))
            state.context = nil
        }
    }

    /// The last 4 KiB of a worker that has ended, secrets hidden.
    var tail: String {
        // What it wrote last may still be on its way; who escaped from it may hold the pipe open.
        if ended.wait(timeout: .now() + 0.2) == .success { ended.signal() }
        return state.withLock { String(decoding: $0.tail, as: UTF8.self) }
    }

    private func read() {
        repeat {
            var polled = pollfd(fd: source.number, events: Int16(POLLIN), revents: 0)
            _ = poll(&polled, 1, -1)
        } while takeAll()
        ended.signal()
    }

    /// Takes what there is to be read now; `false` when nothing more will come.
    private func takeAll(atMost limit: Int = .max) -> Bool {
        // Told while it is locked: of two who read, nobody passes the other's lines.
        state.withLock { state in
            var left = limit
            while !state.isOver, left > 0 {
                let count = state.chunk.withUnsafeMutableBytes {
                    Foundation.read(source.number, $0.baseAddress, $0.count)
                }
                if count < 0, errno == EINTR { continue }
                if count < 0, errno == EAGAIN || errno == EWOULDBLOCK { return true }
                guard count > 0 else {
                    state.isOver = true
                    tell(take(state.stream.finish()[...], &state) + rest(&state))
                    break
                }
                left -= count
                let shown = state.stream.read(state.chunk[..<count])
                tell(take(shown[...], &state))
            }
            return !state.isOver
        }
    }

    /// The line that has no end.
    private func rest(_ state: inout State) -> [Line] {
        defer { state.line = [] }
        return state.line.isEmpty ? [] : [(Self.shown(state.line[...]), state.context)]
    }

    private func tell(_ lines: [Line]) {
        for line in lines {
            // On a task of its own, since the sink may be slow.
            outlet.async { [sink] in sink(line.text) }
            if let context = line.context { context.desk.say(line.text, at: .info, from: .stderr, in: context) }
        }
    }

    /// The whole lines that are to be passed on.
    private func take(_ bytes: ArraySlice<UInt8>, _ state: inout State) -> [Line] {
        guard !bytes.isEmpty else { return [] }
        state.tail = Array((state.tail + bytes.suffix(Self.tailLength)).suffix(Self.tailLength))
        guard state.passed <= Self.limit else { return [] }
        state.passed += bytes.count
        guard state.passed <= Self.limit else {
            state.line = []
            let message =
                "worker \(process) writes more than \(Self.limit >> 20) MiB for one item; the rest is not shown"
            return [(message, state.context)]
        }
        var lines: [Line] = []
        func end(_ line: ArraySlice<UInt8>) {
            lines.append((Self.shown(line), state.context))
            state.line = []
        }
        for piece in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast() {
            end(state.line[...] + piece)
        }
        let rest = bytes.lastIndex(of: UInt8(ascii: "\n")).map { bytes[($0 + 1)...] } ?? bytes
        state.line += rest
        if state.line.count > Self.longestLine { end(state.line[...]) }
        return lines
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
