@preconcurrency import Dispatch
import Foundation
import Synchronization

/// A request from outside that the program end.
package enum StopSignal: Sendable {
    /// Ctrl-C.
    case interrupt
    /// SIGTERM.
    case terminate
    /// SIGHUP: the terminal was closed.
    case hangUp
    /// `assay cancel`, which asks only the run to end.
    case cancel

    var status: ExitStatus {
        switch self {
        case .interrupt: .interrupted
        case .terminate: .terminated
        case .hangUp: .hungUp
        case .cancel: .failed
        }
    }

    private static let numbers: KeyValuePairs = [
        StopSignal.interrupt: SIGINT, .terminate: SIGTERM, .hangUp: SIGHUP,
    ]

    /// Receives signals from now on, until the stream is no longer consumed.
    ///
    /// The consumer ends the program. If that takes longer than `grace` after the second signal, or if a third signal
    /// arrives, the program exits immediately. By then the store has everything that is needed to continue.
    package static func received(grace: Duration = .seconds(2)) -> AsyncStream<StopSignal> {
        let (stream, continuation) = AsyncStream.makeStream(of: StopSignal.self)
        let queue = DispatchQueue(label: "assay.signals")
        let count = Count()
        let sources = numbers.compactMap { kind, number -> (any DispatchSourceSignal)? in
            var before = sigaction()
            sigaction(number, nil, &before)
            // A program that outlives its terminal is started with the signal ignored.
            if kind == .hangUp, before.isIgnored { return nil }
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                continuation.yield(kind)
                // A closed terminal and its shell may both send it, so it never counts as the second signal that ends
                // the program at once.
                if kind == .hangUp { return }
                let soFar = count.next()
                if soFar > 2 { _exit(kind.status.rawValue) }
                guard soFar == 2 else { return }
                queue.asyncAfter(deadline: .now() + grace / .seconds(1)) { _exit(kind.status.rawValue) }
            }
            source.activate()
            return source
        }
        continuation.onTermination = { _ in
            for source in sources { source.cancel() }
            // From here on a signal ends the program as it does any other.
            for source in sources { signal(Int32(source.handle), SIG_DFL) }
        }
        return stream
    }

    private final class Count: Sendable {
        private let value = Mutex(0)

        func next() -> Int {
            value.withLock { value in
                value += 1
                return value
            }
        }
    }
}

extension sigaction {
    /// Whether the signal is ignored.
    fileprivate var isIgnored: Bool {
        #if canImport(Darwin)
            unsafeBitCast(__sigaction_u.__sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
        #else
            unsafeBitCast(__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
        #endif
    }
}
