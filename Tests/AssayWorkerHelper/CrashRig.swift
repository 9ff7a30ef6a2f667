import Assay
@preconcurrency import Foundation
import Synchronization

/// As a parent: loses workers in every way they can be lost, and says in a line what is left of them.
enum CrashRig {
    /// How many workers are to be lost; `nil` when this program is something else.
    static var wanted: Int? {
        let words = CommandLine.arguments
        return words.count == 3 && words[1] == "crashing" ? Int(words[2]) : nil
    }

    private static let ways = ["kill", "exit", "segv", "garbage", "grandchild"]

    /// Loses `count` workers.
    static func lose(_ count: Int) async throws {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = 256
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        // What the program needs for itself is there from here on.
        var finished = try await work(4 * ways.count)
        let before = settled { _ in true }
        while finished < 4 * ways.count + count { finished += try await work(4 * ways.count) }
        let after = settled { $0.descriptors <= before.descriptors && $0.processes == 0 }
        func numbers(_ numbers: Int...) -> JSONValue { .array(numbers.map { .number(Number($0)) }) }
        let report: JSONValue = [
            "finished": numbers(finished), "processes": numbers(after.processes),
            "descriptors": numbers(before.descriptors, after.descriptors),
            "threads": numbers(before.threads, after.threads),
            "kilobytes": numbers(before.kilobytes, after.kilobytes),
        ]
        print(report.json)
    }

    /// A run over so many items, of which each costs a worker at first; how many were finished.
    private static func work(_ count: Int) async throws -> Int {
        var options = RunOptions()
        options.runner = try ProcessRunner(maxWorkers: 2, time: Hasty())
        let items = (0..<count).map { Item("item_\($0)", "once \(ways[$0 % ways.count])") }
        let report = try await Engine().run(RegisteredProcessor(Misbehaving()), over: items, options: options)
        return report.outcomes.count { $0.status == .succeeded && $0.attempts == 2 }
    }

    private struct Left {
        var descriptors = 0
        var threads = 0
        /// How many processes there are with this program's mark, but for itself.
        var processes = 0
        var kilobytes = 0
    }

    /// What there is, once that `isRight` or ten seconds have passed: what ends by itself needs a moment.
    private static func settled(_ isRight: (Left) -> Bool) -> Left {
        var left = measured()
        for _ in 0..<1_000 where !isRight(left) {
            usleep(10_000)
            left = measured()
        }
        return left
    }

    private static func measured() -> Left {
        func entries(_ path: String) -> [String] { (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] }
        var left = Left()
        left.descriptors = entries("/proc/self/fd").count
        left.threads = entries("/proc/self/task").count
        let mark = Data("RIG=\(ProcessInfo.processInfo.environment["RIG"] ?? "")\0".utf8)
        left.processes = entries("/proc").count { name in
            guard let process = pid_t(name), process != getpid() else { return false }
            return FileManager.default.contents(atPath: "/proc/\(name)/environ")?.range(of: mark) != nil
        }
        let pages = FileManager.default.contents(atPath: "/proc/self/statm")
            .flatMap { Int(String(decoding: $0, as: UTF8.self).split(separator: " ")[1]) }
        left.kilobytes = (pages ?? 0) * Int(getpagesize()) / 1_024
        return left
    }
}

/// A clock on which a minute passes between any two looks, so that no number of crashes is too many for it.
private final class Hasty: TimeSource {
    private let minutes = Atomic(0)

    func now() -> Timestamp { World.system.time.now() }
    func uptime() -> Duration { .seconds(61 * minutes.add(1, ordering: .relaxed).newValue) }
    func sleep(until deadline: Duration) async throws { try Task.checkCancellation() }
}
