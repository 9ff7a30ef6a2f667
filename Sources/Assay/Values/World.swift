import Foundation
import Synchronization

/// The engine's source of time; tests pass one that moves by hand.
public protocol TimeSource: Sendable {
    /// Returns the wall-clock time, for records and prices; it may jump.
    func now() -> Timestamp
    /// Returns the time since some fixed moment; it never goes backward, so every wait and duration uses it.
    func uptime() -> Duration
    /// Waits until ``uptime()`` has reached `deadline`.
    ///
    /// - Throws: `CancellationError` when the calling task is cancelled.
    func sleep(until deadline: Duration) async throws
}

/// Everything that the engine takes from outside besides its inputs: time, identifiers, chance.
public struct World: Sendable {
    /// The clock.
    public var time: any TimeSource
    /// A maker of fresh identifiers for runs, executions and calls.
    public var makeIdentifier: @Sendable () -> Identifier
    /// A source of random numbers from 0 up to but not including 1, for jitter.
    public var chance: @Sendable () -> Double

    /// Creates a world from the given parts.
    public init(
        time: any TimeSource, makeIdentifier: @escaping @Sendable () -> Identifier,
        chance: @escaping @Sendable () -> Double
    ) {
        self.time = time
        self.makeIdentifier = makeIdentifier
        self.chance = chance
    }

    /// The machine's clock, random lowercase UUIDs and the system's random numbers.
    public static let system = World(
        time: SystemTime(),
        makeIdentifier: { Identifier(unchecked: UUID().uuidString.lowercased()) },
        chance: { Double.random(in: 0..<1) })
}

/// The machine's clocks.
struct SystemTime: TimeSource {
    private static let origin = ContinuousClock.now

    func now() -> Timestamp {
        // Not `timespec`, which belongs to another module as soon as one more C module is imported.
        Timestamp(milliseconds: Int64((Date.now.timeIntervalSince1970 * 1_000).rounded(.down)))
    }

    func uptime() -> Duration { ContinuousClock.now - Self.origin }

    func sleep(until deadline: Duration) async throws {
        try await Task.sleep(until: Self.origin + deadline, clock: .continuous)
    }
}
