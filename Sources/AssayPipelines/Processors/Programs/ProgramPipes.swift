import Assay
import Foundation
import Logging
import Synchronization

/// The three pipes of a program, served by a dedicated thread so that no one ever waits for the program to read or to
/// stop writing.
///
/// Input is kept until the program takes it. Output is kept until a caller takes it, and reading pauses when much of it
/// is pending. The error stream is read at once, and only its end is kept for messages.
final class ProgramPipes: Sendable {
    /// The way to read a program's output.
    enum Reading: Sendable {
        /// One line at a time, without its end.
        case lines
        /// Everything up to the end, as one piece.
        case whole
    }

    /// A piece of a program's output.
    enum Piece: Sendable {
        /// A line, or all of the output.
        case output([UInt8])
        /// A piece longer than ``ProgramPipes/maximumBytes``, given by its beginning; nothing follows.
        case tooLong([UInt8])
        /// The end of the output.
        case end
    }

    /// The largest line and the largest output, in bytes.
    static let maximumBytes = 16 << 20
    /// The cost of a pending line besides its bytes.
    private static let overhead = 64
    /// The number of bytes of the error stream to keep for messages.
    static let keptBytes = 4_096

    private struct State {
        var outgoing: [ArraySlice<UInt8>] = []
        /// The number of bytes queued for the program, and the number that the pipe has accepted.
        var given = 0
        var sent = 0
        /// The number of bytes that the program had read when its input was closed.
        var takenAtClose: Int?
        var closesInput = false
        var isClosed = false
        var pieces: [Piece] = []
        var pending = 0
        var errorEnd: [UInt8] = []
        var isEnding = false
        /// The context of the current request; `nil` between two requests.
        var context: Context?
        /// The context for lines between requests, without an item: its run and processor.
        let starter: Context

        init(context: Context) { (self.context, starter) = (context, context) }
    }

    private let reading: Reading
    private let input: Descriptor
    private let output: Descriptor
    private let errors: Descriptor
    private let bell: (read: Descriptor, write: Descriptor)
    private let filter: SecretFilter
    private let state: Mutex<State>
    private let arrivals = Signal()

    private let handed: Mutex<[Descriptor]>

    /// The program's descriptors 0, 1 and 2.
    var ends: [Descriptor?] { handed.withLock { $0 } }

    /// Creates the pipes of a program that is about to be started.
    ///
    /// - Parameters:
    ///   - filter: hides secrets in the error stream, before any of it is dropped.
    ///   - context: the context in which the program starts, used for its error stream until its first request has
    ///     ended.
    /// - Throws: ``ProcessingError`` with code `runner_unavailable` if no descriptors are left.
    init(
        reading: Reading, hiding filter: SecretFilter, in context: Context
    ) throws(ProcessingError) {
        let (input, output, errors) = (try Descriptor.pipe(), try Descriptor.pipe(), try Descriptor.pipe())
        bell = try Descriptor.pipe()
        (self.reading, self.filter) = (reading, filter)
        state = Mutex(State(context: context))
        (self.input, self.output, self.errors) = (input.write, output.read, errors.read)
        handed = Mutex([input.read, output.write, errors.write])
        for descriptor in [input.write, output.read, errors.read, bell.read, bell.write] {
            // Only for our ends. The program's ends are separate descriptions and stay as it expects them.
            _ = fcntl(descriptor.number, F_SETFL, fcntl(descriptor.number, F_GETFL) | O_NONBLOCK)
        }
    }

    /// Starts serving the pipes of a program that has started.
    func begin() {
        // If we kept them open as well, the pipes would never end.
        handed.withLock { $0 = [] }
        let thread = Thread { [self] in serve() }
        thread.name = "assay-program"
        thread.stackSize = 512 << 10
        thread.start()
    }

    // MARK: The engine's side

    /// Sets the context that the program works for from now on. Its error stream is kept for that item and appears in
    /// no other item's message.
    ///
    /// - Parameter isFirst: whether this is its first request, so that all its output so far belongs to it.
    func beginRequest(of context: Context, isFirst: Bool) {
        state.withLock { state in
            state.context = context
            if !isFirst { state.errorEnd = [] }
        }
    }

    /// Records that the program has answered or never will.
    func endRequest() { state.withLock { $0.context = nil } }

    /// Queues bytes to be written when the program reads.
    func write(_ bytes: [UInt8]) {
        state.withLock { state in
            state.outgoing.append(bytes[...])
            state.given += bytes.count
        }
        ring()
    }

    /// The number of bytes queued so far.
    var given: Int { state.withLock { $0.given } }

    /// The number of bytes that the program has read.
    var taken: Int { state.withLock { taken($0) } }

    private func taken(_ state: borrowing State) -> Int {
        if let taken = state.takenAtClose { return taken }
        var waiting: Int32 = 0
        // Bytes in the pipe were written and not read.
        guard ioctl(input.number, UInt(FIONREAD), &waiting) == 0 else { return 0 }
        return state.sent - Int(waiting)
    }

    /// Stops serving callers: ``next()`` returns the end from now on.
    func close() {
        state.withLock { state in
            state.isClosed = true
            state.pieces = [.end]
        }
        arrivals.raise()
        ring()
    }

    /// Closes the program's input once everything is written.
    func closeInput() {
        state.withLock { $0.closesInput = true }
        ring()
    }

    /// Records that the program has ended. Its output until then is still read, without waiting for the pipes to end.
    func programHasEnded() {
        state.withLock { $0.isEnding = true }
        ring()
    }

    /// Returns the next piece of the output. Only one caller may wait at a time.
    func next() async -> Piece {
        while true {
            if let (piece, wasFull) = take() {
                if wasFull { ring() }
                return piece
            }
            await arrivals.waitUncancelled { state.withLock { !$0.pieces.isEmpty } }
        }
    }

    private func take() -> (Piece, wasFull: Bool)? {
        state.withLock { state in
            guard let piece = state.pieces.first else { return nil }
            // The end stays for later callers.
            if case .output(let bytes) = piece {
                state.pieces.removeFirst()
                defer { state.pending -= bytes.count + Self.overhead }
                return (piece, state.pending > Self.maximumBytes)
            }
            return (piece, false)
        }
    }

    /// The end of the error stream as text, trimmed of white space.
    var errorEnd: String {
        let bytes = state.withLock { $0.errorEnd.suffix(Self.keptBytes) }
        // Drop a character that was cut at the beginning.
        let whole = bytes.drop { $0 & 0xC0 == 0x80 }
        return String(decoding: whole, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func ring() {
        var byte: UInt8 = 0
        // A full bell pipe already wakes the thread.
        _ = Foundation.write(bell.write.number, &byte, 1)
    }

    // MARK: The thread's side

    private func serve() {
        var reader = OutputReader(reading)
        var errorLines = ErrorLines(state.withLock { $0.starter })
        var said = SecretStream(filter)
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var (outputIsOpen, errorsAreOpen) = (true, true)
        blockBrokenPipes()
        while true {
            let wants = state.withLock { state in
                (
                    write: !state.outgoing.isEmpty, read: outputIsOpen && state.pending <= Self.maximumBytes,
                    ending: state.isEnding, closed: state.isClosed && state.isEnding
                )
            }
            if wants.closed || !(outputIsOpen || errorsAreOpen || wants.write) { break }
            var polled = [
                pollfd(fd: bell.read.number, events: Int16(POLLIN), revents: 0),
                pollfd(fd: wants.write ? input.number : -1, events: Int16(POLLOUT), revents: 0),
                pollfd(fd: wants.read ? output.number : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: errorsAreOpen ? errors.number : -1, events: Int16(POLLIN), revents: 0),
            ]
            // A program that has ended has written everything: what is not in the pipe now will not come.
            let ready = poll(&polled, nfds_t(polled.count), wants.ending ? 0 : -1)
            if ready < 0, errno == EINTR { continue }
            if polled[0].revents != 0 { while read(bell.read.number, &buffer, buffer.count) > 0 {} }
            if wants.write { writeSome() } else { closeInputIfAsked() }
            var gotSomething = false
            if wants.read {
                switch fill(&buffer, from: output) {
                case .some(0): outputIsOpen = false
                case .some(let count):
                    gotSomething = true
                    let pieces = reader.read(buffer[..<count])
                    // Error lines written before an answer must be known before the answer is.
                    if errorsAreOpen { hearAll(&said, &errorLines, &buffer) }
                    deliver(pieces)
                    if case .tooLong = pieces.last { outputIsOpen = false }
                case nil: break
                }
                if !outputIsOpen { deliver(reader.finish()) }
            }
            if errorsAreOpen {
                switch fill(&buffer, from: errors) {
                case .some(0):
                    errorsAreOpen = false
                    take(said.finish(), &errorLines)
                case .some(let count):
                    gotSomething = true
                    hear(buffer[..<count], &said, &errorLines)
                case nil: break
                }
            }
            // When the output is full, the caller that takes a piece rings, and the rest is read then.
            let isFull = outputIsOpen && !wants.read
            if wants.ending, !gotSomething {
                if !isFull { break }
                waitForBell()
            }
        }
        take(said.finish(), &errorLines)
        errorLines.finish()
        if outputIsOpen { deliver(reader.finish()) }
        state.withLock { state in
            state.outgoing = []
            closeInput(&state)
        }
        output.close()
        errors.close()
    }

    /// Blocks SIGPIPE, so that writing to a dead program fails the write and does not end this program.
    private func blockBrokenPipes() {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    private func waitForBell() {
        var polled = pollfd(fd: bell.read.number, events: Int16(POLLIN), revents: 0)
        _ = poll(&polled, 1, -1)
    }

    /// Returns the number of bytes read, 0 at the end; `nil` if there are none now.
    private func fill(_ buffer: inout [UInt8], from descriptor: Descriptor) -> Int? {
        let count = read(descriptor.number, &buffer, buffer.count)
        if count < 0 { return errno == EAGAIN || errno == EINTR ? nil : 0 }
        return count
    }

    private func writeSome() {
        guard let bytes = state.withLock({ $0.outgoing.first }) else { return }
        let count = bytes.withUnsafeBytes { Foundation.write(input.number, $0.baseAddress, $0.count) }
        let code = errno
        state.withLock { state in
            if count < 0 {
                // The reader is gone. The program's end will report that.
                if code != EAGAIN, code != EINTR { state.outgoing = [] }
                return
            }
            state.sent += count
            let rest = bytes.dropFirst(count)
            if rest.isEmpty { state.outgoing.removeFirst() } else { state.outgoing[0] = rest }
        }
        closeInputIfAsked()
    }

    private func closeInputIfAsked() {
        state.withLock { state in
            if state.closesInput, state.outgoing.isEmpty { closeInput(&state) }
        }
    }

    private func closeInput(_ state: inout State) {
        guard state.takenAtClose == nil else { return }
        state.takenAtClose = taken(state)
        input.close()
    }

    private func deliver(_ pieces: [Piece]) {
        guard !pieces.isEmpty else { return }
        state.withLock { state in
            guard !state.isClosed else { return }
            for piece in pieces {
                if case .output(let bytes) = piece { state.pending += bytes.count + Self.overhead }
                state.pieces.append(piece)
            }
        }
        arrivals.raise()
    }

    /// Handles bytes of the error stream.
    private func hear(_ bytes: ArraySlice<UInt8>, _ said: inout SecretStream, _ lines: inout ErrorLines) {
        let speaker = state.withLock { $0.context ?? $0.starter.withoutItem }
        if lines.isOther(speaker) {
            // Bytes that were held back belong to the previous speaker, too.
            take(said.finish(), &lines)
            lines.change(to: speaker)
        }
        take(said.read(bytes), &lines)
    }

    /// Handles bytes of the error stream whose secrets are hidden.
    private func take(_ bytes: [UInt8], _ lines: inout ErrorLines) {
        keep(bytes[...])
        lines.read(bytes[...])
    }

    /// Handles everything in the error stream now.
    private func hearAll(_ said: inout SecretStream, _ lines: inout ErrorLines, _ buffer: inout [UInt8]) {
        var waiting: Int32 = 0
        guard ioctl(errors.number, UInt(FIONREAD), &waiting) == 0 else { return }
        var left = Int(waiting)
        while left > 0, let count = fill(&buffer, from: errors), count > 0 {
            hear(buffer[..<count], &said, &lines)
            left -= count
        }
    }

    private func keep(_ bytes: ArraySlice<UInt8>) {
        state.withLock { state in
            state.errorEnd += bytes.suffix(Self.keptBytes)
            if state.errorEnd.count > 16 * Self.keptBytes {
                state.errorEnd.removeFirst(state.errorEnd.count - Self.keptBytes)
            }
        }
    }
}

/// A splitter of output into pieces.
private struct OutputReader {
    private let reading: ProgramPipes.Reading
    private var rest: [UInt8] = []
    private var isOver = false

    init(_ reading: ProgramPipes.Reading) { self.reading = reading }

    mutating func read(_ bytes: ArraySlice<UInt8>) -> [ProgramPipes.Piece] {
        guard !isOver else { return [] }
        var pieces: [ProgramPipes.Piece] = []
        var bytes = bytes
        if reading == .lines {
            while let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
                guard rest.count + (end - bytes.startIndex) <= ProgramPipes.maximumBytes else { break }
                pieces.append(.output(rest + bytes[..<end]))
                rest = []
                bytes = bytes[(end + 1)...]
            }
        }
        rest += bytes
        if rest.count > ProgramPipes.maximumBytes {
            isOver = true
            pieces.append(.tooLong(Array(rest.prefix(1_024))))
            rest = []
        }
        return pieces
    }

    /// Returns the remaining pieces at the end of the output.
    mutating func finish() -> [ProgramPipes.Piece] {
        guard !isOver else { return [] }
        isOver = true
        // The last line need not have a line break.
        return (rest.isEmpty && reading == .lines ? [] : [.output(rest)]) + [.end]
    }
}

/// A splitter of the error stream into lines, each kept for the item during whose work it was written.
private struct ErrorLines {
    /// The number of bytes of the error stream to keep for one attempt.
    private static let keptBytes = 1 << 20

    private var rest: [UInt8] = []
    /// The context whose lines are being read.
    private(set) var speaker: Context
    private var kept = 0

    init(_ speaker: Context) { self.speaker = speaker }

    /// Returns whether `context` is of another item or attempt than the current speaker.
    func isOther(_ context: Context) -> Bool {
        (context.inputID, context.attempt) != (speaker.inputID, speaker.attempt)
    }

    /// Ends the line of the previous speaker, so that lines of two speakers never mix.
    mutating func change(to context: Context) {
        finish()
        (speaker, kept) = (context, 0)
    }

    mutating func read(_ bytes: ArraySlice<UInt8>) {
        var bytes = bytes
        while let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
            say(rest + bytes[..<end])
            bytes = bytes[(end + 1)...]
        }
        rest += bytes
        if rest.count > ProgramLog.maximumBytes { say(rest) }
    }

    mutating func finish() { if !rest.isEmpty { say(rest) } }

    private mutating func say(_ line: [UInt8]) {
        rest = []
        guard kept <= Self.keptBytes else { return }
        kept += line.count + 1
        let text = String(decoding: line.prefix(ProgramLog.maximumBytes), as: UTF8.self)
        speaker.desk.say(text, at: .info, from: .stderr, in: speaker)
        if kept > Self.keptBytes {
            let end = "what follows on the error stream is not kept: it is more than \(Self.keptBytes >> 20) MiB"
            speaker.desk.say(end, at: .warning, from: .log, in: speaker)
        }
    }
}
