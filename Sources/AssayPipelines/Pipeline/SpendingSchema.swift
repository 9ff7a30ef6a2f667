import Assay

/// A reader of spending limits: budgets and circuit breakers of services.
struct SpendingSchema {
    /// Returns one budget or a list of them.
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
        let unpriced =
            map["unpriced"]?.word("what happens to calls without a price", as: Budget.Unpriced.self) ?? .refuse
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

    /// Returns the terms of services, by name.
    func services(_ value: ValueReader) -> [String: ServiceTerms] {
        var services: [String: ServiceTerms] = [:]
        for (service, _, keys) in value.entries() ?? [] {
            guard let map = keys.map() else { continue }
            services[service] = map["keys"].flatMap(terms)
            map.finish()
        }
        return services
    }

    /// Returns how a service treats keys: a word, or the header in which it expects them.
    private func terms(_ value: ValueReader) -> ServiceTerms? {
        guard let text = value.text() else { return nil }
        if let keys = ServiceTerms.Keys(rawValue: text) { return ServiceTerms(keys: keys) }
        guard text.contains(where: \.isUppercase) || text.contains("-") else {
            _ = value.word("way with keys", as: ServiceTerms.Keys.self)
            return nil
        }
        guard HTTPPlan.isHeaderName(text), !HTTPPlan.isReserved(text) else {
            value.report(
                "keys must be honoured, ignored or the name of a header that requests may have, found \(text.quoted)")
            return nil
        }
        return ServiceTerms(keyHeader: text)
    }

    /// Returns circuit breakers by service.
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

    /// Returns a circuit breaker from the keys in `map`, which the caller finishes.
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

extension SettingPlaces {
    /// Records the positions of the limits of one budget, or of a list of them, under `budget.NAME`.
    mutating func add(budgets value: ValueReader) {
        let nodes: [ConfigurationNode] =
            if case .list(let elements) = value.node.value { elements } else { [value.node] }
        for node in nodes {
            guard case .map(let keys) = node.value else { continue }
            let limit = keys.first { $0.key == "limit" }?.value.position ?? node.position
            let name = keys.first { $0.key == "name" }?.value.json.string ?? Budget.standardName
            self["budget.\(name)"] = value.findings.place(of: limit)
        }
    }
}
