import Synchronization

/// A policy that decides whether an execution may run now.
///
/// Each queue asks about one execution at a time, in the order of their turns. An error it throws is a denial, unless
/// the store failed.
public protocol AdmissionPolicy: Sendable {
    /// Decides whether the execution named `execution` may run now.
    ///
    /// - Parameters:
    ///   - request: the data that it was submitted with for this purpose.
    ///   - scope: the scope that it works for.
    func admit(_ execution: Execution.ID, request: JSONObject, scope: Scope) async throws -> Admission

    /// Attaches the policy to the store of the executions that it will decide about.
    ///
    /// - Throws: ``ProcessingError`` when the store fails.
    func attach(to store: any Store, _ world: World) async throws
}

extension AdmissionPolicy {
    public func attach(to store: any Store, _ world: World) async throws {}
}

/// The answer of an admission policy.
public enum Admission: Hashable, Sendable {
    /// It may run.
    case admit
    /// It is not asked about again before a moment. This is not a denial and does not count as one.
    case wait(until: Timestamp, why: String)
    /// It may not run. It is asked about again when its turn comes, as often as the queue allows.
    case deny(_ why: String)
}

/// A policy that admits everything.
public struct AlwaysAdmission: AdmissionPolicy {
    /// Creates the policy.
    public init() {}

    public func admit(_ execution: Execution.ID, request: JSONObject, scope: Scope) async throws -> Admission {
        .admit
    }
}

/// A policy that admits a limited number within any window of time, overall or for each value of a key of their
/// requests; the others wait.
///
/// The rate belongs to the store that the policy is attached to: admissions by any program are kept there and count.
/// While a program works, it counts by a clock that never jumps.
public final class RateAdmission: AdmissionPolicy {
    private struct State {
        var store: (any Store)?
        var time: any TimeSource
        /// The moments of the admissions in the last window, by rate.
        var grants: [String: [Duration]] = [:]
    }

    private let count: Int
    private let window: Duration
    private let key: String?
    private let state: Mutex<State>

    /// Creates a policy that admits `count` within any `window`.
    ///
    /// - Parameters:
    ///   - key: the key of the request whose values are counted separately; `nil` counts all together.
    ///   - time: the clock it uses until it is attached to a store.
    /// - Throws: ``ProcessingError`` with code `configuration` for a count below 1 or a window that is not above 0.
    public init(
        count: Int, per window: Duration, key: String? = nil, time: any TimeSource = World.system.time
    ) throws(ProcessingError) {
        guard count >= 1 else {
            throw ProcessingError(.configuration, "count of a rate must be at least 1, found \(count)")
        }
        guard window > .zero else {
            throw ProcessingError(
                .configuration, "seconds of a rate must be greater than 0, found \(window.secondsText)")
        }
        (self.count, self.window, self.key) = (count, window, key)
        state = Mutex(State(time: time))
    }

    public func attach(to store: any Store, _ world: World) async throws {
        state.withLock { $0 = State(store: store, time: world.time) }
    }

    public func admit(_ execution: Execution.ID, request: JSONObject, scope: Scope) async throws -> Admission {
        let value = key.flatMap { request[$0] } ?? .null
        let rate = key.map { "\($0)=\(value.json)" } ?? ""
        try await recall(rate)
        let (store, time) = state.withLock { ($0.store, $0.time) }
        let now = time.uptime()
        let oldest = state.withLock { state -> Duration? in
            // Expired admissions are forgotten for all values, so that many values do not pile up.
            if state.grants[rate]?.isEmpty ?? true {
                state.grants = state.grants.filter { $0.value.last.map { $0 + window > now } ?? false }
            }
            var recent = state.grants[rate, default: []]
            recent.removeAll { $0 + window <= now }
            let oldest = recent.count < count ? nil : recent[recent.count - count]
            if oldest == nil { recent.append(now) }
            state.grants[rate] = recent
            return oldest
        }
        let moment = time.now()
        guard let oldest else {
            // Recorded before it has an effect, so that no later program forgets it.
            try await store?.admit(under: rate, at: moment, forgettingBefore: moment.advanced(by: .zero - window))
            return .admit
        }
        let whom = key.map { " for \($0) \(value.string ?? value.json)" } ?? ""
        return .wait(
            until: moment.advanced(by: oldest + window - now),
            why: "the rate: \(count) per \(window.secondsText) are used up\(whom)")
    }

    /// Reads what earlier programs admitted under a rate.
    private func recall(_ rate: String) async throws {
        let (store, time, isKnown) = state.withLock { ($0.store, $0.time, $0.grants[rate] != nil) }
        guard let store, !isKnown else { return }
        let moments = try await store.admissions(under: rate)
        let (now, uptime) = (time.now(), time.uptime())
        // A moment in the future was written by a clock that has been set back since. It counts as now.
        let ages = moments.map { Duration.milliseconds(max(0, now.milliseconds - $0.milliseconds)) }
        state.withLock { state in
            guard state.grants[rate] == nil else { return }
            state.grants[rate] = ages.filter { $0 < window }.sorted(by: >).map { uptime - $0 }
        }
    }
}

extension AdmissionPolicy where Self == AlwaysAdmission {
    /// A policy that admits everything.
    public static var always: AlwaysAdmission { AlwaysAdmission() }
}
