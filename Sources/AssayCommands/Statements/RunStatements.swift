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

    /// Reads all of a run's statements.
    ///
    /// - Parameter name: what the user calls the run; the newest run when `nil`.
    /// - Throws: ``CommandFailure`` when there is no such run, or when it holds no statements.
    init(of name: String?, in store: any Store) async throws {
        run = try await store.existingRun(name ?? "last")
        reports = try await Self.reports(of: run.id, in: store)
        guard !reports.isEmpty else {
            throw CommandFailure(
                .notFound,
                "run '\(run.id)' holds no statements; name a run of a pipeline whose processor is a bank_statement")
        }
        applicants = try await Self.applicants(of: run, in: store)
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

    private static func applicants(of run: Run, in store: any Store) async throws -> [String: String] {
        var (result, start, page) = ([String: String](), 0, 512)
        while start < run.counts.total {
            for stored in try await store.items(of: run.id, from: start, limit: page) {
                guard let name = stored.item.underwritingID ?? stored.item.accountID else { continue }
                result[stored.item.id] = name
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
        try Self.accounts(in: AccountHistory.histories(of: reports), called: name)
    }

    static func accounts(in all: [AccountHistory], called name: String?) throws -> [AccountHistory] {
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

    /// The text, or `…` and its end, in at most `width` columns.
    func tail(inColumns width: Int) -> String {
        guard columns > width else { return self }
        return "…" + String(String(reversed()).cut(toColumns: width).dropLast().reversed())
    }
}
