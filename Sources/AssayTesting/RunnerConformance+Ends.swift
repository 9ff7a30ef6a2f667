import Assay
import Foundation
import Synchronization

extension RunnerRule {
    /// Rules about how work ends other than by its own answer.
    static let ends: [RunnerRule] = [
        stopGivesUp, timeoutGivesUp, silenceGivesUp, lateAnswersChangeNothing, budgetsRefuse, largeValues,
    ]

    /// Rules for runners whose workers are programs of their own, which may die.
    public static let ofPrograms: [RunnerRule] = [crashesCostOneAttempt, poisonFails]

    /// A processor that does what its input says.
    static var obedient: RegisteredProcessor { get throws { try RegisteredProcessor(ObedientProcessor()) } }

    // MARK: Rules

    private static let stopGivesUp = RunnerRule("a stop gives up what is at work, and a resume does it") { runner in
        let handle = Mutex<RunHandle?>(nil)
        let engine = Engine(world: .testing())
        let items = ["wait in the first run", "second", "third"].map { Item($0, $0) }
        var options = RunOptions()
        options.runner = runner
        options.onChunk = { _, _ in handle.withLock { $0?.cancel() } }
        let report = try await engine.run(try obedient, over: items, options: options) { run in
            handle.withLock { $0 = run }
        }
        try Finding.unless(report.status == .cancelled, "the stopped run is \(report.status.rawValue)")
        let stopped = report.outcomes[0]
        try Finding.unless(
            stopped.status == .cancelled && stopped.reason == .runCancelled && stopped.output == nil,
            "the item at work is \(stopped.status.rawValue)")
        options.onChunk = nil
        let resumed = try await engine.resume(report.runID, with: try obedient, options: options)
        try Finding.unless(
            try resumed.outputs(as: String.self) == items.map(\.id),
            "the resumed run is \(resumed.status.rawValue)")
    }

    private static let timeoutGivesUp = RunnerRule("an attempt out of time is given up, and the next one has all of it")
    {
        let reports = try await watched(["wait at the first attempt", "after it"], $0) { options in
            options.itemTimeout = .seconds(10)
            options.retryPolicy = try RetryPolicy(maxRetries: 1, initialDelay: 0)
        }
        let attempts = reports.map { $0.outcomes[0].attempts }
        try Finding.unless(attempts == [2, 1], "they had \(attempts) attempts")
        try Finding.unless(reports.allSatisfy(\.success), "the runs are \(reports.map(\.status.rawValue))")
    }

    private static let silenceGivesUp = RunnerRule("an attempt that is silent for too long is given up") {
        let reports = try await watched(["wait"], $0) { options in options.heartbeatTimeout = .seconds(10) }
        let error = reports[0].outcomes[0].error
        try Finding.unless(
            error?.code == .timeout && error?.message == "no heartbeat for 10 s",
            "the error is \(error?.message ?? "none")"
        )
    }

    private static let lateAnswersChangeNothing = RunnerRule("what comes after an attempt was given up changes nothing")
    {
        let reports = try await watched(["answer late", "after it"], $0) { options in options.itemTimeout = .seconds(10)
        }
        let late = reports[0].outcomes[0]
        try Finding.unless(
            late.status == .failed && late.error?.code == .timeout && late.output == nil && late.steps.isEmpty,
            "the late item is \(late.status.rawValue) with \(late.steps.count) steps")
        try Finding.unless(reports[1].success, "the next item is not done")
    }

    private static let budgetsRefuse = RunnerRule(
        "a charge that a budget refuses is not made, and its item is not done"
    ) {
        runner in
        func ends(_ runner: any Runner) async throws -> JSONValue {
            var options = RunOptions()
            options.runner = runner
            options.budgets = [try Budget(Money(5))]
            let report = try await Engine(world: .testing()).run(
                try obedient, over: [Item("dear", "charge 9")], options: options)
            return [
                "status": .string(report.status.rawValue), "cost": report.bill.totalCost.jsonValue,
                "outcomes": .array(
                    report.outcomes.map { [.string($0.status.rawValue), .string($0.error?.message ?? "")] }),
            ]
        }
        try Finding.unlessEqual(try await ends(runner), try await ends(.sequential), "the run")
    }

    private static let largeValues = RunnerRule("a value arrives whole, or is refused with its size") {
        for mebibytes in [1, 17] {
            let text = String(repeating: "x", count: mebibytes << 20)
            var options = RunOptions()
            options.runner = $0
            let report = try await Engine(world: .testing()).run(
                try obedient, over: [Item("large", text), Item("small", "after it")], options: options)
            let large = report.outcomes[0]
            if large.status == .succeeded {
                try Finding.unless(try report.outputs(as: String.self)[0] == text, "\(mebibytes) MiB came back changed")
            } else {
                try Finding.unless(
                    mebibytes > 1 && large.error?.message.contains("\(mebibytes).0 MiB") == true
                        && large.error?.retryable == false, "\(mebibytes) MiB: \(large.error?.message ?? "no error")")
            }
            try Finding.unless(report.outcomes[1].status == .succeeded, "the next item is not done")
        }
    }

    private static let crashesCostOneAttempt = RunnerRule(
        "a worker that dies costs one attempt of its item, nothing else"
    ) {
        var options = RunOptions()
        options.runner = $0
        let inputs = (0..<12).map { $0 == 5 ? "die at the first attempt" : "item \($0)" }
        let report = try await Engine(world: .testing()).run(
            try obedient, over: inputs.enumerated().map { Item("n\($0)", $1) }, options: options)
        try Finding.unless(try report.outputs(as: String.self) == inputs, "the outputs are not the inputs")
        let attempts = report.outcomes.map(\.attempts)
        try Finding.unless(attempts == (0..<12).map { $0 == 5 ? 2 : 1 }, "the attempts are \(attempts)")
    }

    private static let poisonFails = RunnerRule(
        "an item that kills every worker fails alone, after max_crashes of them"
    ) {
        var options = RunOptions()
        options.runner = $0
        options.maxCrashes = 2
        let report = try await Engine(world: .testing()).run(
            try obedient, over: ["before it", "die", "after it"].map { Item($0, $0) }, options: options)
        let failed = report.outcomes[1]
        try Finding.unless(
            failed.error?.code == .workerCrashed && failed.reason == .poison && failed.attempts == 2,
            "the item is \(failed.status.rawValue) after \(failed.attempts) attempts")
        try Finding.unless(report.counts.succeeded == 2, "\(report.counts.succeeded) others are done")
    }

    // MARK: Runs

    /// Runs the obedient processor over each input in a run of its own, on a clock that moves by 10 s whenever an item
    /// says that it is at work.
    private static func watched(
        _ inputs: [String], _ runner: any Runner, _ change: (inout RunOptions) throws -> Void
    ) async throws -> [Report] {
        let time = ManualTime()
        let engine = Engine(world: .testing(time: time))
        var reports: [Report] = []
        for input in inputs {
            var options = RunOptions()
            options.runner = runner
            options.onChunk = { _, _ in time.advance(by: .seconds(10)) }
            try change(&options)
            reports.append(try await engine.run(try obedient, over: [Item(input, input)], options: options))
        }
        return reports
    }
}

/// A processor that does what its input says, and returns it.
private struct ObedientProcessor: Processor {
    let name = "obedient"

    func extract(_ input: String, in context: Context) async throws -> String {
        switch input {
        case "wait": try await wait(context)
        case "wait at the first attempt" where context.attempt == 1: try await wait(context)
        case "wait in the first run" where context.lineage.retryCount == 0: try await wait(context)
        case "answer late":
            try? await wait(context)
            return try await context.step("late") { input }
        case "charge 9": try await context.charge("desk", "open", cost: Money(9))
        case "die": kill(getpid(), SIGKILL)
        case "die at the first attempt" where context.attempt == 1: kill(getpid(), SIGKILL)
        default: break
        }
        return input
    }

    /// Says that it is at work, and waits until it is given up, which ends the sleep.
    private func wait(_ context: Context) async throws {
        try await context.emit("at work")
        try await Task.sleep(for: .seconds(3_600))
    }
}
