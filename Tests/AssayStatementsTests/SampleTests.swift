import AssayStatements
import Foundation
import Testing

@Suite("Published samples") struct SampleTests {
    static let totals: Set<String> = [
        "format", "currency", "transactions", "credits", "debits", "opening", "closing", "first_date", "last_date",
        "balance_check",
    ]
    static let statementKeys = totals.union(["account", "period", "factors"]).subtracting(["format"])

    @Test("are read to the known numbers, or refused with the known kind", arguments: Samples.files)
    func sample(name: String) throws {
        let expected = Samples.expected["files"][name]
        let profile = expected["csv_profile"] == .null ? nil : try expected["csv_profile"].decoded(as: CSVProfile.self)
        try check(name, expected, StatementReader(csv: profile))
    }

    @Test("of CSV are read without a profile", arguments: Samples.csvFiles)
    func detection(name: String) throws {
        // Both readings of its only date are possible.
        if name == "csv/payoneer.csv" {
            #expect(refusal(try Samples.bytes(name))?.message.contains("csv.date_order") == true)
            return
        }
        try check(name, Samples.expected["files"][name], StatementReader(), currencyMayBeUnknown: true)
    }

    @Test("in the shapes of bug reports are read to the known numbers, or refused", arguments: Samples.shapes.keys)
    func shape(name: String) throws {
        var reader = StatementReader()
        reader.today = Day("2026-12-01")
        try check("shapes/\(name)", Samples.shapes[name], reader, accountMayBeKnown: false)
    }

    private func check(
        _ name: String, _ expected: JSON, _ reader: StatementReader, currencyMayBeUnknown: Bool = false,
        accountMayBeKnown: Bool = true
    ) throws {
        do throws(StatementError) {
            let report = try reader.read(path: Samples.path(name)).report()
            #expect(expected["outcome"].text != "reject")
            compare(report, expected, currencyMayBeUnknown, accountMayBeKnown)
        } catch {
            #expect(expected["outcome"].text != "parse", "\(error.message)")
            if let kind = expected["kind"].text { #expect(error.message.hasPrefix(kind), "\(error.message)") }
        }
    }

    private func compare(
        _ report: StatementReport, _ expected: JSON, _ currencyMayBeUnknown: Bool, _ accountMayBeKnown: Bool
    ) {
        guard let json = try? JSON(report) else {
            Issue.record("the report is not encoded")
            return
        }
        let isUnknown = currencyMayBeUnknown && report.currency == nil
        // A column or a row above the table may name the account.
        var dropped: Set<String> = report.format == .csv && accountMayBeKnown ? ["account"] : []
        if isUnknown { dropped.insert("currency") }
        var differences = expected.differences(from: json, only: Self.totals.subtracting(dropped))
        let statements = expected["statements"].elements
        if !statements.isEmpty { #expect(statements.count == report.statements.count) }
        for (statement, found) in zip(statements, json["statements"].elements) {
            differences += statement.differences(from: found, only: Self.statementKeys.subtracting(dropped))
            if statement["stated_balance"] != .null {
                differences += statement["stated_balance"].differences(from: found["stated_balance"]["amount"])
            }
            if statement["derived_opening"] != .null {
                differences += statement["derived_opening"].differences(
                    from: found["factors"]["opening"], at: ".derived_opening")
            }
        }
        if expected["factors"] != .null, let account = try? JSON(AccountReport.reports(of: [report])[0]) {
            differences += expected["factors"].differences(from: account["factors"], at: ".account.factors")
        }
        #expect(differences.isEmpty, "\(differences.joined(separator: "\n"))")
    }

    @Test("of one account come together from stored reports", arguments: Samples.groups)
    func group(name: String) throws {
        let expected = Samples.expected["groups"][name]
        let reports = try expected["files"].elements.compactMap(\.text).map {
            try StatementReader().read(path: Samples.path($0)).report()
        }
        let stored = try reports.map { try JSONDecoder().decode(StatementReport.self, from: JSONEncoder().encode($0)) }
        #expect(stored == reports)
        let accounts = AccountReport.reports(of: stored.reversed())
        #expect(accounts.count == 1)
        let keys: Set<String> = ["account", "statements", "chain", "balance_check", "factors"]
        let differences = try expected.differences(from: JSON(accounts[0]), only: keys)
        #expect(differences.isEmpty, "\(differences.joined(separator: "\n"))")
    }

    @Test("of the generator give its factors", arguments: Samples.generated.keys.sorted())
    func generated(name: String) throws {
        let truth = try #require(Samples.generated[name])
        let path = Samples.path("generated/\(name)")
        let profiles = try JSONDecoder().decode(
            [String: CSVProfile].self,
            from: Data(contentsOf: URL(fileURLWithPath: Samples.path("generated/csv_profiles.json"))))
        let profile = truth["format"].text == "csv" ? truth["variant"].text.flatMap { profiles[$0] } : nil
        for reader in [StatementReader(csv: profile), StatementReader()] {
            do throws(StatementError) {
                let report = try reader.read(path: path).report()
                if truth["error"] == .bool(true) {
                    #expect(truth["expect"].text == "reject_or_flag")
                    #expect(report.statements[0].factors.flags.contains(.unreconciled))
                    continue
                }
                guard let factors = try? JSON(report)["statements"].elements[0]["factors"] else {
                    Issue.record("the report is not encoded")
                    return
                }
                let keys: Set<String> = ["nsf_count", "overdraft_count", "fees_total", "nsf_fees_total"]
                let differences =
                    truth["factors"].differences(from: factors) + truth.differences(from: factors, only: keys)
                #expect(differences.isEmpty, "\(differences.joined(separator: "\n"))")
            } catch {
                #expect(truth["error"] == .bool(true), "\(error.message)")
            }
        }
    }
}
