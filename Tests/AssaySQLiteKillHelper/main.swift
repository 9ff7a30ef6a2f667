import Assay
import AssaySQLite
import Foundation

// Works on a store until it is killed: `AssaySQLiteKillHelper DATABASE RUN [endless] [unconfirmed]`.
//
// Prints a line for everything that was acknowledged, straight to the descriptor, so that what was printed before the
// kill can be read after it: `run R`, `step R INDEX`, `call R INDEX`, `outcome R INDEX`, `end R`. With `endless` it goes
// from one run to the next; `unconfirmed` acknowledges what a power cut takes away.

let arguments = CommandLine.arguments
guard arguments.count > 2, let runID = Identifier(arguments[2]) else {
    print("usage: AssaySQLiteKillHelper DATABASE RUN [endless] [unconfirmed]")
    exit(64)
}
let store =
    try arguments.contains("unconfirmed")
    ? SQLiteStore.openUnconfirmed(arguments[1]) : SQLiteStore.open(arguments[1])
guard arguments.contains("endless") else {
    try await work(in: store, runID)
    exit(0)
}
for number in 1... {
    guard let next = Identifier("\(runID)_\(number)") else { exit(1) }
    try await work(in: store, next)
    try await end(next, in: store)
}

func say(_ words: String) {
    let line = Array("\(words)\n".utf8)
    guard write(STDOUT_FILENO, line, line.count) == line.count else { exit(1) }
}

func work(in store: SQLiteStore, _ runID: Run.ID) async throws {
    let (workers, itemsEach) = (8, 64)
    let run = Run(
        id: runID, executionID: runID, processorID: Identifier("killed")!, definition: Digest(of: [:]), scope: Scope(),
        lineage: Lineage(parentRunID: runID), runner: "thread", request: [:], startedAt: World.system.time.now())
    try await store.begin(run)
    let count = workers * itemsEach
    let items = (0..<count).map { StoredItem(Item("doc_\($0)", $0), index: $0) }
    try await store.append(items, settled: [], to: run.id, epoch: run.epoch)
    say("run \(run.id)")
    try await withThrowingTaskGroup(of: Void.self) { group in
        for worker in 0..<workers {
            group.addTask {
                for index in stride(from: worker, to: count, by: workers) {
                    try await finish(index, of: run, in: store)
                }
            }
        }
        try await group.waitForAll()
    }
}

func end(_ runID: Run.ID, in store: SQLiteStore) async throws {
    guard var run = try await store.run(runID), run.status == .running else { return }
    run.counts = try await store.currentCounts(of: runID)
    (run.status, run.finishedAt) = (.succeeded, World.system.time.now())
    try await store.update(run)
    say("end \(runID)")
}

func finish(_ index: Int, of run: Run, in store: SQLiteStore) async throws {
    let (name, now) = ("doc_\(index)", World.system.time.now())
    let charge = Charge(
        costID: "\(run.id)-\(index)", key: "usage|\(run.id)|\(name)", kind: .usage, runID: run.id,
        executionID: run.executionID, processorID: run.processorID, inputID: name, itemIndex: index, service: "ocr",
        operation: "page", cost: Money(billionths: 500_000_000), timestamp: now)
    if index % 7 == 0 {
        let subject = CheckpointSubject(executionID: run.executionID, processorID: run.processorID, inputID: name)
        let checkpoint = Checkpoint(
            subject: subject, step: "read", inputDigest: run.definition, definition: run.definition, runID: run.id,
            epoch: run.epoch, value: .number(Number(index)), savedAt: now)
        try await store.save(checkpoint, charges: [])
        say("step \(run.id) \(index)")
    }
    if index % 5 == 0 {
        var call = CallRecord(
            callID: "\(run.id)-\(index)", idempotencyKey: "\(run.id)-\(index)", state: .open, runID: run.id,
            executionID: run.executionID, processorID: run.processorID, inputID: name, service: "bureau",
            operation: "check", callKey: name, maximumCost: Money(billionths: 250_000_000), timestamp: now)
        call.itemIndex = index
        try await store.file(call, charge: nil, cached: nil)
        call.state = .settled
        var paid = charge
        (paid.costID, paid.key, paid.kind) = ("\(call.callID)-call", "call|\(call.callID)", .call)
        (paid.service, paid.operation, paid.cost) = (call.service, call.operation, call.maximumCost)
        guard try await store.file(call, charge: paid, cached: nil).isCharged else { exit(1) }
        say("call \(run.id) \(index)")
    }
    var outcome = Outcome(inputID: name, index: index, status: .succeeded)
    outcome.output = Payload(index)
    outcome.cost = charge.cost
    let accepted = try await store.commit([CommittedOutcome(outcome, charges: [charge])], of: run.id, epoch: run.epoch)
    guard accepted == [true] else { exit(1) }
    say("outcome \(run.id) \(index)")
}
