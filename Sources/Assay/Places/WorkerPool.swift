import Synchronization

/// What the worker processes of one runner have in common: what to start, and how many of them died lately.
final class WorkerPool: Sendable {
    /// How many items may lose their workers within ``window`` before no attempt is made.
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

    /// Takes note that a worker died of `item`; a second time for the same item is no further one.
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

    /// Lets an attempt pass.
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

/// How a worker process is started.
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
