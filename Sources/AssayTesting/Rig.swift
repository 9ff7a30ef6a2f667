import Foundation

/// A generator of random numbers that are the same for the same seed.
public struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    /// Creates the numbers of `seed`.
    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// The settings of rigs that break things on purpose.
public enum Rig {
    /// Whether to run the long forms: `ASSAY_SOAK` is set.
    public static let isLong = ProcessInfo.processInfo.environment["ASSAY_SOAK"] != nil

    /// Returns the seed: `ASSAY_SEED`, to repeat the failure of a run, or else a random number.
    public static func seed() -> UInt64 {
        ProcessInfo.processInfo.environment["ASSAY_SEED"].flatMap { UInt64($0) } ?? .random(in: 0 ... .max)
    }

    /// Returns the time since `start` in readable form, such as `12.5 s`.
    public static func seconds(since start: ContinuousClock.Instant) -> String {
        let tenths = (ContinuousClock.now - start) / .milliseconds(100)
        return "\(tenths.rounded() / 10) s"
    }
}
