import Synchronization

/// Decides whether an execution may run now.
///
/// Asked for one execution at a time and queue, in the order of their turns. What it throws is a denial.
public protocol AdmissionPolicy: Sendable {
    /// Whether the execution named `execution` may run now.
    ///
    /// - Parameters:
    ///   - request: what it was submitted with for this purpose.
    ///   - scope: for whom it works.
    func admit(_ execution: Execution.ID, request: JSONObject, scope: Scope) async throws -> Admission
}

/// What an admission policy answers.
public enum Admission: Hashable, Sendable {
    /// It may run.
    case granted
    /// It may not yet; it is asked about again after `notBefore`, or when its turn comes.
    case denied(_ reason: String, notBefore: Timestamp? = nil)
}

/// Lets everything in.
public struct AlwaysAdmission: AdmissionPolicy {
    /// The policy.
    public init() {}

    public func admit(_ execution: Execution.ID, request: JSONObject, scope: Scope) async throws -> Admission {
        .granted
    }
}

/// Lets so many in within any stretch of time, of all or for each value of a key of their requests.
///
/// It counts since it was made, by a clock that never jumps. One object counts together whoever uses it.
public final class RateAdmission: AdmissionPolicy {
    private let count: Int
    private let window: Duration
    private let key: String?
    private let time: any TimeSource
    /// When each grant of the last window was given, by value of the key.
    private let grants = Mutex<[JSONValue: [Duration]]>([:])

    /// Lets `count` in within any `window`.
    ///
    /// - Parameter key: the key of the request whose values are counted apart; `nil` counts all together.
    /// - Throws: ``ProcessingError`` with code `configuration` for a count below 1 or no time at all.
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
        (self.count, self.window, self.key, self.time) = (count, window, key, time)
    }

    public func admit(_ execution: Execution.ID, request: JSONObject, scope: Scope) async throws -> Admission {
        let now = time.uptime()
        let value = key.flatMap { request[$0] } ?? .null
        let oldest = grants.withLock { grants -> Duration? in
            // What is over is forgotten for all values, so that many of them do not pile up.
            if grants[value] == nil {
                grants = grants.filter { $0.value.last.map { $0 + window > now } ?? false }
            }
            var recent = grants[value, default: []]
            recent.removeAll { $0 + window <= now }
            let oldest = recent.count < count ? nil : recent.first
            if oldest == nil { recent.append(now) }
            grants[value] = recent
            return oldest
        }
        guard let oldest else { return .granted }
        let whom = key.map { " for \($0) \(value.string ?? value.json)" } ?? ""
        return .denied(
            "\(count) per \(window.secondsText) are used up\(whom)",
            notBefore: time.now().advanced(by: oldest + window - now))
    }
}

extension AdmissionPolicy where Self == AlwaysAdmission {
    /// Lets everything in.
    public static var always: AlwaysAdmission { AlwaysAdmission() }
}
