import Synchronization

/// The shared state of one runner's worker processes: how they are started, and how many of them died recently.
final class WorkerPool: Sendable {
    /// The number of items that may lose their workers within ``window`` before attempts are refused.
    static let tolerated = 10
    static let window = Duration.seconds(60)

    private struct Deaths {
        var times: [String: Duration] = [:]
        var closedUntil: Duration?
    }

    let launch: WorkerLaunch
    private let time: any TimeSource
    private let deaths = Mutex(Deaths())

    init(launch: WorkerLaunch, time: any TimeSource) {
        self.launch = launch
        self.time = time
    }

    /// Records that `item` killed a worker. Several deaths by the same item count once.
    func noteDeath(of item: String) {
        let now = time.uptime()
        deaths.withLock { deaths in
            deaths.times = deaths.times.filter { now - $0.value < Self.window }
            deaths.times[item] = now
            if deaths.times.count > Self.tolerated {
                deaths.closedUntil = now + Self.window
                deaths.times = [:]
            }
        }
    }

    /// Admits an attempt.
    ///
    /// - Throws: ``ProcessingError`` with code `circuit_open` while too many different items have killed their workers.
    func admit() throws(ProcessingError) {
        let now = time.uptime()
        let closedUntil = deaths.withLock { deaths in
            if let until = deaths.closedUntil, until <= now { deaths.closedUntil = nil }
            return deaths.closedUntil
        }
        guard let closedUntil else { return }
        throw ProcessingError(
            .circuitOpen,
            "workers died of more than \(Self.tolerated) different items within \(Self.window.secondsText); none is started for the next \((closedUntil - now).secondsText)",
            retryAfter: closedUntil - now)
    }
}

/// The way to start a worker process.
struct WorkerLaunch: Sendable {
    let executable: String
    let arguments: [String]
    var setup: JSONValue
    let heartbeatTimeout: Duration
    let output: @Sendable (String) -> Void

    func handing(_ setup: JSONValue) -> WorkerLaunch {
        var copy = self
        copy.setup = setup
        return copy
    }
}
