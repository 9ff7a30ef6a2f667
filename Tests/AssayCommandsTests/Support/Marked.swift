import Assay
import Foundation

/// The processes that carry a mark: a program that was started with it, and whatever descends from that.
enum Marked {
    /// Those that are alive.
    static func processes(_ mark: String) -> [pid_t] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.filter { process in
            // A process that has ended has no environment.
            guard let environment = FileManager.default.contents(atPath: "/proc/\(process)/environ") else {
                return false
            }
            return environment.range(of: Data("\(Leash.variable)=\(mark)".utf8)) != nil
        }
    }

    /// Kills them all at once.
    static func kill(_ mark: String) {
        for process in processes(mark).shuffled() { Foundation.kill(process, SIGKILL) }
    }

    /// Waits until none is alive, at most ten seconds; those that are then.
    static func survivors(_ mark: String) async throws -> [pid_t] {
        let end = ContinuousClock.now + .seconds(10)
        while true {
            let alive = processes(mark)
            guard !alive.isEmpty, ContinuousClock.now < end else { return alive }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
