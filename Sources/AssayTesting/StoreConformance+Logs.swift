import Assay
import Logging

extension StoreConformance {
    static let logs = [
        StoreConformance("a store keeps what was said by run, item and processor, in its order") { store in
            for name in ["run_1", "run_2"] { try await store.begin(Sample.run(name, execution: "exec_\(name)")) }
            let said = [
                line("a", of: "doc_1"), line("b", of: "doc_2", attempt: 2), line("c\u{1F4C4}", of: nil),
                line("", of: "doc_1", by: "node_2"), line("e", of: "doc_1", run: "run_2"),
            ]
            try await store.append(Array(said[..<2]), keeping: .standard)
            try await store.append(Array(said[2...]), keeping: .standard)
            let all = try await store.logLines(matching: filter(), limit: .max)
            try expect(all.map(\.text), ["a", "b", "c\u{1F4C4}", ""])
            try expect(all.map(\.number), all.map(\.number).sorted())
            try expect(all.map(unnumbered), Array(said[..<4]))
            try expect(await texts(store, filter { $0.inputID = "doc_1" }), ["a", ""])
            try expect(await texts(store, filter { $0.processorID = .numbered("node_", 2) }), [""])
            try expect(await texts(store, filter { $0.after = all[1].number }), ["c\u{1F4C4}", ""])
            try expect(await store.logLines(matching: filter(), limit: 1).map(\.text), ["a"])
            try expect(await texts(store, filter("run_2")), ["e"])
            try expect(await texts(store, filter("nobody")), [])
        },
        StoreConformance("a store keeps the newest of what was said about an item, and drops nobody else's") { store in
            try await store.begin(Sample.run("run_1"))
            try await store.append([line("other", of: "doc_2"), line("nobody's", of: nil)], keeping: .standard)
            let limits = LogLimits(item: 3 * line("text 0", of: "").size, total: .max)
            for number in 0..<8 { try await store.append([line("text \(number)", of: "doc_1")], keeping: limits) }
            try expect(await texts(store, filter { $0.inputID = "doc_1" }), ["text 5", "text 6", "text 7"])
            try await store.append((0..<8).map { line("more \($0)", of: "doc_1") }, keeping: limits)
            try expect(await texts(store, filter()), ["other", "nobody's", "more 5", "more 6", "more 7"])
        },
        StoreConformance("a store drops the oldest of what was said when it is too much in all") { store in
            for name in ["run_1", "run_2"] { try await store.begin(Sample.run(name, execution: "exec_\(name)")) }
            let limits = LogLimits(item: .max, total: 4 * line("text 0", of: "").size)
            for number in 0..<3 {
                try await store.append([line("text \(number)", of: "doc_\(number)")], keeping: limits)
            }
            try await store.append(
                (3..<6).map { line("text \($0)", of: "doc_\($0)", run: "run_2") }, keeping: limits)
            try expect(await texts(store, filter()), ["text 2"])
            try expect(await texts(store, filter("run_2")), ["text 3", "text 4", "text 5"])
        },
        StoreConformance("a store forgets what was said in a run with the contents of the run") { store in
            var run = Sample.run("run_1")
            try await store.begin(run)
            try await store.begin(Sample.run("run_2", execution: "exec_2"))
            try await store.append([line("a", of: "doc_1"), line("b", of: nil, run: "run_2")], keeping: .standard)
            run.status = .succeeded
            run.finishedAt = Sample.moment(5)
            try await store.update(run)
            try expect(await store.deleteContents(of: run.id, at: Sample.moment(9)), true)
            try expect(await texts(store, filter()), [])
            try expect(await texts(store, filter("run_2")), ["b"])
            // Only the remaining lines count.
            let limits = LogLimits(item: .max, total: line("b", of: nil).size)
            try await store.append([line("c", of: nil, run: "run_2")], keeping: limits)
            try expect(await texts(store, filter("run_2")), ["c"])
        },
    ]

    private static func line(
        _ text: String, of input: String?, attempt: Int = 1, by processor: String = "statement", run: String = "run_1"
    ) -> LogLine {
        LogLine(
            runID: Sample.id(run), processorID: Sample.id(processor), inputID: input, attempt: attempt,
            source: input == nil ? .stderr : .log, level: attempt > 1 ? .warning : .info, timestamp: Sample.moment(7),
            text: text)
    }

    private static func unnumbered(_ line: LogLine) -> LogLine {
        var line = line
        line.number = 0
        return line
    }

    private static func filter(_ run: String = "run_1", _ change: (inout LogFilter) -> Void = { _ in }) -> LogFilter {
        var filter = LogFilter(runID: Sample.id(run))
        change(&filter)
        return filter
    }

    private static func texts(_ store: any Store, _ filter: LogFilter) async throws -> [String] {
        try await store.logLines(matching: filter, limit: .max).map(\.text)
    }
}
