public import Assay

/// The queue settings of a pipeline file.
public struct PipelineQueue: Sendable {
    /// The configuration of the queue.
    public let configuration: QueueConfiguration
    /// The policy that decides which executions may run now.
    public let admission: any AdmissionPolicy
}

/// A reader of the key `queue`.
struct QueueSchema {
    let registry: Registry

    static let builtIn = ["always", "rate"]

    /// Returns the queue; `nil` after a finding.
    func read(_ value: ValueReader) -> PipelineQueue? {
        guard let map = value.map() else { return nil }
        func whole(_ key: String, _ standard: Int, least: Int = 1) -> Int {
            map[key]?.integer(in: .atLeast(least)) ?? standard
        }
        let capacity = map.required("queue_capacity")?.integer(in: .between(1, and: 10_000))
        let refresh = map.required("capacity_refresh_time")?.duration(
            in: Bounds(rule: "between 0.01 and 3600") { $0 >= .milliseconds(10) && $0 <= .seconds(3_600) },
            plainSeconds: true)
        let concurrency = whole("concurrency_limit", 100)
        let size = whole("max_queue_size", 1_000)
        let denials = whole("max_denials", 3)
        let delay = map["denial_delay"]?.duration(in: .notNegative, plainSeconds: true) ?? .zero
        let tracking = whole("max_denial_tracking", 10_000)
        let onDenial = map["on_denial"]?.word("on_denial", as: QueueConfiguration.Denial.self) ?? .endCycle
        let onRestart = map["on_restart"]?.word("on_restart", as: QueueConfiguration.Restart.self) ?? .requeue
        let recoveries = whole("max_recoveries", 20, least: 0)
        let name = map["name"]?.text() ?? "engine"
        let admission = map["admission"].map(admission) ?? AlwaysAdmission()
        map.finish()
        guard let capacity, let refresh, let admission else { return nil }
        do {
            var configuration = try QueueConfiguration(
                capacity: capacity, refreshTime: refresh, concurrencyLimit: concurrency, maxSize: size,
                maxDenials: denials, denialDelay: delay, maxDenialTracking: tracking, onDenial: onDenial,
                onRestart: onRestart, maxRecoveries: recoveries, name: name)
            configuration.maxDenialsSetAt = map["max_denials"]?.place
            return PipelineQueue(configuration: configuration, admission: admission)
        } catch {
            value.report(error.message)
            return nil
        }
    }

    private func admission(_ value: ValueReader) -> (any AdmissionPolicy)? {
        guard let map = value.map() else { return nil }
        let known = Self.builtIn + registry.admissionNames.sorted()
        let word = map.required("type")?.word("admission policy", of: known)
        if let word, !Self.builtIn.contains(word) { return registry.admission(named: word, from: map) }
        defer { map.finish() }
        guard word == "rate" else { return word == nil ? nil : AlwaysAdmission() }
        let count = map.required("count")?.integer(in: .atLeast(1))
        let window = map.required("seconds")?.duration(plainSeconds: true)
        let key = map["key"]?.text()
        guard let count, let window else { return nil }
        do { return try RateAdmission(count: count, per: window, key: key) } catch {
            value.report(error.message)
            return nil
        }
    }
}
