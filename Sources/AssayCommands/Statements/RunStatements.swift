import Assay
import AssayStatements

/// The statements that a run read, out of the store.
struct RunStatements {
    /// The run.
    let run: Run
    /// What each file came to, in the order of the items.
    let reports: [SourcedReport]
    /// For whom each item was read: the underwriting, else the account.
    let applicants: [String: String]
    /// What the run cost.
    let bill: Bill

    /// Reads all of a run's statements out of the store that the settings name.
    ///
    /// - Parameter name: what the user calls the run; the newest run when `nil`.
    /// - Throws: ``CommandFailure`` when there is no such run, or when it holds no statements.
    static func read(_ name: String?, _ console: Console, in shell: Shell) async throws -> RunStatements {
        let store = try await StoreAccess.reader(console, in: shell)
        defer { StoreAccess.close(store) }
        return try await RunStatements(of: name, in: store)
    }

    private init(of name: String?, in store: any Store) async throws {
        let run = try await store.existingRun(name ?? "last")
        var found =
            run.graphID == nil
            ? try await Self.reports(of: run.id, in: store) : try await Self.reportsOfNodes(of: run, in: store)
        guard !found.isEmpty else {
            throw CommandFailure(
                .notFound,
                "run '\(run.id)' holds no statements; name a run whose processor, or a node of whose graph, is a bank_statement"
            )
        }
        let items = try await Self.items(of: run, in: store)
        for index in found.indices { found[index].sha256 = items[found[index].name]?.sha256 }
        (self.run, reports, applicants) = (run, found, items.compactMapValues { $0.applicant })
        bill = try await Engine(store: store).bill(of: run.id)
    }

    /// The reports among the outputs of a run, until `limit` items were looked at.
    static func reports(of run: Run.ID, in store: any Store, limit: Int = .max) async throws -> [SourcedReport] {
        var (reports, seen) = ([SourcedReport](), 0)
        try await store.forEachOutcome(of: run, page: 64) { outcomes in
            for outcome in outcomes where outcome.status == .succeeded {
                guard seen < limit else { return false }
                seen += 1
                // Outputs of other processors are no statements.
                guard let report = try? outcome.output?.value(as: StatementReport.self) else { continue }
                reports.append(SourcedReport(name: outcome.inputID, report: report))
            }
            return true
        }
        return reports
    }

    /// The reports that nodes of a graph gave, of each item that of the first such node.
    private static func reportsOfNodes(of run: Run, in store: any Store) async throws -> [SourcedReport] {
        let all = try await nodes(of: run, in: store)
        var (reports, start, page) = ([SourcedReport](), 0, 64)
        while start < run.counts.total {
            for outcome in try await store.outcomes(of: run.id, from: start, limit: page) {
                // What was carried has its passage in the run that made it.
                let nodes = outcome.passage?.nodes.filter { $0.status == .succeeded }.map(\.id) ?? all
                for node in nodes {
                    guard let report = try await report(of: node, on: outcome.inputID, in: run, store) else { continue }
                    reports.append(SourcedReport(name: outcome.inputID, report: report))
                    break
                }
            }
            start += page
        }
        return reports
    }

    /// The nodes of a run's graph; a run that only carried knows them from one before it.
    private static func nodes(of run: Run, in store: any Store) async throws -> [Identifier] {
        var run = run
        while run.metrics?.nodes.isEmpty ?? true {
            guard let previous = run.lineage.previousRunID, let earlier = try await store.run(previous) else {
                return []
            }
            run = earlier
        }
        return run.metrics?.nodes.map(\.processorID) ?? []
    }

    private static func report(
        of node: Identifier, on input: String, in run: Run, _ store: any Store
    ) async throws -> StatementReport? {
        guard let saved = try await store.savedOutput(of: node, on: input, in: run.executionID),
            let report = try? Payload(json: saved.value).value(as: StatementReport.self)
        else { return nil }
        // A later run of the execution may have read the file again, and keeps what it read in place of this.
        guard saved.runID == run.id || saved.savedAt <= run.startedAt else {
            throw CommandFailure(
                .notFound,
                "what node '\(node)' read of '\(input)' in run '\(run.id)' was replaced by run '\(saved.runID)'; name that run"
            )
        }
        return report
    }

    /// Of each item, whose it is and the digest of its file.
    private static func items(
        of run: Run, in store: any Store
    ) async throws -> [String: (applicant: String?, sha256: String?)] {
        var (result, start, page) = ([String: (applicant: String?, sha256: String?)](), 0, 512)
        while start < run.counts.total {
            for stored in try await store.items(of: run.id, from: start, limit: page) {
                let item = stored.item
                let applicant =
                    item.underwritingID ?? run.scope.underwritingID?.text ?? item.accountID ?? run.scope.accountID?.text
                result[item.id] = (applicant, item.file?.digest?.hexDigits)
            }
            start += page
        }
        return result
    }

    /// The accounts of all files, or those that the user means by `name`: the number, its last characters, or a part of
    /// the name of the file.
    ///
    /// - Throws: ``CommandFailure`` when no account fits.
    func accounts(called name: String? = nil) throws -> [AccountHistory] {
        let all = AccountHistory.histories(of: reports)
        guard let name else { return all }
        let exact = all.filter { $0.report.account == name }
        guard exact.isEmpty else { return exact }
        let fitting = all.filter { history in
            guard let account = history.report.account else {
                return history.sources.contains { $0.source?.name.contains(name) == true }
            }
            return account.hasSuffix(name) || account.lowercased().contains(name.lowercased())
        }
        guard !fitting.isEmpty else {
            let known = all.map(\.label).joined(separator: ", ")
            throw CommandFailure(.notFound, "no account is called '\(name)'; there are: \(known)")
        }
        return fitting
    }

    /// The accounts by applicant, in the order they first appear; all of the run where nothing names one.
    func byApplicant() -> [(name: String?, accounts: [AccountHistory])] {
        var (order, groups) = ([String?](), [String?: [SourcedReport]]())
        for report in reports {
            let name = applicants[report.name]
            if groups[name] == nil { order.append(name) }
            groups[name, default: []].append(report)
        }
        return order.map { ($0, AccountHistory.histories(of: groups[$0] ?? [])) }
    }
}

extension AccountHistory {
    /// What the account is called in tables: its number or name, else its first file in brackets.
    var label: String {
        report.account ?? sources.first?.source.map { "(\($0.name.fileName))" } ?? "(no account)"
    }

    /// The label in at most `width` columns: numbers keep their last 8 characters, names their beginning.
    func label(in width: Int) -> String {
        guard label.columns > width else { return label }
        guard let account = report.account, account.contains(where: \.isNumber) else {
            return label.cut(toColumns: width)
        }
        return "…" + String(account.suffix(min(8, width - 1)))
    }
}

extension String {
    /// The last part of a path.
    var fileName: String { split(separator: "/").last.map(String.init) ?? self }
}
