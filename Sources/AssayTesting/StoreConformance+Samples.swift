import Assay

enum Sample {
    static func id(_ text: String) -> Identifier { Identifier(text)! }

    static func moment(_ milliseconds: Int) -> Timestamp {
        Timestamp(milliseconds: 1_740_993_300_000 + Int64(milliseconds))
    }

    static func money(_ units: Int64) -> Money { Money(billionths: units * 1_000_000_000) }

    static let definition = Digest(of: ["version": "1"])

    static let lineage = Lineage(
        parentRunID: id("run_0"), previousRunID: id("run_0"), retryCount: 1, lastErrorStep: "ocr",
        metadata: ["ticket": 7, "notes": ["a", .null]])

    static let subject = CheckpointSubject(executionID: id("exec_1"), processorID: id("statement"), inputID: "doc_0")

    static let failure: FailureRecord = {
        var point = ResumePoint()
        point.step = "score"
        point.data = .null
        point.inputDigest = definition
        return FailureRecord(
            inputID: "doc_2", step: "score", exception: "ParseError", message: "line 3:\n\"x\" is not a number",
            code: .extraction, phase: .extraction, attempt: 2, retryable: true, resumePoint: point)
    }()

    static let metrics: RunMetrics = {
        var metrics = RunMetrics()
        (metrics.retriedItems, metrics.cacheHits, metrics.cacheMisses) = (1, 2, 3)
        metrics.avoidedCost = MoneySum(money(4))
        var step = RunMetrics.Step(name: "ocr")
        (step.calls, step.restored, step.failures) = (5, 6, 7)
        (step.total, step.longest) = (.microseconds(8_001), .nanoseconds(9))
        metrics.steps = [step, RunMetrics.Step(name: "score")]
        var node = NodeMetrics(.numbered("node_", 1))
        (node.state, node.items, node.reused, node.attempts) = (.failed, 3, 1, 5)
        (node.errors, node.lastError) = (1, "extraction: no text")
        (node.total, node.uptime, node.cost) = (.microseconds(8_001), .nanoseconds(9_000_000_001), MoneySum(money(4)))
        (node.startedAt, node.config) = (Timestamp(milliseconds: 5), ["concurrency": 10])
        metrics.nodes = [node, NodeMetrics(.numbered("node_", 2))]
        return metrics
    }()

    static func run(
        _ name: String, execution: String = "exec_1", processor: String = "statement", startedAt: Int64 = 0,
        lineage: Lineage? = nil
    ) -> Run {
        Run(
            id: id(name), executionID: id(execution), processorID: id(processor), definition: definition,
            scope: Scope(accountID: ExternalID("acc \u{E9}"), underwritingID: nil, executionID: id(execution)),
            lineage: lineage ?? Lineage(parentRunID: id(name)), runner: "thread", request: ["pipeline": ["a", 1]],
            startedAt: moment(Int(startedAt)), isListed: true)
    }

    static func begun(in store: any Store, items: Int) async throws -> Run {
        let run = run("run_1")
        try await store.begin(run)
        try await store.append(self.items(items), settled: [], to: run.id, epoch: run.epoch)
        return run
    }

    static func items(_ count: Int) -> [StoredItem] {
        (0..<count).map { StoredItem(Item("doc_\($0)", $0), index: $0) }
    }

    static func item(_ index: Int) -> StoredItem {
        let item = Item(
            "doc_\(index)", JSONValue.number(Number(index)), accountID: index == 1 ? "acc" : nil,
            underwritingID: index == 2 ? "uw" : nil, executionID: index == 3 ? "exec_1" : nil,
            payload: index == 4 ? ["step": "ocr"] : nil)
        return StoredItem(
            item, index: index, transformed: index == 1 ? Payload("t") : nil, inputChanged: index == 2,
            settled: index == 3)
    }

    static func success(_ index: Int) -> Outcome {
        var outcome = Outcome(inputID: "doc_\(index)", index: index, status: .succeeded)
        outcome.output = Payload(index)
        outcome.attempts = 1
        return outcome
    }

    static func failed(_ index: Int) -> Outcome {
        var outcome = Outcome(inputID: "doc_\(index)", index: index, status: .failed)
        outcome.error = failure
        // Everything that can be absent or null must stay what it is.
        let deep = (1...JSONValue.maximumDepth).reduce(JSONValue.null) { value, _ in [value] }
        outcome.error?.resumePoint = try? ResumePoint(
            json: ["step": "score", "saved": [["step": "ocr", "value": deep], ["step": "read", "value": .null]]])
        outcome.attempts = 3
        return outcome
    }

    static func detailed(_ index: Int) -> Outcome {
        var outcome = success(index)
        outcome.output = Payload(json: .null)
        (outcome.cost, outcome.avoidedCost) = (Money(billionths: 1), money(5))
        outcome.duration = .nanoseconds(1_234_567_891)
        (outcome.cached, outcome.carried, outcome.inputChanged, outcome.isKept) = (true, true, true, true)
        outcome.steps = [
            Outcome.Step(name: "ocr/page#2", restored: true, duration: .zero),
            Outcome.Step(name: "score", restored: false, failed: true, duration: .microseconds(15)),
        ]
        return outcome
    }

    static func charge(
        _ costID: String, key: String? = nil, run: String = "run_1", execution: String = "exec_1",
        cost: Int64 = 500_000_000, at time: Int = 0, metadata: JSONObject = [:]
    ) -> Charge {
        Charge(
            costID: costID, key: key, kind: .call, runID: id(run), executionID: id(execution),
            processorID: id("statement"), inputID: "doc_0", itemIndex: 0, service: "ocr", operation: "page",
            cost: Money(billionths: cost), timestamp: moment(time), metadata: metadata)
    }

    static func attempt(_ number: Int) -> AttemptID { AttemptID(of: run("run_1"), place: 0, number: number) }

    static func call(_ name: String, input: String? = "doc_0", key: String = "a") -> CallRecord {
        CallRecord(
            callID: name, idempotencyKey: "0a1b", state: .open, runID: id("run_1"), executionID: id("exec_1"),
            processorID: id("statement"), inputID: input, service: "clear", operation: "search", callKey: key,
            maximumCost: money(5), timestamp: moment(0), unitPrice: money(3), billing: .onAttempt,
            timeToLive: .seconds(60), isRepeat: true, attempt: attempt(1))
    }

    static func cacheEntry(_ key: String, _ value: JSONValue) -> CacheEntry {
        CacheEntry(
            key: key, service: "clear", operation: "search", value: value, storedAt: moment(0),
            expiresAt: value == .null ? nil : moment(1_000), cost: money(5),
            keyed: value == .null ? [:] : ["page": .init(money(2), in: "read"), "whole": .init(money(1), in: nil)],
            costID: "c1")
    }

    /// Stores `a` and `b` of a service, `c` of a processor, and `d` of another service; `a` is used twice, `b` never
    /// expires.
    static func fillCache(of store: any Store) async throws {
        var entries = [cacheEntry("a", 1), cacheEntry("b", .null), cacheEntry("c", 2), cacheEntry("d", 3)]
        (entries[2].service, entries[2].operation) = ("statement", "extract")
        (entries[3].service, entries[3].operation) = ("statement", "page")
        for (number, entry) in entries.enumerated() {
            try await store.file(call("call_\(number)"), charge: nil, cached: entry)
        }
        for number in 1...2 { try await store.useCacheEntry("a", charge: charge("hit_\(number)", cost: 0)) }
    }

    static func checkpoint(_ step: String, _ value: JSONValue) -> Checkpoint {
        Checkpoint(
            subject: subject, step: step, inputDigest: definition, definition: definition, runID: id("run_1"), epoch: 1,
            value: value, savedAt: moment(0))
    }

    static func event(_ sequence: Int, run: Run.ID) -> Event {
        Event(
            .itemComplete, sequence: sequence, timestamp: moment(sequence), runID: run, executionID: id("exec_1"),
            processorID: sequence == 2 ? nil : id("statement"), inputID: sequence == 3 ? nil : "doc_\(sequence)",
            data: ["status": "succeeded", "attempts": .number(Number(sequence))])
    }

    // Types without `==` are compared as text that contains everything relevant.

    static func text(_ run: Run) throws -> String {
        let parts: [String] = [
            try run.jsonValue.json, run.definition.text, "\(run.scope)", run.request.json, "\(run.epoch)",
            "\(String(describing: run.duration))",
        ]
        return parts.joined(separator: "\n")
    }

    static func text(_ item: StoredItem) throws -> String {
        let parts: [JSONValue] = [
            .string(item.item.id), try item.item.data.json(), item.item.accountID.map { .string($0) } ?? .null,
            item.item.underwritingID.map { .string($0) } ?? .null, item.item.executionID.map { .string($0) } ?? .null,
            item.item.payload ?? "none", .number(Number(item.index)), try item.transformed?.json() ?? "none",
            .bool(item.inputChanged), .bool(item.settled),
        ]
        return JSONValue.array(parts).json
    }

    static func text(_ outcome: Outcome) throws -> String {
        try outcome.jsonValue().json + "\n\(outcome.duration) \(outcome.output == nil)"
    }
}
