public import Logging
import Synchronization

/// A value on its way through a pipe, as taps see it.
public struct TappedValue: Hashable, Sendable {
    /// The pipe: `a:output->b:input`.
    public let pipe: String
    /// The item it belongs to.
    public let inputID: String
    /// The value.
    public let value: JSONValue
    /// The time when it entered the pipe.
    public let timestamp: Timestamp

    /// Creates a value of the given parts.
    public init(pipe: String, inputID: String, value: JSONValue, timestamp: Timestamp) {
        self.pipe = pipe
        self.inputID = inputID
        self.value = value
        self.timestamp = timestamp
    }

    /// The value as a line of a tap's file.
    public var jsonValue: JSONValue {
        [
            "pipe": .string(pipe), "input_id": .string(inputID), "value": value, "timestamp": timestamp.jsonValue,
        ]
    }
}

/// The counts of a tap.
public struct TapStatus: Hashable, Sendable {
    /// The number of values it was called with.
    public internal(set) var seen = 0
    /// The number of times it threw.
    public internal(set) var errors = 0
    /// The number of values it missed because it was too slow.
    public internal(set) var dropped = 0
}

/// The taps of one pipe: functions that are called with every value put into it, in order.
///
/// They work from their own buffer of 1000 values, whose oldest are dropped when it is full, so taps neither change a
/// value nor delay the pipe. Each value goes through all taps in the order in which they were attached. All functions
/// may be called from any thread.
public final class PipeTaps: Sendable {
    /// A function that takes one value.
    public typealias Tap = @Sendable (TappedValue) async throws -> Void

    /// The name of one tap of a pipe.
    public struct ID: Hashable, Sendable {
        fileprivate let number: Int
    }

    private struct Attached {
        let id: ID
        /// The number of the first value it is called with.
        let since: Int
        let tap: Tap
        var status = TapStatus()
    }

    private struct State {
        var taps: [Attached] = []
        var nextID = 0
        var nextValue = 0
        var isFinished = false
    }

    /// The state that the delivery needs. It does not keep ``PipeTaps`` alive, whose end finishes the delivery.
    private final class Board: Sendable {
        let state = Mutex(State())

        func deliver(_ value: TappedValue, _ number: Int) async {
            for tap in state.withLock({ $0.taps }) where tap.since <= number {
                var failed = false
                do { try await tap.tap(value) } catch { failed = true }
                state.withLock { state in
                    guard let place = state.taps.firstIndex(where: { $0.id == tap.id }) else { return }
                    state.taps[place].status.seen += 1
                    if failed { state.taps[place].status.errors += 1 }
                }
            }
        }
    }

    /// The pipe.
    public let pipe: String
    private let board: Board
    private let values: AsyncStream<(number: Int, value: TappedValue)>.Continuation
    private let delivery: Task<Void, Never>

    /// Creates the taps of the pipe named `pipe`. They end with ``finish()``, or with the last reference to this
    /// object.
    public init(pipe: String) {
        self.pipe = pipe
        let (stream, continuation) = AsyncStream.makeStream(
            of: (number: Int, value: TappedValue).self, bufferingPolicy: .bufferingNewest(1_000))
        let board = Board()
        self.board = board
        values = continuation
        delivery = Task { for await (number, value) in stream { await board.deliver(value, number) } }
    }

    deinit { values.finish() }

    /// Calls `tap` with every value put from now on.
    @discardableResult public func attach(_ tap: @escaping Tap) -> ID {
        board.state.withLock { state in
            state.nextID += 1
            let id = ID(number: state.nextID)
            state.taps.append(Attached(id: id, since: state.nextValue, tap: tap))
            return id
        }
    }

    /// Detaches a tap at once. Returns `false` when there is no tap of that name.
    @discardableResult public func detach(_ id: ID) -> Bool {
        board.state.withLock { state in
            guard let place = state.taps.firstIndex(where: { $0.id == id }) else { return false }
            state.taps.remove(at: place)
            return true
        }
    }

    /// Returns the counts of a tap, or `nil` when it is not attached.
    public func status(of id: ID) -> TapStatus? {
        board.state.withLock { state in state.taps.first { $0.id == id }?.status }
    }

    /// The number of taps.
    public var count: Int { board.state.withLock { $0.taps.count } }

    /// Sends a value that enters the pipe to the taps. Without taps the value is not even built.
    public func put(_ value: @autoclosure () throws -> TappedValue) rethrows {
        guard count > 0 else { return }
        let value = try value()
        // Numbered and buffered under one lock, so that taps see values in the order of their numbers.
        board.state.withLock { state in
            guard !state.isFinished else { return }
            if case .dropped(let lost) = values.yield((state.nextValue, value)) {
                for index in state.taps.indices where state.taps[index].since <= lost.number {
                    state.taps[index].status.dropped += 1
                }
            }
            state.nextValue += 1
        }
    }

    /// Closes the taps, and returns when they have handled all values put before.
    public func finish() async {
        board.state.withLock { $0.isFinished = true }
        values.finish()
        await delivery.value
    }
}

extension PipeTaps {
    /// Returns a tap that logs every value.
    public static func log(_ logger: Logger) -> Tap {
        { value in logger.info("\(value.jsonValue.json)", metadata: ["pipe": "\(value.pipe)"]) }
    }

    /// Returns a tap that appends a line of JSON for every value to a file.
    public static func file(_ file: LineFile) -> Tap { { value in try await file.append(value.jsonValue) } }
}
