import AssayStatements
import Foundation
import Testing

@Suite("The law of changed files") struct MutationLawTests {
    /// With `ASSAY_SOAK` a hundred times as many.
    private static let rounds = ProcessInfo.processInfo.environment["ASSAY_SOAK"] == nil ? 100 : 10_000

    /// What became of the files.
    private struct Tally {
        var right = 0
        var refused = 0
        var flagged = 0
    }

    @Test("keeps every figure, leaves it out or refuses the file, whatever a bank changes", arguments: 0..<20)
    func law(seed: UInt64) throws {
        var numbers = SeededNumbers(state: seed &* 1_000_003)
        var tally = Tally()
        var done = 0
        while done < Self.rounds {
            let several = Int.random(in: 0..<8, using: &numbers)
            let model = TableModel(using: &numbers, accounts: several == 0 ? 2 : 1, currencies: several == 1 ? 2 : 1)
            var style = TableStyle(using: &numbers)
            for _ in 0..<Int.random(in: 1...2, using: &numbers) {
                style.change(Int.random(in: 0..<TableStyle.changes, using: &numbers), using: &numbers)
            }
            guard style.isFair else { continue }
            done += 1
            try check(model, style, &tally)
        }
        // A law that refused everything would hold, and say nothing.
        #expect(tally.right * 2 > Self.rounds)
        #expect(tally.refused > 0)
    }

    private func check(_ model: TableModel, _ style: TableStyle, _ tally: inout Tally) throws {
        var written = style
        // What a card charges stands on the plus side as often as not.
        if model.isCard, style.amounts == .signed, !style.hasBalance, !style.hasCounterparty {
            written.isTurned.toggle()
        }
        let bytes = TableWriter(model: model, style: written).bytes()
        var profile: CSVProfile?
        for _ in 0..<4 {
            do throws(StatementError) {
                let file = try StatementReader(format: .csv, csv: profile).read(bytes)
                let differences = Self.differences(file, model)
                if differences.isEmpty {
                    tally.right += 1
                } else if Self.isFlagged(file) {
                    tally.flagged += 1
                } else {
                    Issue.record("\(differences.joined(separator: "; "))\n\(String(decoding: bytes, as: UTF8.self))")
                }
                return
            } catch {
                tally.refused += 1
                // The key that a refusal names must help.
                guard let next = Self.remedied(profile, error.message, model, written) else { return }
                profile = next
            }
        }
        Issue.record("no key helps: \(String(decoding: bytes, as: UTF8.self))")
    }

    private static func isFlagged(_ file: StatementFile) -> Bool {
        file.statements.contains { !$0.flags.isDisjoint(with: [.directionAssumed]) || $0.contradictsTotals }
    }

    /// The profile with the key that a refusal names, set to what is true.
    private static func remedied(
        _ profile: CSVProfile?, _ message: String, _ model: TableModel, _ style: TableStyle
    ) -> CSVProfile? {
        var next = profile ?? CSVProfile()
        if message.contains("set csv.date_order"), next.dateOrder == nil {
            next.dateOrder = style.dates == .monthFirst ? .month : .day
        } else if message.contains("set csv.decimal"), next.decimal == nil {
            next.decimal = style.isComma ? "," : "."
        } else if message.contains("csv.amount_sign: bank"), next.amountSign == nil, style.amounts == .signed {
            next.amountSign = style.isTurned ? .card : .bank
        } else if message.contains("set csv.opening_balance"), next.openingBalance == nil, model.accounts.count == 1 {
            next.openingBalance = text(model.accounts[0].opening)
        } else {
            return nil
        }
        return next
    }

    private static func text(_ cents: Int) -> String {
        let size = abs(cents)
        return "\(cents < 0 ? "-" : "")\(size / 100).\(size % 100 < 10 ? "0" : "")\(size % 100)"
    }

    /// Where the figures of a file are others than those of the model.
    private static func differences(_ file: StatementFile, _ model: TableModel) -> [String] {
        var result: [String] = []
        guard file.statements.count == model.accounts.count else {
            return ["\(file.statements.count) statements, not \(model.accounts.count)"]
        }
        var open = model.accounts
        for statement in file.statements {
            let found = sorted(statement.entries.map { ("\($0.day.map { "\($0)" } ?? "-")", "\($0.amount)") })
            let place = open.firstIndex { account in
                found == sorted(account.rows.map { ("\($0.day)", text($0.amount)) })
                    && (statement.account == nil || statement.account == account.name)
            }
            guard let place else {
                result.append("entries \(found.prefix(20))")
                continue
            }
            let account = open.remove(at: place)
            if let opening = statement.opening, "\(opening)" != text(account.opening) {
                result.append("opening \(opening), not \(text(account.opening))")
            }
            if let closing = statement.closing, "\(closing)" != text(account.closing) {
                result.append("closing \(closing), not \(text(account.closing))")
            }
        }
        return result
    }

    private static func sorted(_ entries: [(String, String)]) -> [String] {
        entries.map { "\($0.0) \($0.1)" }.sorted()
    }
}
