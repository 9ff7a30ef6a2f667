import Assay

extension StoreConformance {
    static let runs = [
        StoreConformance("a store gives a run back with all its parts") { store in
            var run = Sample.run("run_1", lineage: Sample.lineage)
            try await store.begin(run)
            try expect(await store.run(run.id).map(Sample.text), Sample.text(run))
            run.status = .partial
            run.counts = Counts(total: 3)
            run.counts.add(.succeeded)
            run.counts.add(.failed)
            run.finishedAt = Sample.moment(5_001)
            run.duration = .milliseconds(5_001)
            run.error = Sample.failure
            run.summary = Payload(json: ["total": .number(Number("1.50")!)])
            run.metrics = Sample.metrics
            run.incompleteReason = "the price list of ocr was gone"
            try await store.update(run)
            let found = try await store.run(run.id)
            try expect(found.map(Sample.text), Sample.text(run))
            try expect(found?.metrics, run.metrics)
            try expect(found?.error, run.error)
            try expect(found?.request, run.request)
            try expect(found?.incompleteReason, run.incompleteReason)
        },
        StoreConformance("a store tells a summary of null from no summary") { store in
            var run = Sample.run("run_1")
            try await store.begin(run)
            try expect(await store.run(run.id)?.summary == nil, true)
            run.status = .succeeded
            run.summary = Payload(json: .null)
            try await store.update(run)
            try expect(await store.run(run.id)?.summary?.json(), .null)
        },
        StoreConformance("a store refuses a second run of an execution while one is in progress") { store in
            var first = Sample.run("run_1")
            try await store.begin(first)
            try await expect(.alreadyRunning) { try await store.begin(Sample.run("run_2")) }
            first.status = .paused
            try await store.update(first)
            try await expect(.alreadyRunning) { try await store.begin(Sample.run("run_2")) }
            try expect(await store.run(Sample.id("run_2")) == nil, true)
            try await store.begin(Sample.run("run_3", execution: "another"))
            first.status = .failed
            try await store.update(first)
            try await store.begin(Sample.run("run_2"))
            try expect(await store.runs(matching: RunFilter()).map(\.id.text), ["run_2", "run_3", "run_1"])
        },
        StoreConformance("a store refuses a run whose name is on record") { store in
            try await store.begin(Sample.run("run_1"))
            try await expect(.exists) { try await store.begin(Sample.run("run_1", execution: "another")) }
            try expect(await store.run(Sample.id("run_1"))?.executionID.text, "exec_1")
        },
        StoreConformance("a store lets a run that has ended stay as it ended") { store in
            var run = Sample.run("run_1")
            try await store.begin(run)
            run.status = .succeeded
            try await store.update(run)
            try await store.begin(Sample.run("run_2"))
            var late = run
            (late.status, late.epoch, late.error) = (.failed, 2, Sample.failure)
            try await store.update(late)
            late.status = .running
            try await store.update(late)
            try expect(await store.run(run.id).map(Sample.text), Sample.text(run))
            try expect(await store.execution(run.executionID)?.status, .running)
        },
        StoreConformance("a store files the execution of a run and lets it stand as its last run") { store in
            var run = Sample.run("run_1")
            try expect(await store.execution(run.executionID) == nil, true)
            try await store.begin(run)
            var execution = try await store.execution(run.executionID)
            try expect(execution?.status, .running)
            try expect(execution?.scope, run.scope)
            try expect(execution?.createdAt, run.startedAt)
            run.status = .cancelled
            try await store.update(run)
            try await store.begin(Sample.run("run_2", startedAt: 9_000))
            execution = try await store.execution(run.executionID)
            try expect(execution?.status, .running)
            try expect(execution?.createdAt, run.startedAt)
        },
        StoreConformance("a store finds runs by execution, processor, status and time, newest first") { store in
            for number in 1...6 {
                var run = Sample.run(
                    "run_\(number)", execution: "exec_\(number)", processor: number % 2 == 0 ? "even" : "odd",
                    startedAt: Int64(number) * 1_000)
                try await store.begin(run)
                guard number < 6 else { continue }
                run.status = number < 4 ? .succeeded : .failed
                try await store.update(run)
            }
            func found(_ filter: RunFilter) async throws -> [String] {
                try await store.runs(matching: filter).map(\.id.text)
            }
            try expect(await found(RunFilter(processorID: Sample.id("odd"))), ["run_5", "run_3", "run_1"])
            try expect(await found(RunFilter(executionID: Sample.id("exec_2"))), ["run_2"])
            try expect(await found(RunFilter(statuses: [.failed, .running])), ["run_6", "run_5", "run_4"])
            try expect(await found(RunFilter(statuses: [])), [])
            try expect(await found(RunFilter(idPrefix: "run_3")), ["run_3"])
            try expect(await found(RunFilter(idPrefix: "run", limit: 2)), ["run_6", "run_5"])
            try expect(await found(RunFilter(idPrefix: "un_")), [])
            try expect(await found(RunFilter(since: Sample.moment(4_000), limit: 2)), ["run_6", "run_5"])
            try expect(await found(RunFilter(limit: 0)), [])
        },
        StoreConformance("a store deletes what a run did that has ended, and keeps run, steps and ledger") { store in
            var run = try await Sample.begun(in: store, items: 2)
            try await store.setTransformed([(0, Payload("t"))], of: run.id)
            let outcome = CommittedOutcome(Sample.success(0), charges: [Sample.charge("c1")])
            _ = try await store.commit([outcome], of: run.id, epoch: 1)
            try await store.append([Sample.event(1, run: run.id)])
            try await store.save(Sample.checkpoint("a", 1), charges: [])
            try await store.file(Sample.call("call_1"), charge: nil, cached: Sample.cacheEntry("key", 1))
            try expect(await store.deleteContents(of: run.id, at: Sample.moment(9)), false)
            try expect(await store.items(of: run.id, from: 0, limit: 9).count, 2)
            (run.status, run.counts, run.summary) = (.partial, Counts(total: 2), Payload("s"))
            try await store.update(run)
            try expect(await store.deleteContents(of: run.id, at: Sample.moment(9)), true)
            try expect(await store.deleteContents(of: run.id, at: Sample.moment(10)), false)
            try expect(await store.items(of: run.id, from: 0, limit: 9).count, 0)
            try expect(await store.outcomes(of: run.id, from: 0, limit: 9).count, 0)
            try expect(await store.events(of: run.id, after: 0, limit: 9).count, 0)
            (run.summary, run.deletedAt) = (nil, Sample.moment(9))
            try expect(await store.run(run.id).map(Sample.text), Sample.text(run))
            try expect(await store.execution(run.executionID)?.status, .partial)
            try expect(await store.charges(matching: ChargeFilter()).count, 1)
            try expect(await store.calls(matching: CallFilter()).count, 1)
            try expect(await store.checkpoints(of: Sample.subject).saved.count, 1)
            try expect(await store.cacheEntry("key") == nil, false)
            try expect(await store.deleteContents(of: Sample.id("nobody"), at: Sample.moment(9)), false)
            try await store.begin(Sample.run("run_2"))
            try expect(await store.runs(matching: RunFilter()).map(\.id.text), ["run_2", "run_1"])
        },
        StoreConformance("a store knows nothing of a run that never was") { store in
            let nobody = Sample.id("nobody")
            try expect(await store.run(nobody) == nil, true)
            try expect(await store.items(of: nobody, from: 0, limit: 10).count, 0)
            try expect(await store.outcomes(of: nobody, from: 0, limit: 10).count, 0)
            try expect(await store.events(of: nobody, after: 0, limit: 10).count, 0)
            try expect(await store.commit([CommittedOutcome(Sample.success(0))], of: nobody, epoch: 1), [false])
        },
        StoreConformance("a store numbers no events anew and gives them by page") { store in
            let run = Sample.run("run_1")
            try await store.begin(run)
            let events = (1...5).map { Sample.event($0, run: run.id) }
            try await store.append(Array(events[..<2]))
            try await store.append(events[2...] + [Sample.event(1, run: Sample.id("nobody"))])
            try expect(await store.events(of: run.id, after: 0, limit: 100), events)
            try expect(await store.events(of: run.id, after: 2, limit: 2), Array(events[2..<4]))
            try expect(await store.events(of: run.id, after: 5, limit: 2), [])
        },
    ]
}
