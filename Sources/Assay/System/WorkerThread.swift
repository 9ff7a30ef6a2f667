import Foundation
import Synchronization

/// A thread that runs the jobs of tasks that prefer it, in order, and ends when it is retired.
final class WorkerThread: TaskExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var retired = false
    }

    private let state = Mutex(State())
    private let wake = DispatchSemaphore(value: 0)

    init() {
        let thread = Thread { [self] in loop() }
        thread.name = "assay-worker"
        thread.stackSize = 8 << 20
        thread.start()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.withLock { $0.jobs.append(job) }
        wake.signal()
    }

    func retire() {
        state.withLock { $0.retired = true }
        wake.signal()
    }

    private func loop() {
        while true {
            wake.wait()
            let (jobs, retired) = state.withLock { state in
                defer { state.jobs.removeAll() }
                return (state.jobs, state.retired)
            }
            for job in jobs { job.runSynchronously(on: asUnownedTaskExecutor()) }
            if retired, jobs.isEmpty { return }
        }
    }
}
