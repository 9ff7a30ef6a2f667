import Foundation
import Synchronization

/// The socket from a worker process to the program that started it, on descriptor 3.
final class WorkerWire: Sendable {
    let socket: Descriptor
    private let nonce: Frame.Nonce
    private let sending = Mutex(())
    private let isWorking = Atomic(false)

    init(_ socket: Descriptor, _ nonce: Frame.Nonce) {
        self.socket = socket
        self.nonce = nonce
    }

    /// Sends a frame, however long the other side takes; ends this process when the other side is gone.
    func send(_ frame: Frame) {
        let bytes = frame.encoded(nonce)
        let sent = sending.withLock { _ in Outbox.sendAll(bytes, to: socket) }
        if !sent { Self.end() }
    }

    /// Records whether an item is at work.
    func note(working: Bool) { isWorking.store(working, ordering: .relaxed) }

    /// Watches the other side from a thread of its own: sends heartbeats while an item is at work, and ends this
    /// process when the other side is gone.
    ///
    /// So work that never checks for cancellation ends, too.
    func watch(beat interval: Duration) {
        let beat = Frame(kind: .beat).encoded(nonce)
        let milliseconds = Int32(clamping: max(1, interval.milliseconds))
        let watcher = Thread { [self] in
            while true {
                var watched = pollfd(fd: socket.number, events: 0, revents: 0)
                let count = poll(&watched, 1, milliseconds)
                if count > 0 { Self.end() }
                // A frame that is being sent is as good as a heartbeat, and a full socket must be read by the other
                // side first.
                guard count == 0, isWorking.load(ordering: .relaxed) else { continue }
                _ = sending.withLockIfAvailable { _ in Outbox.sendIfRoom(beat, to: socket) }
            }
        }
        watcher.name = "assay-watch"
        watcher.stackSize = 256 << 10
        watcher.start()
    }

    /// Ends this process and its group at once.
    static func end() -> Never {
        // Not when it was started by hand in the group of another process.
        if getpgrp() == getpid() { kill(0, SIGKILL) }
        _exit(0)
    }
}
