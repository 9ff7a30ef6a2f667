import Assay
import AssaySQLite
import Foundation

// Works on a store until it is killed: `AssaySQLiteKillHelper DATABASE RUN`.
//
// Prints the index of an item, a line each, once its outcome is acknowledged, straight to the descriptor, so that what
// was printed before the kill can be read after it.

let arguments = CommandLine.arguments
guard arguments.count == 3, let runID = Identifier(arguments[2]) else {
    print("usage: AssaySQLiteKillHelper DATABASE RUN")
    exit(64)
}
try await work(in: SQLiteStore.open(arguments[1]), runID)

func work(in store: SQLiteStore, _ runID: Run.ID) async throws {
    let (workers, itemsEach) = (8, 64)
    let run = Run(
        id: runID, executionID: runID, processorID: Identifier("killed")!, definition: Digest(of: [:]), scope: Scope(),
        lineage: Lineage(parentRunID: runID), runner: "thread", request: [:], startedAt: World.system.time.now())
    try await store.begin(run)
    let count = workers * itemsEach
    let items = (0..<count).map { StoredItem(Item("doc_\($0)", $0), index: $0) }
    try await store.append(items, settled: [], to: run.id, epoch: run.epoch)
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
    }
    var outcome = Outcome(inputID: name, index: index, status: .succeeded)
    outcome.output = Payload(index)
    outcome.cost = charge.cost
    let accepted = try await store.commit([CommittedOutcome(outcome, charges: [charge])], of: run.id, epoch: run.epoch)
    guard accepted == [true] else { exit(1) }
    let line = Array("\(index)\n".utf8)
    guard write(STDOUT_FILENO, line, line.count) == line.count else { exit(1) }
}
