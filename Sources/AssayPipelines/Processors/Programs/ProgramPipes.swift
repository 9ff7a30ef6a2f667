import Assay
import Foundation
import Logging
import Synchronization

/// The three pipes of a program, served by a thread of their own so that nobody ever waits for the program to read or
/// to be quiet.
///
/// What is written is kept until the program takes it. What it writes is kept until somebody takes it, and no more is
/// read from it when that becomes much. What it says on its error stream is read at once and all but the end forgotten.
final class ProgramPipes: Sendable {
    /// What is read from a program.
    enum Reading: Sendable {
        /// A line at a time, without its end.
        case lines
        /// Everything up to the end, as one.
        case whole
    }

    /// What comes out of a program.
    enum Piece: Sendable {
        /// A line, or all of the output.
        case output([UInt8])
        /// More than ``ProgramPipes/maximumBytes`` in one piece, with its beginning; nothing follows.
        case tooLong([UInt8])
        /// Nothing more will come.
        case end
    }

    /// The longest line, and the longest output.
    static let maximumBytes = 16 << 20
    /// What a line costs besides its bytes.
    private static let overhead = 64
    /// How many bytes of its error stream are kept for messages.
    static let keptBytes = 4_096

    private struct State {
        var outgoing: [ArraySlice<UInt8>] = []
        /// How many bytes were handed over to be written, and how many the pipe took.
        var given = 0
        var sent = 0
        /// How many the program had taken when its input was closed.
        var takenAtClose: Int?
        var closesInput = false
        var isClosed = false
        var pieces: [Piece] = []
        var pending = 0
        var waiter: CheckedContinuation<Void, Never>?
        var errorEnd: [UInt8] = []
        var isEnding = false
        /// For whom the program works; `nil` between two requests.
        var context: Context?
        /// Whose lines come when it works for nobody: its run and processor.
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

    private let handed: Mutex<[Descriptor]>

    /// What becomes the program's descriptors 0, 1 and 2.
    var ends: [Descriptor?] { handed.withLock { $0 } }

    /// Pipes for a program that is to be started.
    ///
    /// - Parameters:
    ///   - filter: hides secrets in what the program says on its error stream, before anything of it is forgotten.
    ///   - context: for whom the program is started, and speaks until its first request has ended.
    /// - Throws: ``ProcessingError`` with code `runner_unavailable` when there are no descriptors left.
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
            // Ours alone: the program's ends are descriptions of their own and stay as it expects them.
            _ = fcntl(descriptor.number, F_SETFL, fcntl(descriptor.number, F_GETFL) | O_NONBLOCK)
        }
    }

    /// Begins to serve the pipes of a program that has been started.
    func begin() {
        // Held by us as well, they would never end.
        handed.withLock { $0 = [] }
        let thread = Thread { [self] in serve() }
        thread.name = "assay-program"
        thread.stackSize = 512 << 10
        thread.start()
    }

    // MARK: The engine's side

    /// Says for whom the program works from now on: what it says is kept for that item, and for nobody else's message.
    ///
    /// - Parameter isFirst: whether it has not worked before, so that all it said is about this.
    func beginRequest(of context: Context, isFirst: Bool) {
        state.withLock { state in
            state.context = context
            if !isFirst { state.errorEnd = [] }
        }
    }

    /// Says that the program has answered, or never will.
    func endRequest() { state.withLock { $0.context = nil } }

    /// Hands bytes over to be written when the program reads.
    func write(_ bytes: [UInt8]) {
        state.withLock { state in
            state.outgoing.append(bytes[...])
            state.given += bytes.count
        }
        ring()
    }

    /// How many bytes were handed over to be written so far.
    var given: Int { state.withLock { $0.given } }

    /// How many bytes the program has taken of what was written to it.
    var taken: Int { state.withLock { taken($0) } }

    private func taken(_ state: borrowing State) -> Int {
        if let taken = state.takenAtClose { return taken }
        var waiting: Int32 = 0
        // What lies in the pipe was written and not read.
        guard ioctl(input.number, UInt(FIONREAD), &waiting) == 0 else { return 0 }
        return state.sent - Int(waiting)
    }

    /// Has no more to do with the program: ``next()`` tells the end.
    func close() {
        let waiter = state.withLock { state in
            state.isClosed = true
            state.pieces = [.end]
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
        ring()
    }

    /// Closes the program's input once everything is written.
    func closeInput() {
        state.withLock { $0.closesInput = true }
        ring()
    }

    /// Says that the program has ended: what it wrote until then is read, and no end of a pipe is waited for.
    func programHasEnded() {
        state.withLock { $0.isEnding = true }
        ring()
    }

    /// The next piece of the output; for one caller at a time.
    func next() async -> Piece {
        while true {
            if let (piece, wasFull) = take() {
                if wasFull { ring() }
                return piece
            }
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    guard state.pieces.isEmpty else { return true }
                    state.waiter = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        }
    }

    private func take() -> (Piece, wasFull: Bool)? {
        state.withLock { state in
            guard let piece = state.pieces.first else { return nil }
            // The end stays for the next caller.
            if case .output(let bytes) = piece {
                state.pieces.removeFirst()
                defer { state.pending -= bytes.count + Self.overhead }
                return (piece, state.pending > Self.maximumBytes)
            }
            return (piece, false)
        }
    }

    /// The end of what the program said on its error stream, as text without white space around it.
    var errorEnd: String {
        let bytes = state.withLock { $0.errorEnd.suffix(Self.keptBytes) }
        // A character that was cut at the beginning is left out.
        let whole = bytes.drop { $0 & 0xC0 == 0x80 }
        return String(decoding: whole, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func ring() {
        var byte: UInt8 = 0
        // A bell that is full rings already.
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
            // A program that has ended wrote what it wrote: what is not there now will not come.
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
                    // What was said before the answer is known before it is.
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
            // With the output full, taking from it rings the bell and the rest is read then.
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

    /// Writing to a program that is gone is an error of the write, not a signal that ends this program.
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

    /// How many bytes were read, 0 at the end; `nil` when there are none now.
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
                // Nobody reads any more; that is for the program's end to tell.
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
        let waiter = state.withLock { state in
            guard !state.isClosed else { return CheckedContinuation<Void, Never>?.none }
            for piece in pieces {
                if case .output(let bytes) = piece { state.pending += bytes.count + Self.overhead }
                state.pieces.append(piece)
            }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Takes what was said on the error stream.
    private func hear(_ bytes: ArraySlice<UInt8>, _ said: inout SecretStream, _ lines: inout ErrorLines) {
        let speaker = state.withLock { $0.context ?? $0.starter.withoutItem }
        if lines.isOther(speaker) {
            // What was held back is the other's, too.
            take(said.finish(), &lines)
            lines.change(to: speaker)
        }
        take(said.read(bytes), &lines)
    }

    /// Takes what was said, secrets hidden.
    private func take(_ bytes: [UInt8], _ lines: inout ErrorLines) {
        keep(bytes[...])
        lines.read(bytes[...])
    }

    /// Takes what lies in the error stream now.
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

/// Cuts output into pieces.
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

    /// What remains when nothing more comes.
    mutating func finish() -> [ProgramPipes.Piece] {
        guard !isOver else { return [] }
        isOver = true
        // A last line need not have an end.
        return (rest.isEmpty && reading == .lines ? [] : [.output(rest)]) + [.end]
    }
}

/// Cuts the error stream into lines, which are kept for the item in whose work they are said.
private struct ErrorLines {
    /// How much of a program's error stream is kept of one attempt.
    private static let keptBytes = 1 << 20

    private var rest: [UInt8] = []
    /// Who speaks.
    private(set) var speaker: Context
    private var kept = 0

    init(_ speaker: Context) { self.speaker = speaker }

    /// Whether somebody else speaks now.
    func isOther(_ context: Context) -> Bool {
        (context.inputID, context.attempt) != (speaker.inputID, speaker.attempt)
    }

    /// Ends the line of the last speaker, whose words never stand beside another's.
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
