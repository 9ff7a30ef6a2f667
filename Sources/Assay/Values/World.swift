import Foundation
import Synchronization

/// Time as the engine sees it; tests pass one that moves by hand.
public protocol TimeSource: Sendable {
    /// The wall clock, for what is written down and for prices; it may jump.
    func now() -> Timestamp
    /// Time since some fixed moment; it never goes back, so every wait and duration uses it.
    func uptime() -> Duration
    /// Waits until ``uptime()`` has reached `deadline`.
    ///
    /// - Throws: `CancellationError` when the calling task is cancelled.
    func sleep(until deadline: Duration) async throws
}

/// Everything the engine takes from outside besides its inputs: time, identifiers, chance.
public struct World: Sendable {
    /// The clock.
    public var time: any TimeSource
    /// Makes a fresh identifier for a run, an execution or a call.
    public var makeIdentifier: @Sendable () -> Identifier
    /// A number from 0 up to but not including 1, for jitter.
    public var chance: @Sendable () -> Double

    /// A world of the given parts.
    public init(
        time: any TimeSource, makeIdentifier: @escaping @Sendable () -> Identifier,
        chance: @escaping @Sendable () -> Double
    ) {
        self.time = time
        self.makeIdentifier = makeIdentifier
        self.chance = chance
    }

    /// The machine's clock, random lower-case UUIDs, the system's random numbers.
    public static let system = World(
        time: SystemTime(),
        makeIdentifier: { Identifier(unchecked: UUID().uuidString.lowercased()) },
        chance: { Double.random(in: 0..<1) })
}

/// The machine's clocks.
struct SystemTime: TimeSource {
    private static let origin = ContinuousClock.now

    func now() -> Timestamp {
        // Not `timespec`, which belongs to another module as soon as one more C module is around.
        Timestamp(milliseconds: Int64((Date.now.timeIntervalSince1970 * 1_000).rounded(.down)))
    }

    func uptime() -> Duration { ContinuousClock.now - Self.origin }

    func sleep(until deadline: Duration) async throws {
        try await Task.sleep(until: Self.origin + deadline, clock: .continuous)
    }
}
