import Assay

/// Reads what limits spending: budgets, and circuit breakers of services.
struct SpendingSchema {
    /// One budget or a list of them.
    func budgets(_ value: ValueReader) -> [Budget] {
        var names = UniqueNames()
        return value.oneOrMore().compactMap { budget($0, &names) }
    }

    private func budget(_ value: ValueReader, _ names: inout UniqueNames) -> Budget? {
        guard let map = value.map() else { return nil }
        let limit = map.required("limit")?.sum()
        let name = map["name"]?.text() ?? Budget.standardName
        // Errors and `--set` tell budgets apart by their names.
        names.take(name, from: map["name"] ?? value)
        let scope = map["scope"]?.word("budget scope", as: Budget.Scope.self) ?? .run
        let window = map["window"]?.word("budget window", as: Budget.Window.self) ?? .total
        let mode = map["mode"]?.word("budget mode", as: Budget.Mode.self) ?? .enforce
        let warnAt = map["warn_at"]?.decimal(places: 18, in: .between(0, and: 1))
        let timeZone = map["time_zone"]?.text() ?? "UTC"
        let unpriced = map["unpriced"]?.word("what happens to calls without a price", as: Budget.Unpriced.self) ?? .refuse
        map.finish()
        guard let limit else { return nil }
        do {
            return try Budget(
                limit, name: name, scope: scope, window: window, mode: mode, warnAt: warnAt, timeZone: timeZone,
                unpriced: unpriced)
        } catch {
            (map["time_zone"] ?? value).report(error.message)
            return nil
        }
    }

    /// Circuit breakers by service.
    func breakers(_ value: ValueReader) -> [String: CircuitBreakerPolicy] {
        var breakers: [String: CircuitBreakerPolicy] = [:]
        for (service, _, keys) in value.entries() ?? [] { breakers[service] = breaker(keys) }
        return breakers
    }

    private func breaker(_ value: ValueReader) -> CircuitBreakerPolicy? {
        guard let map = value.map() else { return nil }
        defer { map.finish() }
        return breaker(map)
    }

    /// A circuit breaker of the keys in `map`, which the caller finishes.
    func breaker(_ map: MapReader) -> CircuitBreakerPolicy? {
        let failures = map["failure_threshold"]?.integer(in: .atLeast(1)) ?? 5
        let recovery = map["recovery_timeout"]?.duration(plainSeconds: true) ?? .seconds(60)
        let successes = map["success_threshold"]?.integer(in: .atLeast(1)) ?? 3
        do {
            return try CircuitBreakerPolicy(
                failureThreshold: failures, recoveryTimeout: recovery, successThreshold: successes)
        } catch {
            map.value.report(error.message)
            return nil
        }
    }
}
