package import Assay
import Foundation
import Synchronization

/// The run that this program carries through, as other programs may see and stop it.
package final class OwnerDesk: Sendable {
    /// What a run in progress can be asked.
    package struct Subject: Sendable {
        let run: Run.ID
        let block: @Sendable () -> ProgressBlock?
        let cancel: @Sendable (_ drain: Bool) -> Void
        let move: @Sendable (_ move: Pause.Move, _ toEnd: Bool) throws -> Void

        /// A run that `block` draws, `cancel` stops and `move` lets go on after a pause.
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

    /// How a run stands for those who ask.
    enum Stand {
        /// No run has begun yet; the one that is asked for may.
        case notYet
        /// It is none of this program's.
        case unknown
        case inProgress(ProgressBlock?)
        case ended(ExitStatus)
    }

    private struct State {
        var subject: Subject?
        var exit: ExitStatus?
        var isClosing = false
        /// Stops that were asked for between a run's being on record and its beginning here, and whether they drain.
        var early: [Run.ID: Bool] = [:]
        var bells: [ObjectIdentifier: Bell] = [:]
    }

    /// Makes the alert of a name inactive; `false` when there is none.
    package typealias AlertService = @Sendable (_ name: String) async throws -> Bool

    private let state = Mutex(State())
    private let queue: QueueDesk?
    private let alerts: AlertService?

    /// No run yet.
    package convenience init(alerts: AlertService? = nil) { self.init(queue: nil, alerts: alerts) }

    /// No run of its own ever, when there is a queue that can be asked for those of its executions.
    init(queue: QueueDesk?, alerts: AlertService? = nil) { (self.queue, self.alerts) = (queue, alerts) }

    /// Does something with the queue, on a thread that may wait for it.
    func carryOut(_ verb: JSONValue) -> OwnerAnswer {
        guard let queue else {
            return .failed(.unavailable, "the program that owns the store has no queue; try again when it has ended")
        }
        return carryOut { try await queue.carryOut(verb) }
    }

    /// Makes an alert inactive, on a thread that may wait for it.
    func clear(_ alert: String) -> OwnerAnswer {
        guard let alerts else {
            return .failed(.unavailable, "the program that owns the store has no alerts; try again when it has ended")
        }
        return carryOut { .bool(try await alerts(alert)) }
    }

    private func carryOut(_ body: @escaping @Sendable () async throws -> JSONValue) -> OwnerAnswer {
        do { return .done(try wait(for: body)) } catch { return OwnerAnswer(error) }
    }

    /// Waits for `body`, on a thread that may do so.
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

    /// From now on `subject` can be asked for.
    package func begin(_ subject: Subject) {
        let drain = state.withLock { state in
            state.subject = subject
            defer { state.early = [:] }
            return state.early[subject.run]
        }
        ring()
        if let drain { subject.cancel(drain) }
    }

    /// Tells those who watch that something has changed.
    package func ring() {
        for bell in state.withLock({ Array($0.bells.values) }) { bell.ring() }
    }

    /// The run has ended, its end is in the store, and the program will end with `exit`.
    package func end(_ exit: ExitStatus) {
        state.withLock { $0.exit = exit }
        ring()
    }

    /// Lets those who watch go.
    func close() {
        state.withLock { $0.isClosing = true }
        ring()
    }

    var isClosing: Bool { state.withLock { $0.isClosing } }

    func listen(_ bell: Bell) { state.withLock { $0.bells[ObjectIdentifier(bell)] = bell } }
    func leave(_ bell: Bell) { state.withLock { $0.bells[ObjectIdentifier(bell)] = nil } }

    /// How a run stands, on a thread that may wait for the store.
    func stand(of run: Run.ID) throws -> Stand {
        if let queue { return try wait { try await queue.stand(of: run) } }
        let (subject, exit) = state.withLock { ($0.subject, $0.exit) }
        guard let subject else { return exit == nil ? .notYet : .unknown }
        guard subject.run == run else { return .unknown }
        return exit.map { .ended($0) } ?? .inProgress(subject.block())
    }

    /// Lets the run go on after a pause.
    func move(_ run: Run.ID, _ move: Pause.Move, toEnd: Bool) -> OwnerAnswer {
        guard let subject = state.withLock({ $0.exit == nil ? $0.subject : nil }), subject.run == run else {
            return queue == nil ? .notInProgress : carryOut(QueueVerb.goOn(run, move, toEnd: toEnd).jsonValue)
        }
        do { try subject.move(move, toEnd) } catch { return OwnerAnswer(error) }
        return .done([:])
    }

    /// Stops the run; the stop is in force on return, for a run that has not begun yet as soon as it begins. A run of a
    /// queue is stopped with its execution, on a thread that may wait for that.
    ///
    /// - Returns: `false` when it is not in progress here.
    func cancel(_ run: Run.ID, drain: Bool) throws -> Bool {
        if let queue { return try wait { try await queue.cancel(run, drain: drain) } }
        let (subject, isEarly) = state.withLock { state -> (Subject?, Bool) in
            guard state.exit == nil else { return (nil, false) }
            guard state.subject == nil else { return (state.subject, false) }
            // Of two wishes the sterner one counts.
            state.early[run] = drain && state.early[run] != false
            return (nil, true)
        }
        if isEarly { return true }
        guard let subject, subject.run == run else { return false }
        subject.cancel(drain)
        return true
    }
}

/// Wakes a thread that waits for an event of the system.
final class Bell: Sendable {
    /// Becomes readable when the bell is rung.
    let descriptor: Int32
    private let handle: Int32
    private let isRung = Mutex(false)

    /// A bell that nobody has rung.
    ///
    /// - Throws: ``CommandFailure`` when there are no descriptors left.
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

    /// Forgets that it was rung.
    func silence() {
        isRung.withLock { isRung in
            guard isRung else { return }
            var byte: UInt8 = 0
            _ = read(descriptor, &byte, 1)
            isRung = false
        }
    }
}
