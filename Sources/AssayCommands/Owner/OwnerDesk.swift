package import Assay
import Foundation
import Synchronization

/// The run of this program, which other programs may watch and stop.
package final class OwnerDesk: Sendable {
    /// The operations on a run in progress.
    package struct Subject: Sendable {
        let run: Run.ID
        let block: @Sendable () -> ProgressBlock?
        let cancel: @Sendable (_ drain: Bool) -> Void
        let move: @Sendable (_ move: Pause.Move, _ toEnd: Bool) throws -> Void

        /// Creates a subject whose run `block` draws, `cancel` stops and `move` continues after a pause.
        package init(
            _ run: Run.ID, block: @escaping @Sendable () -> ProgressBlock?,
            cancel: @escaping @Sendable (_ drain: Bool) -> Void,
            move: @escaping @Sendable (_ move: Pause.Move, _ toEnd: Bool) throws -> Void
        ) {
            self.run = run
            self.block = block
            self.cancel = cancel
            self.move = move
        }
    }

    /// The standing of a run for other programs.
    enum Stand {
        /// No run has begun yet; the requested one still may.
        case notYet
        /// The run is not one of this program's.
        case unknown
        case inProgress(ProgressBlock?)
        case ended(ExitStatus)
    }

    private struct State {
        var subject: Subject?
        var exit: ExitStatus?
        var isClosing = false
        /// Stop requests for runs that are on record but have not begun here, and whether they drain.
        var early: [Run.ID: Bool] = [:]
        var bells: [ObjectIdentifier: Bell] = [:]
    }

    /// Makes the named alert inactive; returns `false` if there is none.
    package typealias AlertService = @Sendable (_ name: String) async throws -> Bool

    private let state = Mutex(State())
    private let queue: QueueDesk?
    private let alerts: AlertService?

    /// Creates a desk without a run.
    package convenience init(alerts: AlertService? = nil) { self.init(queue: nil, alerts: alerts) }

    /// Creates a desk that never has a run of its own if there is a queue, which answers for the runs of its
    /// executions.
    init(queue: QueueDesk?, alerts: AlertService? = nil) { (self.queue, self.alerts) = (queue, alerts) }

    /// Runs a verb of the queue, on a thread that may block.
    func carryOut(_ verb: JSONValue) -> OwnerAnswer {
        guard let queue else {
            return .failed(.unavailable, "the program that owns the store has no queue; try again when it has ended")
        }
        return carryOut { try await queue.carryOut(verb) }
    }

    /// Makes an alert inactive, on a thread that may block.
    func clear(_ alert: String) -> OwnerAnswer {
        guard let alerts else {
            return .failed(.unavailable, "the program that owns the store has no alerts; try again when it has ended")
        }
        return carryOut { .bool(try await alerts(alert)) }
    }

    private func carryOut(_ body: @escaping @Sendable () async throws -> JSONValue) -> OwnerAnswer {
        do { return .done(try wait(for: body)) } catch { return OwnerAnswer(error) }
    }

    /// Waits for `body`, on a thread that may block.
    private func wait<Value: Sendable>(for body: @escaping @Sendable () async throws -> Value) throws -> Value {
        let result = Mutex<Result<Value, any Error>?>(nil)
        let done = DispatchSemaphore(value: 0)
        Task {
            let found: Result<Value, any Error>
            do { found = .success(try await body()) } catch { found = .failure(error) }
            result.withLock { $0 = found }
            done.signal()
        }
        done.wait()
        guard let result = result.withLock({ $0 }) else { throw CancellationError() }
        return try result.get()
    }

    /// Makes `subject` available to other programs.
    package func begin(_ subject: Subject) {
        let drain = state.withLock { state in
            state.subject = subject
            defer { state.early = [:] }
            return state.early[subject.run]
        }
        ring()
        if let drain { subject.cancel(drain) }
    }

    /// Notifies watchers of a change.
    package func ring() {
        for bell in state.withLock({ Array($0.bells.values) }) { bell.ring() }
    }

    /// Records that the run has ended, that its end is in the store, and that the program will exit with `exit`.
    package func end(_ exit: ExitStatus) {
        state.withLock { $0.exit = exit }
        ring()
    }

    /// Releases the watchers.
    func close() {
        state.withLock { $0.isClosing = true }
        ring()
    }

    var isClosing: Bool { state.withLock { $0.isClosing } }

    func listen(_ bell: Bell) { state.withLock { $0.bells[ObjectIdentifier(bell)] = bell } }
    func leave(_ bell: Bell) { state.withLock { $0.bells[ObjectIdentifier(bell)] = nil } }

    /// Returns the standing of a run, on a thread that may wait for the store.
    func stand(of run: Run.ID) throws -> Stand {
        if let queue { return try wait { try await queue.stand(of: run) } }
        let (subject, exit) = state.withLock { ($0.subject, $0.exit) }
        guard let subject else { return exit == nil ? .notYet : .unknown }
        guard subject.run == run else { return .unknown }
        return exit.map { .ended($0) } ?? .inProgress(subject.block())
    }

    /// Continues the run after a pause.
    func move(_ run: Run.ID, _ move: Pause.Move, toEnd: Bool) -> OwnerAnswer {
        guard let subject = state.withLock({ $0.exit == nil ? $0.subject : nil }), subject.run == run else {
            return queue == nil ? .notInProgress : carryOut(QueueVerb.goOn(run, move, toEnd: toEnd).jsonValue)
        }
        do { try subject.move(move, toEnd) } catch { return OwnerAnswer(error) }
        return .done([:])
    }

    /// Stops the run. The stop is in effect on return, or for a run that has not begun yet, as soon as it begins. A
    /// queued run is stopped with its execution, on a thread that may wait for that.
    ///
    /// - Returns: `false` if it is not in progress here.
    func cancel(_ run: Run.ID, drain: Bool) throws -> Bool {
        if let queue { return try wait { try await queue.cancel(run, drain: drain) } }
        let (subject, isEarly) = state.withLock { state -> (Subject?, Bool) in
            guard state.exit == nil else { return (nil, false) }
            guard state.subject == nil else { return (state.subject, false) }
            // An immediate stop wins over a draining one.
            state.early[run] = drain && state.early[run] != false
            return (nil, true)
        }
        if isEarly { return true }
        guard let subject, subject.run == run else { return false }
        subject.cancel(drain)
        return true
    }
}

/// A bell that wakes a thread waiting for a system event.
final class Bell: Sendable {
    /// The descriptor that becomes readable when the bell is rung.
    let descriptor: Int32
    private let handle: Int32
    private let isRung = Mutex(false)

    /// Creates a bell that has not been rung.
    ///
    /// - Throws: ``CommandFailure`` if no descriptors are left.
    init() throws(CommandFailure) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw CommandFailure(.inputOutput, "no pipe can be made: \(String(cString: strerror(errno)).lowercased())")
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        (descriptor, handle) = (ends[0], ends[1])
    }

    deinit {
        close(descriptor)
        close(handle)
    }

    func ring() {
        isRung.withLock { isRung in
            guard !isRung else { return }
            isRung = write(handle, "x", 1) == 1
        }
    }

    /// Resets the bell.
    func silence() {
        isRung.withLock { isRung in
            guard isRung else { return }
            var byte: UInt8 = 0
            _ = read(descriptor, &byte, 1)
            isRung = false
        }
    }
}
