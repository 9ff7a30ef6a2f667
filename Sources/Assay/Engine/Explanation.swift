/// A decision that was made in a run, and the recorded reason.
public struct Decision: Hashable, Sendable {
    /// The subject of the decision: `input`, `step 'parse'`, `call clear/search`, `base charge`, `runner`, …
    public var subject: String
    /// The decision.
    public var decision: String
    /// The recorded reason; empty when the decision says it all.
    public var reason: String

    /// Creates a decision from its parts.
    public init(_ subject: String, _ decision: String, because reason: String = "") {
        self.subject = subject
        self.decision = decision
        self.reason = reason
    }

    /// The decision as JSON.
    public var jsonValue: JSONValue {
        ["subject": .string(subject), "decision": .string(decision), "reason": .string(reason)]
    }
}

/// The reasons for what happened in a run, from what the store holds of it.
///
/// Making one reads the run's charges, calls and recorded events; each input then costs one look-up.
public struct Explanation: Sendable {
    private let run: Run
    private let previous: Run?
    private let currency: String
    private let base: [Charge]
    private let earlierBase: Charge?
    private let charges: [ExternalID: [Charge]]
    private let calls: [ExternalID: [CallRecord]]
    private let events: [ExternalID: [Event]]
    private let notices: [Event]

    init(of run: Run, from store: any Store) async throws {
        self.run = run
        currency = store.currency
        previous = if let id = run.lineage.previousRunID { try await store.run(id) } else { nil }
        let found = try await store.charges(matching: ChargeFilter(runID: run.id))
        base = found.filter { $0.kind == .base }
        charges = Dictionary(grouping: found.filter { $0.kind != .base }) { ExternalID(unchecked: $0.inputID ?? "") }
        earlierBase =
            base.isEmpty
            ? try await store.charges(matching: ChargeFilter(executionID: run.executionID))
                .first { $0.kind == .base && $0.processorID == run.processorID } : nil
        calls = Dictionary(grouping: try await store.calls(matching: CallFilter(runID: run.id))) {
            ExternalID(unchecked: $0.inputID ?? "")
        }
        var all: [Event] = []
        while case let page = try await store.events(of: run.id, after: all.last?.sequence ?? 0, limit: 1_024),
            !page.isEmpty
        {
            all += page
        }
        events = Dictionary(grouping: all.filter { $0.inputID != nil }) { ExternalID(unchecked: $0.inputID ?? "") }
        notices = all.filter { $0.inputID == nil || $0.kind == .budgetExceeded || $0.kind == .budgetWarning }
    }

    // MARK: The run

    /// The decisions about the run as a whole.
    public var ofRun: [Decision] {
        var decisions = [beginning, Decision("runner", run.runner, because: runnerReason)]
        decisions += baseCharge
        decisions += notices.compactMap(notice)
        decisions.append(ending)
        return decisions
    }

    private var beginning: Decision {
        guard let id = run.lineage.previousRunID else {
            return Decision("run", "first of execution '\(run.executionID)'", because: "it names no earlier run")
        }
        let relation = run.request["relation"]?.string ?? "resume"
        let change =
            previous.map { $0.definition == run.definition } ?? true
            ? "" : "; the definition of the processor changed in between"
        return Decision(
            "run", "\(relation) of run '\(id)', number \(run.lineage.retryCount) after '\(run.lineage.parentRunID)'",
            because: "that run was \(previous?.status.rawValue ?? "not on record")\(change)")
    }

    private var runnerReason: String {
        let word = run.request["flags"]?["runner"]?.string
        if word == "auto" { return "chosen by 'auto' for \(run.counts.total) inputs" }
        return word == nil ? "the pipeline or the default says so" : "asked for"
    }

    private var baseCharge: [Decision] {
        guard base.isEmpty else {
            return base.map { charge in
                let origin = charge.basis.priceSource?.rawValue ?? "price list"
                return Decision(
                    "base charge", "\(charge.cost) \(currency)",
                    because: "price from \(origin), key \(charge.key ?? "none") was not on record")
            }
        }
        if run.error?.code == .budgetExhausted, run.counts.skipped == run.counts.total {
            return [Decision("base charge", "refused", because: "it does not fit a budget")]
        }
        guard let earlierBase else { return [Decision("base charge", "none", because: "nothing was due")] }
        return [
            Decision(
                "base charge", "none",
                because: "run '\(earlierBase.runID)' was charged \(earlierBase.cost) under key "
                    + "\(earlierBase.key ?? "none")")
        ]
    }

    private func notice(_ event: Event) -> Decision? {
        switch event.kind {
        case .hint, .warning:
            Decision(event.kind.rawValue, event.data["message"]?.string ?? "")
        case .budgetWarning, .budgetExceeded:
            Decision(
                "budget", event.kind == .budgetWarning ? "warning" : "exceeded",
                because: event.data["message"]?.string
                    ?? "'\(event.data["budget"]?.string ?? "")' of \(event.data["limit"]?.number.map { "\($0)" } ?? "?")"
            )
        case .breakerOpen, .breakerHalfOpen, .breakerClosed:
            Decision(
                "circuit breaker", event.kind.rawValue, because: "service '\(event.data["service"]?.string ?? "")'")
        default: nil
        }
    }

    private var ending: Decision {
        let counts = run.counts
        let reason =
            run.error.map { "\($0.code.rawValue): \($0.message)" }
            ?? "\(counts.succeeded) of \(counts.total) inputs succeeded"
        return Decision("status", run.status.rawValue, because: reason)
    }

    // MARK: An input

    /// Returns the decisions about one input.
    ///
    /// - Parameter outcome: how it ended; `nil` when it has not.
    public func of(_ entry: StoredItem, _ outcome: Outcome?) -> [Decision] {
        let id = ExternalID(unchecked: entry.item.id)
        var decisions = [Decision("input", handling(entry, outcome), because: reason(entry, outcome))]
        for step in outcome?.steps ?? [] {
            decisions.append(
                Decision(
                    "step '\(step.name)'", step.restored ? "not run" : step.failed ? "failed" : "run",
                    because: step.restored ? "its value was saved before" : "took \(step.duration.secondsText)"))
        }
        decisions += (events[id] ?? []).compactMap(attempt)
        decisions += (charges[id] ?? []).map(charge)
        let charged = Set((charges[id] ?? []).compactMap(\.key))
        decisions += (calls[id] ?? []).filter { !charged.contains($0.chargeKey) }.map(call)
        if charges[id] == nil, calls[id] == nil {
            decisions.append(Decision("charges", "none", because: noCharge(outcome)))
        }
        if let outcome { decisions.append(end(outcome)) }
        return decisions
    }

    private func handling(_ entry: StoredItem, _ outcome: Outcome?) -> String {
        guard let outcome else { return "not finished" }
        if outcome.cached { return "answered from the cache" }
        if outcome.carried { return outcome.status == .succeeded ? outcome.carriedInWords : "kept" }
        if outcome.attempts == 0 { return "not worked on" }
        let steps =
            outcome.isKept
            ? "resumed under on_change: keep" : outcome.steps.contains(where: \.restored) ? "resumed" : "run"
        return outcome.attempts == 1 ? steps : "\(steps), \(outcome.attempts) attempts"
    }

    private func reason(_ entry: StoredItem, _ outcome: Outcome?) -> String {
        if let outcome, outcome.cached { return "its result was stored there before" }
        if let outcome, outcome.attempts == 0, !outcome.carried, let reason = outcome.reason { return reason.rawValue }
        let words = entry.basis?.words ?? (outcome?.carried == true ? ItemBasis.finished.words : "")
        return entry.item.payload == nil ? words : words + "; it came with a resume point"
    }

    private func attempt(_ event: Event) -> Decision? {
        guard event.kind == .itemRetry else { return nil }
        let number = event.data["attempt"]?.number?.integer ?? 1
        let wait = event.data["after_ms"]?.number?.integer ?? 0
        return Decision(
            "attempt \(number)", "failed, the next after \(Duration.milliseconds(wait).secondsText)",
            because: "\(event.data["code"]?.string ?? ""): \(event.data["message"]?.string ?? "")")
    }

    private func charge(_ charge: Charge) -> Decision {
        let subject = "\(charge.kind == .call ? "call" : "charge") \(charge.service)/\(charge.operation)"
        if charge.isCacheHit {
            let since = charge.basis.cachedAt.map { " since \($0)" } ?? ""
            return Decision(
                subject, "cache hit, 0.00 \(currency)",
                because: "the same was paid for before\(since); \(charge.avoidedCost ?? .zero) avoided")
        }
        if charge.basis.cause == .failure {
            return Decision(subject, "\(charge.cost) \(currency)", because: "it failed and is billed all the same")
        }
        if let resolution = charge.basis.resolution {
            return Decision(
                subject, "\(charge.cost) \(currency)",
                because: "it was in doubt; settled \(resolution.rawValue)")
        }
        if charge.basis.priceSource == PriceOrigin.none {
            return Decision(subject, "\(charge.cost) \(currency)", because: "nobody named a price")
        }
        let reason = charge.kind == .call ? "the cache had no answer" : "it was used"
        return Decision(subject, "\(charge.cost) \(currency)", because: reason)
    }

    private func call(_ call: CallRecord) -> Decision {
        let subject = "call \(call.service)/\(call.operation)"
        switch call.state {
        case .inDoubt, .open:
            return Decision(
                subject, "in doubt, up to \(call.maximumCost) \(currency)",
                because: "nobody knows whether it was carried out; see 'assay costs in-doubt'")
        case .released: return Decision(subject, "not charged", because: "it failed")
        case .settled: return Decision(subject, "charged by another run", because: "it was made again there")
        }
    }

    private func noCharge(_ outcome: Outcome?) -> String {
        if outcome?.carried == true { return "nothing was done for it in this run" }
        return outcome?.attempts == 0 ? "it was not worked on" : "nothing that it did costs anything"
    }

    private func end(_ outcome: Outcome) -> Decision {
        let failure = outcome.error.map {
            "\($0.code.rawValue) in \($0.processorID.map { "\($0)/" } ?? "")\($0.step): \($0.message)"
        }
        return Decision("status", outcome.status.rawValue, because: failure ?? outcome.reason?.rawValue ?? "")
    }
}

extension Engine {
    /// Explains why things happened in a run as they did.
    ///
    /// - Throws: ``ProcessingError`` with code `not_found` for an unknown run.
    public func explanation(of id: Run.ID) async throws -> Explanation {
        try await Explanation(of: existingRun(id), from: store)
    }
}
