import Foundation
import Logging
import Synchronization

/// The standard output and error of a worker process, passed on line by line, up to a limit per item.
///
/// It is always read, so a worker never waits for a reader.
final class WorkerOutput: Sendable {
    /// The most bytes that are passed on for one item.
    static let limit = 1 << 20
    private static let longestLine = 64 << 10
    private static let tailLength = 4_096

    private struct State {
        var line: [UInt8] = []
        /// The context of the item at work.
        var context: Context?
        var tail: [UInt8] = []
        var passed = 0
        var stream: SecretStream
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        var isOver = false
    }

    /// A whole line and the context of its item.
    private typealias Line = (text: String, context: Context?)

    private let source: Descriptor
    private let process: Int32
    private let sink: @Sendable (String) -> Void
    private let state: Mutex<State>
    private let outlet = DispatchQueue(label: "assay.output")
    private let ended = DispatchSemaphore(value: 0)

    /// - Parameters:
    ///   - filter: hides secrets in all of it.
    ///   - sink: receives each line, in addition to the log of the run that it belongs to.
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

    /// Resets the limit. From now on, lines belong to the item of `context`.
    func beginItem(_ context: Context) {
        state.withLock { ($0.passed, $0.context) = (0, context) }
    }

    /// Reads what the worker has written about its item so far. From now on, lines belong to no item.
    func endItem() {
        var waiting: Int32 = 0
        // Only what is in the pipe now: a worker may keep writing forever.
        if ioctl(source.number, UInt(FIONREAD), &waiting) == 0 { _ = takeAll(atMost: Int(waiting)) }
        state.withLock { state in
            // A line without an end still belongs to this item.
            tell(take(state.stream.finish()[...], &state) + rest(&state))
            state.context = nil
        }
    }

    /// The last 4 KiB of output of a worker that has ended, with secrets hidden.
    var tail: String {
        // Its last output may still be on its way. A process that escaped from it may hold the pipe open.
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

    /// Reads what is available now; returns `false` when nothing more will come.
    private func takeAll(atMost limit: Int = .max) -> Bool {
        // Passed on under the lock: of two readers, neither overtakes the other's lines.
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

    /// Returns the line that has no end yet.
    private func rest(_ state: inout State) -> [Line] {
        defer { state.line = [] }
        return state.line.isEmpty ? [] : [(Self.shown(state.line[...]), state.context)]
    }

    private func tell(_ lines: [Line]) {
        for line in lines {
            // On a queue of its own: the sink may be slow.
            outlet.async { [sink] in sink(line.text) }
            if let context = line.context { context.desk.say(line.text, at: .info, from: .stderr, in: context) }
        }
    }

    /// Returns the whole lines that are to be passed on.
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

    /// Returns a line without anything that a terminal would interpret.
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
