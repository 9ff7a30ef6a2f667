import Foundation

/// What one benchmark was asked to do.
struct Request {
    var mode: String
    var workload: String
    var count: Int
    var directory: String
    var workers: Int
    var concurrency: Int
}

/// What one benchmark measured; printed as one JSON line.
struct Measurement {
    var wall: Double
    var cpu: Double
    var notes = ""

    /// Measures `work`: wall time, and processor time of this process and its children.
    static func of(_ work: () async throws -> Void) async rethrows -> Measurement {
        let (cpu, start) = (processorSeconds(), ContinuousClock.now)
        try await work()
        let wall = (ContinuousClock.now - start) / .seconds(1)
        return Measurement(wall: wall, cpu: processorSeconds() - cpu)
    }

    func line(_ request: Request) -> String {
        let perItem = 1e6 / Double(request.count)
        func text(_ value: Double, _ places: Int) -> String { String(format: "%.\(places)f", value) }
        return """
            {"peer":"assay-\(request.mode)","workload":"\(request.workload)","n":\(request.count),\
            "wall_s":\(text(wall, 4)),"cpu_s":\(text(cpu, 4)),"peak_rss_mb":\(text(Self.peakMegabytes(), 1)),\
            "items_per_s":\(text(Double(request.count) / wall, 0)),"us_per_item":\(text(wall * perItem, 3)),\
            "cpu_us_per_item":\(text(cpu * perItem, 3)),"notes":"\(notes)"}
            """
    }

    /// Processor time of this process and of the children that have ended.
    static func processorSeconds() -> Double {
        [itself, children].reduce(0) { sum, who in
            let usage = usage(of: who)
            let seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
            let micros = usage.ru_utime.tv_usec + usage.ru_stime.tv_usec
            return sum + Double(seconds) + Double(micros) / 1e6
        }
    }

    private static func peakMegabytes() -> Double { Double(usage(of: itself).ru_maxrss) / 1_024 }

    // By number: the C constants have another type on every platform.
    private static let itself: Int32 = 0
    private static let children: Int32 = -1

    private static func usage(of who: Int32) -> rusage {
        var usage = rusage()
        getrusage(who, &usage)
        return usage
    }
}

/// An answer that is not what it must be.
struct WrongAnswer: Error, CustomStringConvertible {
    let description: String
}

func check(_ holds: Bool, _ what: String) throws {
    guard holds else { throw WrongAnswer(description: what) }
}
