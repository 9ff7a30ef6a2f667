import Assay

extension StoreConformance {
    static let queue = [
        StoreConformance("a store numbers executions, keeps every field of them, and lists them by status") { store in
            let filed = try await store.submit([Sample.submitted("b"), Sample.submitted("a")])
            try expect(filed.map(\.number), [1, 2])
            let all = try await store.executions(matching: ExecutionFilter())
            try expect(all.map(\.id.text), ["b", "a"])
            try expect(all.map(\.jsonValue.json), filed.map(\.jsonValue.json))
            try expect(try await store.execution(Sample.id("a"))?.jsonValue.json, filed[1].jsonValue.json)
            var moved = filed[0]
            moved.status = .skipped
            try expect(try await store.replace(moved, standingAt: .pending), true)
            let waiting = try await store.executions(matching: ExecutionFilter(statuses: [.pending]))
            try expect(waiting.map(\.id.text), ["a"])
            try expect(try await store.executions(matching: ExecutionFilter(limit: 1)).count, 1)
        },
        StoreConformance("a store files all submitted executions or none") { store in
            _ = try await store.submit([Sample.submitted("a")])
            try await expect(.exists) { _ = try await store.submit([Sample.submitted("b"), Sample.submitted("a")]) }
            try expect(try await store.execution(Sample.id("b")) == nil, true)
            try expect(
                try await store.items(of: Execution.submittedList(of: Sample.id("b")), from: 0, limit: 9).count, 0)
            try expect(try await store.submit([Sample.submitted("c")]).map(\.number), [2])
        },
        StoreConformance("a store answers a known idempotency key with what is on record") { store in
            var first = Sample.submitted("a")
            (first.execution.idempotencyKey, first.execution.content) = ("key", Sample.definition)
            _ = try await store.submit([first])
            var second = Sample.submitted("b")
            (second.execution.idempotencyKey, second.execution.content) = ("key", Sample.definition)
            try expect(try await store.submit([second]).map(\.id.text), ["a"])
            second.execution.content = Digest(of: "other")
            let other = second
            try await expect(.exists) { _ = try await store.submit([other]) }
            let known = try await store.executions(matching: ExecutionFilter(idempotencyKey: "key"))
            try expect(known.map(\.id.text), ["a"])
        },
        StoreConformance("a store replaces an execution only where it stands as was thought") { store in
            let filed = try await store.submit([Sample.submitted("a")])[0]
            var ended = filed
            ended.status = .cancelled
            try expect(try await store.replace(ended, standingAt: .running), false)
            try expect(try await store.replace(ended, standingAt: .pending), true)
            try expect(try await store.replace(ended, standingAt: .pending), false)
            try expect(try await store.execution(filed.id)?.status, .cancelled)
        },
        StoreConformance("a store brings an execution of the queue along with its runs") { store in
            _ = try await store.submit([Sample.submitted("exec_1")])
            var run = Sample.run("run_1")
            try await store.begin(run, asSubmitted: true)
            let begun = try await store.execution(run.executionID)
            try expect(begun?.status, .running)
            try expect(begun?.startedAt, run.startedAt)
            try expect(begun?.runs, 1)
            try expect(begun?.lastRunID, run.id)
            try expect(begun?.denials, [])
            (run.status, run.finishedAt, run.duration) = (.failed, Sample.moment(5), .milliseconds(5))
            run.error = Sample.failure
            try await store.update(run)
            let ended = try await store.execution(run.executionID)
            try expect(ended?.status, .failed)
            try expect(ended?.error, Sample.failure)
            try expect(ended?.duration, .milliseconds(5))
            try expect(try await store.executions(matching: ExecutionFilter(statuses: [.failed])).count, 1)
        },
        StoreConformance("a store lets an execution that waits run, and refuses a second run meanwhile") { store in
            _ = try await store.submit([Sample.submitted("exec_1")])
            try await store.begin(Sample.run("run_1"), asSubmitted: true)
            try await expect(.alreadyRunning) {
                try await store.begin(Sample.run("run_2"), asSubmitted: true)
            }
        },
        StoreConformance("a store gives the name of a submitted execution to no run of something else") { store in
            let filed = try await store.submit([Sample.submitted("exec_1")])[0]
            try await expect(.exists) { try await store.begin(Sample.run("run_1")) }
            try expect(try await store.run(Sample.id("run_1")) == nil, true)
            try expect(try await store.execution(filed.id)?.jsonValue.json, filed.jsonValue.json)
            try await store.begin(Sample.run("run_2", execution: "other"))
        },
        StoreConformance("a store keeps admissions by rate, and forgets those of the rate before the horizon") {
            store in
            for (rate, moment, horizon) in [("a", 1, 0), ("b", 2, 0), ("a", 3, 0), ("a", 3, 2), ("a", 9, 3)] {
                try await store.admit(
                    under: rate, at: Sample.moment(moment), forgettingBefore: Sample.moment(horizon))
            }
            try expect(try await store.admissions(under: "a"), [3, 3, 9].map { Sample.moment($0) })
            try expect(try await store.admissions(under: "b"), [Sample.moment(2)])
            try expect(try await store.admissions(under: "c"), [])
        },
        StoreConformance("a store keeps the list of a submission and forgets that of an execution that never came") {
            store in
            let id = Sample.id("a")
            let items = (0..<5).map { Sample.item($0).item }
            let list = Execution.submittedList(of: id)
            try await store.append(Array(items[..<2]), to: list)
            var submitted = Sample.submitted("a")
            (submitted.items, submitted.isBegun) = (Array(items[2...]), true)
            _ = try await store.submit([submitted])
            try await store.discard(list)
            func texts(_ items: [Item]) throws -> [String] { try items.map { try $0.jsonValue().json } }
            try expect(try texts(await store.items(of: list, from: 0, limit: 9)), try texts(items))
            try expect(try texts(await store.items(of: list, from: 3, limit: 1)), try texts([items[3]]))
            try await store.append(items, to: Execution.submittedList(of: Sample.id("b")))
            try await store.discard(Execution.submittedList(of: Sample.id("b")))
            try expect(
                try await store.items(of: Execution.submittedList(of: Sample.id("b")), from: 0, limit: 9).count, 0)
        },
        StoreConformance("a store removes executions that have ended with their runs, and keeps their charges") {
            store in
            _ = try await store.submit([Sample.submitted("exec_1"), Sample.submitted("b")])
            var run = Sample.run("run_1")
            try await store.begin(run, asSubmitted: true)
            try await store.append(Sample.items(1), settled: [], to: run.id, epoch: 1)
            try await store.save(Sample.checkpoint("a", 1), charges: [Sample.charge("c1", key: "k")])
            try expect(try await store.remove([run.executionID, Sample.id("b")]), 0)
            run.status = .succeeded
            try await store.update(run)
            try expect(try await store.remove([run.executionID, Sample.id("b"), Sample.id("none")]), 1)
            try expect(try await store.run(run.id) == nil, true)
            try expect(try await store.execution(run.executionID) == nil, true)
            try expect(try await store.checkpoints(of: Sample.subject).saved, [])
            try expect(
                try await store.items(of: Execution.submittedList(of: run.executionID), from: 0, limit: 9).count, 0)
            try expect(try await store.charges(matching: ChargeFilter()).map(\.costID), ["c1"])
            _ = try await store.submit([Sample.submitted("exec_1")])
        },
        StoreConformance("a store keeps the queue's record of itself") { store in
            try expect(try await store.queueRecord(), nil)
            try await store.setQueueRecord(["paused": false])
            try await store.setQueueRecord(["paused": true, "n": 1])
            try expect(try await store.queueRecord(), ["paused": true, "n": 1])
        },
    ]
}

extension Sample {
    /// Returns an execution with every property set, and two items.
    static func submitted(_ name: String) -> SubmittedExecution {
        var execution = Execution(
            id: id(name), scope: Scope(accountID: ExternalID("acc \u{E9}"), underwritingID: ExternalID("uw")),
            status: .pending, createdAt: moment(0))
        execution.processorID = id("statement")
        (execution.priority, execution.ownPriority) = (2.9, -0.1)
        execution.request = ["bureau": "clear", "n": 7]
        execution.runRequest = ["pipeline": ["a", .null]]
        execution.timeout = .milliseconds(1_500)
        execution.isStreaming = true
        execution.notBefore = moment(9)
        execution.metadata = ["ticket": 7]
        execution.denials = ["no \u{1}"]
        execution.again.failedOnly = true
        return SubmittedExecution(execution, items: [Item("doc_0", 0), Item("doc_1", 1)])
    }
}
