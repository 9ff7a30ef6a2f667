import Assay

/// A writer of ended runs. Outcomes come from the store page by page, so any number of them fits in memory.
struct RunWriter {
    let console: Console
    let store: any Store

    private static let page = 512

    /// Writes the report in the user's format.
    ///
    /// - Parameter isQuiet: whether to omit a table for people when everything succeeded.
    func write(_ report: Report, isQuiet: Bool = false) async throws {
        switch console.format {
        case .json: try await writeJSON(report, withOutcomes: true)
        case .jsonl: try await writeJSON(report, withOutcomes: false)
        case .table where isQuiet && report.success: break
        case .table: try await RunSummary(console: console, store: store).write(report)
        case .none: break
        }
    }

    /// Writes the outcomes of a run as JSON lines.
    func writeOutcomes(of run: Run.ID) async throws {
        try await store.forEachOutcome(of: run, page: Self.page) { outcomes in
            try console.write(json: outcomes.map { try $0.line(of: run, type: "outcome").json + "\n" }.joined())
            return true
        }
    }

    /// Writes the documented object, one key after another.
    private func writeJSON(_ report: Report, withOutcomes: Bool) async throws {
        guard var members = try report.jsonValue().object else { return }
        if !withOutcomes {
            // Earlier lines had these.
            members["outcomes"] = nil
            members["payloads"] = nil
            if try await isListOfOutputs(members["summary"] ?? .null, of: report) { members["summary"] = nil }
            members["batches"] = members["batches"].map(Self.withoutResults)
            members["type"] = "report"
        }
        var separator = "{"
        for member in members.members {
            try console.write(json: "\(separator)\(JSONValue.string(member.key).json):")
            separator = ","
            switch member.key {
            case "outcomes": try await list(of: report.runID) { try $0.jsonValue() }
            case "batches": try await writeBatches(member.value, of: report.runID)
            case "payloads" where !report.success:
                try await list(of: report.runID) { $0.error?.resumePoint?.jsonValue ?? .null }
            default: try console.write(json: member.value.json)
            }
        }
        try console.write(json: "}\n")
    }

    /// Returns whether a summary is no more than the list of outputs.
    private func isListOfOutputs(_ summary: JSONValue, of report: Report) async throws -> Bool {
        guard let outputs = summary.array, !outputs.isEmpty, outputs.count == report.counts.succeeded else {
            return false
        }
        var place = 0
        var isSame = true
        try await store.forEachOutcome(of: report.runID, page: Self.page) { outcomes in
            for outcome in outcomes where isSame && outcome.status == .succeeded {
                isSame = try place < outputs.count && outcome.output?.json() == outputs[place]
                place += 1
            }
            return isSame
        }
        return isSame && place == outputs.count
    }

    /// Writes the sums over batches, with the outputs from the store.
    private func writeBatches(_ sums: JSONValue, of run: Run.ID) async throws {
        var separator = "{"
        for member in sums.object?.members ?? [] {
            try console.write(json: "\(separator)\(JSONValue.string(member.key).json):")
            separator = ","
            guard member.key == "results" else {
                try console.write(json: member.value.json)
                continue
            }
            try await list(of: run) { $0.status == .succeeded ? try $0.output?.json() ?? .null : nil }
        }
        try console.write(json: "}")
    }

    /// Returns the sums over batches without the outputs, which were already written.
    private static func withoutResults(_ sums: JSONValue) -> JSONValue {
        guard case .object(var members) = sums else { return sums }
        members["results"] = nil
        return .object(members)
    }

    /// Writes a list with the value of `element` for each outcome; outcomes with `nil` are omitted.
    private func list(of run: Run.ID, _ element: (Outcome) throws -> JSONValue?) async throws {
        try console.write(json: "[")
        var isFirst = true
        try await store.forEachOutcome(of: run, page: Self.page) { outcomes in
            var text = ""
            for outcome in outcomes {
                guard let value = try element(outcome) else { continue }
                text += (isFirst ? "" : ",") + value.json
                isFirst = false
            }
            try console.write(json: text)
            return true
        }
        try console.write(json: "]")
    }
}

extension Store {
    /// Passes all outcomes of a run to `body`, page by page in input order, until it returns `false`.
    func forEachOutcome(of run: Run.ID, page: Int = 512, _ body: ([Outcome]) throws -> Bool) async throws {
        let total = try await self.run(run)?.counts.total ?? 0
        var start = 0
        while start < total {
            // Places without an outcome yet make a page shorter, so pages advance by place.
            let outcomes = try await outcomes(of: run, from: start, limit: page)
            guard try outcomes.isEmpty || body(outcomes) else { return }
            start += page
        }
    }
}
