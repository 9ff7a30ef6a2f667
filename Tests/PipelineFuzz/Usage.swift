import Foundation

/// Processor time and memory from one moment on.
///
/// The time is that of the processor, so that whatever else a machine does is not counted; the memory is the highest
/// that was in use at once above what was in use at the beginning, as Linux knows it.
struct Usage {
    private let clock: Int
    private let resident: Int

    init() throws {
        // Gives back what earlier files have left, which would hide what this one takes.
        _ = Self.trim?(0)
        try Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs"))
        resident = try Self.kilobytes("VmRSS:")
        clock = Foundation.clock()
    }

    /// Seconds, and KiB at most.
    func since() throws -> (seconds: Double, kilobytes: Int) {
        let seconds = Double(Foundation.clock() - clock) / 1e6
        return (seconds, try Self.kilobytes("VmHWM:") - resident)
    }

    /// `malloc_trim`, which the C library has and its Swift module does not show.
    private static let trim = dlsym(nil, "malloc_trim").map {
        unsafeBitCast($0, to: (@convention(c) (Int) -> Int32).self)
    }

    private static func kilobytes(_ name: String) throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix(name) }
        return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0
    }
}
