import Assay
import AssaySQLite

/// What a program said that it has on record, line by line.
struct Acknowledged {
    private var runs: [Run.ID: Set<String>] = [:]
    private(set) var count = 0

    /// Takes note of a line such as `outcome run_1 7`.
    mutating func note(_ line: Substring) {
        let words = line.split(separator: " ")
        guard words.count > 1, let run = Identifier(String(words[1])) else { return }
        runs[run, default: []].insert(([words[0]] + words[2...]).joined(separator: " "))
        count += 1
    }

    /// What is not on record as it should be, in words; every charge must be there once with what it was made for.
    func problems(in store: SQLiteStore) async throws -> [String] {
        var problems: [String] = []
        for (run, said) in runs {
            guard let found = try await store.run(run) else {
                problems.append("\(run) is lost with \(said.count) lines")
                continue
            }
            let known = try await Self.known(of: found, in: store, among: said)
            problems += said.subtracting(known).sorted().map { "\(run) lost \($0)" }
            let charges = try await store.charges(matching: ChargeFilter(runID: run))
            let paid = known.filter { $0.hasPrefix("outcome") || $0.hasPrefix("call") }
            if charges.count != paid.count || Set(charges.map(\.key)).count != charges.count {
                problems.append("\(run) has \(charges.count) charges for \(paid.count) outcomes and calls")
            }
        }
        return problems
    }

    private static func known(of run: Run, in store: SQLiteStore, among said: Set<String>) async throws -> Set<String> {
        var known: Set = ["run"]
        if run.status == .succeeded { known.insert("end") }
        for outcome in try await store.outcomes(of: run.id, from: 0, limit: .max) {
            known.insert("outcome \(outcome.index)")
        }
        for call in try await store.calls(matching: CallFilter(runID: run.id, states: [.settled])) {
            known.insert("call \(call.itemIndex ?? -1)")
        }
        for step in said where step.hasPrefix("step ") {
            let subject = CheckpointSubject(
                executionID: run.executionID, processorID: run.processorID, inputID: "doc_\(step.dropFirst(5))")
            if try await store.checkpoints(of: subject).saved.count == 1 { known.insert(step) }
        }
        return known
    }
}
