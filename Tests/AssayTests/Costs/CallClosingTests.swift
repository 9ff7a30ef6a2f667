import AssayTesting
import Testing

@testable import Assay

@Suite("The end of a paid call") struct CallClosingTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var end: CallEnd
        var settlement: Call.Settlement?
        var isCancelled = false
        var isRepeat = false
        var billing = CallOptions.Billing.onSuccess
        var policy = DoubtPolicy.hold
        var unitPrice: Money? = "0.75"
        var state: CallRecord.State
        var cost: Money?
        var resolution: Charge.Basis.Resolution?
        var cause = Charge.Basis.Cause.used
        var isInDoubt = false
    }

    static let refused = ProcessingError(.api, "HTTP 500")
    static let unknown = ProcessingError(.api, "connection lost", outcomeUnknown: true)
    static let notTaken: ProcessingError = {
        var error = refused
        error.wasNotTaken = true
        return error
    }()
    static let paid = Call.Settlement(cost: .amount("0.40"), metadata: [:])
    static let unreadable = Call.Settlement(cost: .unreadable("a lot"), metadata: [:])
    static let noted = Call.Settlement(cost: nil, metadata: ["pages": 3])

    static let cases: [Case] = [
        Case(testDescription: "returned", end: .returned(Payload(1)), state: .settled, cost: "0.75"),
        Case(testDescription: "made", end: .made, state: .settled, cost: "0.75"),
        Case(testDescription: "made, no price", end: .made, unitPrice: nil, state: .settled, cost: "1.00"),
        Case(testDescription: "made, with a note", end: .made, settlement: noted, state: .settled, cost: "0.75"),
        Case(testDescription: "made, settled", end: .made, settlement: paid, state: .settled, cost: "0.40"),
        Case(testDescription: "made, unreadable", end: .made, settlement: unreadable, state: .settled, cost: "1.00"),
        Case(
            testDescription: "made again", end: .made, isRepeat: true, state: .settled, cost: "0.75",
            resolution: .repetition),
        Case(testDescription: "not made", end: .notMade, state: .released),
        Case(testDescription: "not made again", end: .notMade, isRepeat: true, state: .inDoubt, isInDoubt: true),
        Case(
            testDescription: "not made again, whatever the policy", end: .notMade, isRepeat: true, policy: .settle,
            state: .inDoubt, isInDoubt: true),
        Case(testDescription: "refused", end: .threw(refused), state: .released),
        Case(
            testDescription: "refused again", end: .threw(refused), isRepeat: true, state: .released,
            resolution: .repetition),
        Case(
            testDescription: "not taken again", end: .threw(notTaken), isRepeat: true, state: .inDoubt,
            isInDoubt: true),
        Case(testDescription: "not taken", end: .threw(notTaken), state: .released),
        Case(
            testDescription: "refused, billed on attempt", end: .threw(refused), billing: .onAttempt, state: .settled,
            cost: "0.75", cause: .failure),
        Case(
            testDescription: "refused, billed on attempt at its maximum", end: .threw(refused), billing: .onAttempt,
            unitPrice: nil, state: .settled, cost: "1.00", cause: .failure),
        Case(
            testDescription: "refused, settled", end: .threw(refused), settlement: paid, state: .settled, cost: "0.40",
            cause: .failure),
        Case(testDescription: "lost", end: .threw(unknown), state: .inDoubt, isInDoubt: true),
        Case(
            testDescription: "lost, settled", end: .threw(unknown), settlement: paid, state: .settled, cost: "0.40",
            cause: .failure),
        Case(
            testDescription: "lost, billed on attempt", end: .threw(unknown), billing: .onAttempt, state: .inDoubt,
            isInDoubt: true),
        Case(
            testDescription: "lost, policy settles", end: .threw(unknown), policy: .settle, state: .settled,
            cost: "1.00", resolution: .policy, isInDoubt: true),
        Case(
            testDescription: "lost, policy releases", end: .threw(unknown), policy: .release, state: .released,
            resolution: .policy, isInDoubt: true),
        Case(
            testDescription: "lost again, policy releases", end: .threw(unknown), isRepeat: true, policy: .release,
            state: .released, resolution: .policy, isInDoubt: true),
        Case(
            testDescription: "timed out", end: .threw(ProcessingError(.timeout, "")), state: .inDoubt, isInDoubt: true),
        Case(
            testDescription: "crashed", end: .threw(ProcessingError(.workerCrashed, "")), state: .inDoubt,
            isInDoubt: true),
        Case(testDescription: "cancelled", end: .threw(CancellationError()), state: .inDoubt, isInDoubt: true),
        Case(
            testDescription: "refused while cancelled", end: .threw(refused), isCancelled: true, state: .inDoubt,
            isInDoubt: true),
    ]

    static func record(_ row: Case, in state: CallRecord.State = .open) -> CallRecord {
        CallRecord(
            callID: "c", idempotencyKey: "0a", state: state, runID: .numbered("run_", 1),
            executionID: .numbered("exec_", 1), processorID: .numbered("p_", 1), inputID: "a", service: "clear",
            operation: "search", callKey: "k", maximumCost: "1.00", timestamp: Timestamp(milliseconds: 0),
            doubtPolicy: row.policy, unitPrice: row.unitPrice, billing: row.billing, isRepeat: row.isRepeat)
    }

    @Test("decides its state, its cost and why", arguments: cases) func closed(row: Case) {
        let closing = Self.record(row).closed(by: row.end, row.settlement, isCancelled: row.isCancelled)
        #expect(closing.record.state == row.state)
        #expect(closing.cost == row.cost)
        #expect(closing.record.resolution == row.resolution)
        #expect(closing.basis.cause == row.cause)
        #expect(closing.basis.resolution == (row.state == .settled ? row.resolution : nil))
        #expect(closing.isInDoubt == row.isInDoubt)
        #expect(closing.unreadable == (row.testDescription.contains("unreadable") ? "a lot" : nil))
    }

    @Test(
        "decides the same when the call was put in doubt or decided in the meantime", arguments: cases,
        [CallRecord.State.inDoubt, .released])
    func late(row: Case, state: CallRecord.State) {
        var decided = Self.record(row).decided(as: state, .policy)
        decided.runID = .numbered("run_", 1)
        let closing = decided.closed(by: row.end, row.settlement, isCancelled: row.isCancelled)
        let inTime = Self.record(row).closed(by: row.end, row.settlement, isCancelled: row.isCancelled)
        #expect(closing.record == inTime.record)
        #expect(closing.cost == inTime.cost)
    }

    @Test(
        "leaves an intent in doubt when its program ends, and nothing else",
        arguments: [
            (CallRecord.State.open, CallRecord.State.inDoubt), (.settled, .settled), (.released, .released),
            (.inDoubt, .inDoubt),
        ])
    func abandoned(before: CallRecord.State, after: CallRecord.State) {
        #expect(Self.record(Self.cases[0], in: before).abandoned.state == after)
    }

    @Test(
        "reserves the larger amount when it is made again",
        arguments: [
            (nil, "1.00"), ("0.50", "1.00"), ("2.00", "2.00"),
        ] as [(Money?, Money)])
    func repeated(reservation: Money?, maximum: Money) {
        var run = CostsSupport.run
        run.epoch = 2
        let record = Self.record(Self.cases[0], in: .inDoubt).repeated(by: run, reserving: reservation)
        #expect(record.state == .open && record.isRepeat && record.runID == run.id)
        #expect(record.idempotencyKey == "0a" && record.maximumCost == maximum)
    }
}
