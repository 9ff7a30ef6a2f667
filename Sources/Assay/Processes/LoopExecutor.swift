import Foundation
import Synchronization

/// Carries out an item's work on the worker process's main thread, which also reads its messages.
final class LoopExecutor: TaskExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var finished = true
        /// Whether the thread waits in the kernel and must be woken.
        var parked = false
    }

    private let state = Mutex(State())
    private let bell: (read: Descriptor, write: Descriptor)

    init() throws(ProcessingError) { bell = try Descriptor.pipe() }

    func begin() { state.withLock { $0.finished = false } }

    /// Says that the item has been answered.
    func finish() { wake { $0.finished = true } }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        wake { $0.jobs.append(job) }
    }

    private func wake(_ change: (inout State) -> Void) {
        let parked = state.withLock { state in
            change(&state)
            defer { state.parked = false }
            return state.parked
        }
        guard parked else { return }
        var byte: UInt8 = 0
        while write(bell.write.number, &byte, 1) < 0, errno == EINTR {}
    }

    /// Does what can be done now.
    ///
    /// - Returns: whether the item has been answered.
    func runJobs() -> Bool {
        while true {
            let (jobs, finished) = state.withLock { state in
                defer { state.jobs = [] }
                return (state.jobs, state.finished)
            }
            for job in jobs { job.runSynchronously(on: asUnownedTaskExecutor()) }
            if jobs.isEmpty { return finished }
        }
    }

    /// Waits until there is something to do.
    ///
    /// - Returns: whether that is something to read from `socket`.
    func waits(for socket: Descriptor) -> Bool {
        let parks = state.withLock { state in
            state.parked = state.jobs.isEmpty && !state.finished
            return state.parked
        }
        guard parks else { return false }
        var watched = [
            pollfd(fd: socket.number, events: Int16(POLLIN), revents: 0),
            pollfd(fd: bell.read.number, events: Int16(POLLIN), revents: 0),
        ]
        _ = poll(&watched, 2, -1)
        let rung = state.withLock { state in
            defer { state.parked = false }
            return !state.parked
        }
        var byte: UInt8 = 0
        // The thread that unparked this one has rung or is about to.
        if rung { while read(bell.read.number, &byte, 1) < 0, errno == EINTR {} }
        return watched[0].revents != 0
    }
}
