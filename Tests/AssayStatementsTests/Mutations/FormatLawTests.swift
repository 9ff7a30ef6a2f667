import AssayStatements
import Foundation
import Testing

@Suite("The law of formats that are no tables") struct FormatLawTests {
    /// With `ASSAY_SOAK` a hundred times as many.
    private static let rounds = ProcessInfo.processInfo.environment["ASSAY_SOAK"] == nil ? 300 : 30_000

    enum Format: String, CaseIterable {
        case ofx, qif, mt940, camt, bai2, pdf
    }

    @Test("keeps every figure, leaves it out or refuses the file, whatever a bank changes", arguments: Format.allCases)
    func law(format: Format) throws {
        var numbers = SeededNumbers(state: 7)
        var (right, refused) = (0, 0)
        // Each PDF starts a program.
        let rounds = format == .pdf ? Self.rounds / 10 : Self.rounds
        for _ in 0..<(format == .pdf && !hasPDFProgram ? 0 : rounds) {
            let count = format != .pdf && numbers.isOnce(in: 3) ? 2 : 1
            var model = TableModel(using: &numbers, accounts: count, currencies: 1)
            let canBeCard = format == .ofx || format == .qif
            if !canBeCard { model.isCard = false }
            let file =
                switch format {
                case .ofx: OFXWriter.write(model, using: &numbers)
                case .qif: QIFWriter.write(model, using: &numbers)
                case .mt940: MT940Writer.write(model, using: &numbers)
                case .camt: CAMTWriter.write(model, using: &numbers)
                case .bai2: BAI2Writer.write(model, using: &numbers)
                case .pdf: PDFWriter.write(model, using: &numbers)
                }
            let wasRead = try check(file, model, StatementReader())
            if wasRead { right += 1 } else { refused += 1 }
        }
        // A law that refused everything would hold, and say nothing.
        #expect(right * 10 >= rounds * (format == .pdf ? 4 : 7), "\(refused) refused")
    }

    /// Reads a file and holds it against its model; false where it is refused until a person says more.
    private func check(_ file: WrittenFile, _ model: TableModel, _ reader: StatementReader) throws -> Bool {
        let text = { String(decoding: file.bytes, as: UTF8.self) }
        do throws(StatementError) {
            let found = try reader.read(file.bytes)
            let differences = Self.differences(found, model, file)
            if !differences.isEmpty { Issue.record("\(differences.joined(separator: "; "))\n\(text())") }
            return true
        } catch {
            // The key that a refusal names must help.
            // A page may leave its dates or signs open, and no key settles those of a PDF.
            if file.bytes.starts(with: "%PDF".utf8) { return false }
            if error.message.contains("; set "), reader != file.told {
                #expect(try check(file, model, file.told), "\(error.message)\n\(text())")
            } else {
                Issue.record("\(error.message)\n\(text())")
            }
            return false
        }
    }

    /// Where the figures of a file are others than those of the model.
    private static func differences(_ file: StatementFile, _ model: TableModel, _ written: WrittenFile) -> [String] {
        var result: [String] = []
        for account in model.accounts {
            let parts = file.statements.filter { $0.account == account.name || model.accounts.count == 1 }
            let entries = parts.flatMap(\.entries)
            // Without a year the day is absent unless the period tells it, and the flag says so.
            let isUndated =
                written.mayBeUndated && entries.allSatisfy { $0.day == nil }
                && file.report().statements.contains { $0.factors.flags.contains(.undatedEntries) }
            let found = entries.map { "\($0.day.map { "\($0)" } ?? "-") \($0.amount)" }.sorted()
            let expected = account.rows.map { "\(isUndated ? "-" : "\($0.day)") \(money($0.amount))" }.sorted()
            if found != expected { result.append("entries \(found), not \(expected)") }
            if written.hasTexts {
                let texts = Set(parts.flatMap(\.entries).map(\.text))
                for row in account.rows where !texts.contains(where: { $0.contains(row.text) }) {
                    result.append("no text '\(row.text)' in \(texts.sorted())")
                }
            }
            if let opening = parts.first?.opening, "\(opening)" != money(account.opening) {
                result.append("opening \(opening), not \(money(account.opening))")
            }
            if let closing = parts.last?.closing, "\(closing)" != money(account.closing) {
                result.append("closing \(closing), not \(money(account.closing))")
            }
            for part in parts {
                if part.balanceCheck == .mismatch { result.append("a mismatch") }
                if let currency = part.currency, currency != account.currency { result.append("currency \(currency)") }
                if let type = part.accountType, (type == .card) != model.isCard { result.append("a \(type) account") }
            }
        }
        let entries = file.statements.reduce(0) { $0 + $1.entries.count }
        if entries != model.accounts.reduce(0, { $0 + $1.rows.count }) { result.append("\(entries) entries in all") }
        let left = file.statements.reduce(0) { $0 + $1.leftOut.pending }
        if left != written.pending { result.append("\(left) pending, not \(written.pending)") }
        return result
    }

    private static func money(_ cents: Int) -> String {
        "\(cents < 0 ? "-" : "")\(abs(cents) / 100).\(WrittenText.two(abs(cents) % 100))"
    }
}
