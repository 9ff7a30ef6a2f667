@preconcurrency import Dispatch
import Foundation
import Synchronization

/// A wish from outside that the program ends.
package enum StopSignal: Sendable {
    /// Ctrl-C.
    case interrupt
    /// SIGTERM.
    case terminate
    /// SIGHUP: the terminal was closed.
    case hangUp
    /// `assay cancel`, which only the run is asked by.
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

    /// The signals that this program receives from now on, until nobody listens any more.
    ///
    /// The listener ends the program; when that takes longer than `grace` after the second signal, or a third one
    /// comes, the program ends as it is. What is in the store by then is all that is needed to go on.
    package static func received(grace: Duration = .seconds(2)) -> AsyncStream<StopSignal> {
        let (stream, continuation) = AsyncStream.makeStream(of: StopSignal.self)
        let queue = DispatchQueue(label: "assay.signals")
        let count = Count()
        let sources = numbers.compactMap { kind, number -> (any DispatchSourceSignal)? in
            var before = sigaction()
            sigaction(number, nil, &before)
            // A parent that wants the program to outlive its terminal has the signal ignored.
            if kind == .hangUp, before.isIgnored { return nil }
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                continuation.yield(kind)
                // A closed terminal and its shell may both send it: it never is the second signal that ends at once.
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
