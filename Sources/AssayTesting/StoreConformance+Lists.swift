import Assay

extension StoreConformance {
    static let lists = [
        StoreConformance("a run has a list of its own items, numbered in its execution") { store in
            for (number, name) in ["run_1", "run_2"].enumerated() {
                var run = Sample.run(name)
                try await store.begin(run)
                try expect(await store.list(of: run.id), nil)
                try await store.append(Sample.items(2), settled: [], to: run.id, epoch: 1)
                try await store.append([Sample.item(2)], settled: [], to: run.id, epoch: 1)
                let id = InputList.ID(executionID: run.executionID, number: number + 1)
                try expect(await store.list(of: run.id), InputList(id: id, count: 3))
                try expect(await store.items(of: id, from: 1, limit: 9).map(\.id), ["doc_1", "doc_2"])
                try expect(await store.items(of: id, from: 1, limit: 1).map(\.id), ["doc_1"])
                run.status = .failed
                try await store.update(run)
            }
        },
        StoreConformance("a run refers to the list of an earlier run until it takes in something else") { store in
            let first = try await Sample.ended("run_1", in: store, items: 4)
            let list = try await store.list(of: first)
            let second = Sample.run("run_2")
            try await store.begin(second)
            func takeIn(_ items: [StoredItem], kept: Intake.Kept?) async throws {
                try await store.append(Intake(items, kept: kept), to: second.id, epoch: 1)
            }
            func names() async throws -> [String] {
                try await store.items(of: second.id, from: 0, limit: 9).map(\.item.id)
            }
            try await takeIn(Array(Sample.items(2)), kept: .run(first))
            try expect(await store.list(of: second.id), list)
            try expect(await names(), ["doc_0", "doc_1"])
            try await takeIn([StoredItem(Item("other", 1), index: 2)], kept: nil)
            let own = InputList.ID(executionID: second.executionID, number: 2)
            try expect(await store.list(of: second.id), InputList(id: own, count: 3))
            try await takeIn([StoredItem(Item("doc_3", 3), index: 3)], kept: .run(first))
            try expect(await store.list(of: second.id)?.id, own)
            try expect(await names(), ["doc_0", "doc_1", "other", "doc_3"])
            try expect(await store.list(of: first), list)
            try expect(
                await store.items(of: first, from: 0, limit: 9).map(\.item.id), ["doc_0", "doc_1", "doc_2", "doc_3"])
        },
        StoreConformance("a run of a submission refers to the submitted list, which stays without it") { store in
            _ = try await store.submit([Sample.submitted("exec_1")])
            var run = Sample.run("run_1")
            try await store.begin(run, asSubmitted: true)
            try await store.append(Intake(Sample.items(2), kept: .submission), to: run.id, epoch: 1)
            let list = Execution.submittedList(of: run.executionID)
            try expect(await store.list(of: run.id)?.id, list)
            run.status = .failed
            try await store.update(run)
            try expect(await store.deleteContents(of: run.id, at: Sample.moment(9)), true)
            try expect(await store.list(of: run.id), nil)
            try expect(await store.items(of: list, from: 0, limit: 9).map(\.id), ["doc_0", "doc_1"])
        },
        StoreConformance("a list stays as long as a run refers to it") { store in
            let first = try await Sample.ended("run_1", in: store, items: 2)
            guard let list = try await store.list(of: first) else { throw Finding("there is no list") }
            let second = try await Sample.continued(first, as: "run_2", in: store, carrying: 0..<0)
            try expect(await store.deleteContents(of: first, at: Sample.moment(9)), true)
            try expect(await store.items(of: second.id, from: 0, limit: 9).map(\.item.id), ["doc_0", "doc_1"])
            try expect(await store.items(of: list.id, from: 0, limit: 9).count, 2)
            try await Sample.end(second, in: store)
            try expect(await store.deleteContents(of: second.id, at: Sample.moment(9)), true)
            try expect(await store.items(of: list.id, from: 0, limit: 9).count, 0)
        },
        StoreConformance("an outcome that is carried is that of the run that wrote it, through any number of runs") {
            store in
            let first = try await Sample.ended("run_1", in: store, items: 3)
            let second = try await Sample.continued(first, as: "run_2", in: store, carrying: 0..<2)
            try expect(
                await store.commit([CommittedOutcome(Sample.failed(1))], of: second.id, epoch: 1), [false])
            try expect(
                await store.commit([CommittedOutcome(Sample.detailed(2))], of: second.id, epoch: 1), [true])
            try await Sample.end(second, in: store)
            let third = try await Sample.continued(second.id, as: "run_3", in: store, carrying: 0..<3, isKept: true)
            let expected = [Sample.success(0), Sample.success(1)].map { $0.carriedOver(isKept: false) }
            let found = try await store.outcomes(of: second.id, from: 0, limit: 9)
            try expect(found.map(Sample.text), (expected + [Sample.detailed(2)]).map(Sample.text))
            let last = try await store.outcomes(of: third.id, from: 0, limit: 9)
            try expect(last.map(Sample.text), found.map { try Sample.text($0.carriedOver(isKept: true)) })
            try expect(await store.outcomes(of: third.id, from: 1, limit: 1).map(\.inputID), ["doc_1"])
            try expect(await store.outcomes(of: first, from: 0, limit: 9).map(\.carried), [false, false, false])
        },
        StoreConformance("an outcome is carried to another place of another list") { store in
            let first = try await Sample.ended("run_1", in: store, items: 3)
            let second = Sample.run("run_2")
            try await store.begin(second)
            let items = [2, 7, 1].enumerated().map { StoredItem(Item("doc_\($1)", $1), index: $0, settled: $1 != 7) }
            let carried = [(0, 2), (2, 1)].map {
                Intake.Carried(index: $0.0, runID: first, place: $0.1, status: .succeeded)
            }
            try await store.append(Intake(items, carried: carried), to: second.id, epoch: 1)
            let found = try await store.outcomes(of: second.id, from: 0, limit: 9)
            try expect(found.map(\.inputID), ["doc_2", "doc_1"])
            try expect(found.map(\.index), [0, 2])
            try expect(found.map { try $0.output?.json() }, [2, 1])
        },
        StoreConformance("what a later run carries outlives the run that wrote it") { store in
            let first = try await Sample.ended("run_1", in: store, items: 2)
            let second = try await Sample.continued(first, as: "run_2", in: store, carrying: 0..<2)
            try await Sample.end(second, in: store)
            let third = try await Sample.continued(second.id, as: "run_3", in: store, carrying: 0..<2)
            for run in [first, second.id] { _ = try await store.deleteContents(of: run, at: Sample.moment(9)) }
            try expect(await store.outcomes(of: first, from: 0, limit: 9).count, 0)
            try expect(await store.outcomes(of: second.id, from: 0, limit: 9).count, 0)
            try expect(await store.outcomes(of: third.id, from: 0, limit: 9).map { try $0.output?.json() }, [0, 1])
        },
        StoreConformance("a carried output that is withdrawn, or an item that is reopened, stays with its first run") {
            store in
            let first = try await Sample.ended("run_1", in: store, items: 3)
            let second = try await Sample.continued(first, as: "run_2", in: store, carrying: 0..<3)
            try await store.withdrawOutputs(of: second.id, in: 0..<1)
            try await store.reopen([1], of: second.id, epoch: 1)
            let found = try await store.outcomes(of: second.id, from: 0, limit: 9)
            try expect(found.map(\.status), [.cancelled, .succeeded])
            try expect(found.map(\.index), [0, 2])
            try expect(found.map(\.carried), [true, true])
            try expect(await store.commit([CommittedOutcome(Sample.failed(1))], of: second.id, epoch: 1), [true])
            try expect(
                await store.outcomes(of: first, from: 0, limit: 9).map(\.status), [.succeeded, .succeeded, .succeeded])
        },
    ]
}

extension Sample {
    /// Stores a run of `exec_1` that has ended with a success of each of its items.
    static func ended(_ name: String, in store: any Store, items: Int) async throws -> Run.ID {
        let run = run(name)
        try await store.begin(run)
        try await store.append(self.items(items), settled: [], to: run.id, epoch: 1)
        _ = try await store.commit((0..<items).map { CommittedOutcome(success($0)) }, of: run.id, epoch: 1)
        try await end(run, in: store)
        return run.id
    }

    static func end(_ run: Run, in store: any Store) async throws {
        var run = run
        run.status = .partial
        try await store.update(run)
    }

    /// Begins a run of `exec_1` over the list of an earlier one that carries the outcomes at `places`.
    static func continued(
        _ earlier: Run.ID, as name: String, in store: any Store, carrying places: Range<Int>, isKept: Bool = false
    ) async throws -> Run {
        let run = run(name)
        try await store.begin(run)
        var items = try await store.items(of: earlier, from: 0, limit: .max)
        for place in places { items[place].settled = true }
        let carried = places.map {
            Intake.Carried(index: $0, runID: earlier, place: $0, status: .succeeded, isKept: isKept)
        }
        try await store.append(Intake(items, kept: .run(earlier), carried: carried), to: run.id, epoch: 1)
        return run
    }
}
