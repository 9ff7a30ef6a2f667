import Assay

/// How a planned run is to be done: what flags, environment and `assay.yaml` come to together.
struct PlannedOptions {
    /// The parts by the keys of a plan file, in the order in which differences are told.
    private static let names: [(key: String, name: String)] = [
        ("runner", "the runner"), ("workers", "the number of workers"), ("on_failure", "the failure policy"),
        ("retries", "the retry policy"), ("timeout", "the time limit of an attempt"),
        ("caching", "the use of the cache"), ("batches", "the size of batches"),
    ]

    private let values: JSONObject

    /// What `options` say.
    init(_ options: RunOptions) {
        values = [
            "runner": .string(options.runner.name), "workers": JSONValue(count: options.runner.maxWorkers),
            "on_failure": .string("\(options.failurePolicy)"), "retries": options.retryPolicy.told,
            "timeout": .string(options.itemTimeout.brief), "budgets": .array(options.budgets.map(\.jsonValue)),
            "caching": .string(options.caching.rawValue), "batches": .string(options.batching?.told ?? "none"),
        ]
    }

    /// What ``json`` wrote; `nil` for anything else.
    init?(_ json: JSONValue?) {
        guard let values = json?.object, Self.names.allSatisfy({ values[$0.key] != nil }), values["budgets"] != nil
        else { return nil }
        self.values = values
    }

    /// The options in a plan file.
    var json: JSONValue { .object(values) }

    /// What is otherwise than in `then`, in words.
    func differences(from then: PlannedOptions) -> [String] {
        Self.names.filter { values[$0.key] != then.values[$0.key] }
            .map { "\($0.name) is \(words($0.key)), was \(then.words($0.key))" }
            + Self.differences(of: values["budgets"]?.array ?? [], from: then.values["budgets"]?.array ?? [])
    }

    /// What is different among budgets, by their names.
    private static func differences(of now: [JSONValue], from then: [JSONValue]) -> [String] {
        func name(_ budget: JSONValue) -> String { "budget '\(budget["name"]?.string ?? "")'" }
        func limit(_ budget: JSONValue) -> String { budget["limit"]?.json ?? "unknown" }
        var left = then
        var found: [String] = []
        for budget in now {
            guard let place = left.firstIndex(where: { $0["name"] == budget["name"] }) else {
                found.append("\(name(budget)) of \(limit(budget)) is new")
                continue
            }
            let earlier = left.remove(at: place)
            for key in budget.object?.keys.sorted() ?? [] where budget[key] != earlier[key] {
                func word(_ budget: JSONValue) -> String { budget[key].map { $0.string ?? $0.json } ?? "none" }
                found.append("\(key) of \(name(budget)) is \(word(budget)), was \(word(earlier))")
            }
        }
        return found + left.map { "\(name($0)) of \(limit($0)) is gone" }
    }

    private func words(_ key: String) -> String { values[key].map { $0.string ?? $0.json } ?? "unknown" }
}

extension Batching {
    /// How the list is cut, in words.
    fileprivate var told: String {
        let size = size.map { "of \($0)" } ?? "of the size that follows"
        return slot.map { "\(size) for slot \($0)" } ?? size
    }
}

extension RetryPolicy {
    /// The policy with the keys of a pipeline file.
    fileprivate var told: JSONValue {
        let failures: JSONValue =
            switch retryOn {
            case .retryable: "retryable"
            case .all: "all"
            case .codes(let codes): .array(codes.map(\.rawValue).sorted().map { .string($0) })
            }
        return [
            "max_retries": JSONValue(count: maxRetries), "initial_delay": .string("\(initialDelay)"),
            "backoff_multiplier": .string("\(backoffMultiplier)"), "max_delay": .string("\(maxDelay)"),
            "jitter": .string("\(jitter)"), "retry_on": failures,
        ]
    }
}
