public import Assay

/// A result of a failed check; its description says where.
public struct Finding: Error, CustomStringConvertible {
    public let description: String

    /// Creates a finding with `description`.
    public init(_ description: String) { self.description = description }

    /// Throws a finding unless `condition` holds.
    public static func unless(_ condition: Bool, _ description: @autoclosure () -> String) throws {
        if !condition { throw Finding(description()) }
    }

    /// Throws a finding that names the first place where two values differ.
    public static func unlessEqual(_ found: JSONValue, _ expected: JSONValue, _ what: String) throws {
        guard let place = firstDifference(found, expected, at: what) else { return }
        throw Finding(place)
    }

    private static func firstDifference(_ found: JSONValue, _ expected: JSONValue, at place: String) -> String? {
        switch (found, expected) {
        case (.object(let left), .object(let right)):
            for key in Set(left.keys).union(right.keys).sorted() {
                guard let a = left[key], let b = right[key] else {
                    return
                        "\(place).\(key) is \(left[key]?.json ?? "missing"), expected \(right[key]?.json ?? "nothing")"
                }
                if let found = firstDifference(a, b, at: "\(place).\(key)") { return found }
            }
            return nil
        case (.array(let left), .array(let right)) where left.count == right.count:
            for (index, (a, b)) in zip(left, right).enumerated() {
                if let found = firstDifference(a, b, at: "\(place)[\(index)]") { return found }
            }
            return nil
        default: return found == expected ? nil : "\(place) is \(found.json), expected \(expected.json)"
        }
    }
}

extension Report {
    /// Returns the part on which every runner must agree, as JSON: outcomes, summary, failures and bill, without random
    /// names, times and durations.
    public func comparable() throws -> JSONValue {
        let all = try jsonValue()
        var kept = JSONObject()
        for key in ["status", "counts", "outcomes", "summary", "payloads", "cost_breakdown", "error"] {
            kept[key] = all[key]
        }
        return JSONValue.object(kept).withoutChance
    }
}

extension JSONValue {
    private static let givenByChance: Set<String> = [
        "run_id", "execution_id", "cost_id", "call_id", "idempotency_key", "timestamp", "cached_at", "duration_ms",
    ]

    fileprivate var withoutChance: JSONValue {
        switch self {
        case .array(let elements): return .array(elements.map(\.withoutChance))
        case .object(let object):
            var kept = JSONObject()
            for member in object.members where !Self.givenByChance.contains(member.key) {
                kept[member.key] = member.value.withoutChance
            }
            return .object(kept)
        case .null, .bool, .number, .string: return self
        }
    }
}

/// A comparison of runners: one processor over one list of items, interrupted in every possible way.
///
/// The story for each runner: a run in which nothing fails; for each step, a run whose store fails to save that step
/// for the first item that uses it, and the resume of that run; a run in the same execution with one input changed.
public struct RunnerComparison: Sendable {
    private let processor: RegisteredProcessor
    private let items: [Item]
    private let changed: Item
    private let prices: PriceList
    private let options: RunOptions

    /// Creates a comparison of `processor` over `items`.
    ///
    /// - Parameters:
    ///   - changed: an item of the list with other data.
    ///   - options: the options of every run; the runner is replaced.
    public init(
        _ processor: RegisteredProcessor, over items: [Item], changing changed: Item, prices: PriceList = PriceList(),
        options: RunOptions = RunOptions()
    ) {
        self.processor = processor
        self.items = items
        self.changed = changed
        self.prices = prices
        self.options = options
    }

    /// Runs the story under each of `runners`.
    ///
    /// - Throws: ``Finding``, which names the first place where a runner differs from the first one, or where a resumed
    ///   run did not end like the run in which nothing failed.
    public func check(under runners: [any Runner]) async throws {
        var expected: [(chapter: String, report: JSONValue)]?
        for runner in runners {
            let story = try await tell(under: runner)
            if let expected {
                let names = [story.map(\.chapter), expected.map(\.chapter)]
                try Finding.unless(names[0] == names[1], "\(runner.name) tells \(names[0]), expected \(names[1])")
                for (found, expected) in zip(story, expected) {
                    try Finding.unlessEqual(found.report, expected.report, "\(runner.name), \(found.chapter):")
                }
            }
            expected = expected ?? story
        }
    }

    private func tell(under runner: any Runner) async throws -> [(chapter: String, report: JSONValue)] {
        var options = options
        options.runner = runner
        let whole = try await engine(MemoryStore()).run(processor, over: items, options: options)
        var story = [("nothing fails", try whole.comparable())]

        for place in Self.steps(of: whole) {
            let faults = Counter()
            let store = FaultyStore { write in
                guard case .save(let checkpoint) = write, checkpoint.step == place.step,
                    checkpoint.subject.inputID == place.inputID, faults.next() == 1
                else { return }
                throw ProcessingError(.store, "the disk is full", retryable: false)
            }
            let engine = engine(store)
            let failed = try await engine.run(processor, over: items, options: options)
            let resumed = try await engine.resume(failed.runID, with: processor, options: options)
            story.append(("\(place.step) fails", try failed.comparable()))
            story.append(("\(place.step) is resumed", try resumed.comparable()))
            for (found, expected) in zip(resumed.outcomes, whole.outcomes) {
                try Finding.unlessEqual(
                    try found.output?.json() ?? .null, try expected.output?.json() ?? .null,
                    "\(runner.name), output of '\(found.inputID)' resumed at \(place.step)")
            }
        }

        let engine = engine(MemoryStore())
        let first = try await engine.run(processor, over: items, options: options)
        options.executionID = first.executionID
        options.previousRunID = first.runID
        let others = items.map { $0.id == changed.id ? changed : $0 }
        story.append(("an input changes", try await engine.run(processor, over: others, options: options).comparable()))
        return story
    }

    private func engine(_ store: any Store) -> Engine { Engine(store: store, prices: prices, world: .testing()) }

    /// Returns each step with the first item that used it.
    private static func steps(of report: Report) -> [(step: String, inputID: String)] {
        var places: [(step: String, inputID: String)] = []
        for outcome in report.outcomes {
            for step in outcome.steps where !places.contains(where: { $0.step == step.name }) {
                places.append((step.name, outcome.inputID))
            }
        }
        return places
    }
}
