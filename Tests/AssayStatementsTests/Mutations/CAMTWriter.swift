import AssayStatements
import Foundation

/// Writes a model as camt.052 or camt.053, in one of the ways of banks.
enum CAMTWriter {
    static func write(_ model: TableModel, using numbers: inout SeededNumbers) -> WrittenFile {
        let text = WrittenText(using: &numbers)
        let breaks = numbers.one(of: ["", text.end, text.end + "  "])
        let prefix = numbers.one(of: ["", "", "ns2:", "n0:"])
        let isReport = numbers.isOnce(in: 4)
        let version = numbers.one(of: ["02", "04", "06", "08"])
        func part(_ name: String, _ content: String, _ attributes: String = "") -> String {
            "<\(prefix)\(name)\(attributes)>\(content)</\(prefix)\(name)>"
        }
        func group(_ name: String, _ parts: [String]) -> String {
            part(name, breaks + parts.map { $0.isEmpty ? "" : $0 + breaks }.joined())
        }
        func amount(_ cents: Int, _ currency: String) -> String {
            let size = abs(cents)
            let written = size % 100 == 0 && version == "04" ? "\(size / 100)" : text.amount(size)
            return part("Amt", written, " Ccy=\"\(currency)\"")
        }
        func sign(_ cents: Int) -> String { part("CdtDbtInd", cents < 0 ? "DBIT" : "CRDT") }
        func day(_ day: Day, isTime: Bool) -> String {
            isTime ? part("DtTm", WrittenText.iso(day) + "T10:00:00+01:00") : part("Dt", WrittenText.iso(day))
        }
        func balance(_ code: String, _ cents: Int, _ account: TableModel.Account, _ date: Day) -> String {
            group(
                "Bal",
                [
                    part("Tp", part("CdOrPrtry", part("Cd", code))), amount(cents, account.currency), sign(cents),
                    part("Dt", day(date, isTime: false)),
                ])
        }
        func status(_ code: String) -> String { part("Sts", version == "08" ? part("Cd", code) : code) }
        var pending = 0
        let statements = model.accounts.map { account -> String in
            guard let first = account.rows.first?.day, let last = account.rows.last?.day else { return "" }
            var parts = [part("Id", "S1")]
            if numbers.isOnce(in: 2) {
                parts.append(
                    part(
                        "FrToDt",
                        part("FrDtTm", WrittenText.iso(first) + "T00:00:00")
                            + part("ToDtTm", WrittenText.iso(last) + "T23:59:59")))
            }
            let id = numbers.isOnce(in: 3) ? part("Othr", part("Id", account.name)) : part("IBAN", account.name)
            parts.append(part("Acct", part("Id", id) + (numbers.isOnce(in: 4) ? "" : part("Ccy", account.currency))))
            var balances: [String] = []
            switch Int.random(in: 0..<6, using: &numbers) {
            case 0: balances = []
            case 1: balances = [balance("OPBD", account.opening, account, first)]
            case 2:
                balances = [
                    balance("PRCD", account.opening, account, first + -1),
                    balance("CLBD", account.closing, account, last),
                ]
            default:
                balances = [
                    balance("OPBD", account.opening, account, first), balance("CLBD", account.closing, account, last),
                ]
            }
            let hasBoth = balances.count == 2
            if !balances.isEmpty, numbers.isOnce(in: 3) {
                balances.append(balance("CLAV", account.closing + 500, account, last))
                balances.append(balance("FWAV", account.closing + 900, account, last + 1))
            }
            let order = (0..<7).shuffled(using: &numbers)
            let isShuffled = numbers.isOnce(in: 3)
            let (isTime, hasValue, isBatch) = (numbers.isOnce(in: 4), !numbers.isOnce(in: 4), numbers.isOnce(in: 4))
            let isNewestFirst = numbers.isOnce(in: 4)
            // A bank may give the direction of what is reversed: only with both balances is that known.
            let reversed = numbers.isOnce(in: 3) ? Int.random(in: account.rows.indices, using: &numbers) : -1
            let isTurned = hasBoth && numbers.isOnce(in: 2)
            let rows = Array(account.rows.enumerated())
            var entries = (isNewestFirst ? rows.reversed() : rows).map { index, row -> String in
                let detail = part("RmtInf", part("Ustrd", row.text + " &amp; CAF\u{C9}"))
                let single = part("AmtDtls", part("InstdAmt", amount(row.amount * 3, "USD"))) + detail
                let batch = [1, row.amount - 1].map { part("TxDtls", amount($0, account.currency) + detail) }.joined()
                let fields = [
                    amount(row.amount, account.currency),
                    sign(index == reversed && isTurned ? -row.amount : row.amount)
                        + (index == reversed ? part("RvslInd", "true") : ""), status("BOOK"),
                    part("BookgDt", day(row.day, isTime: isTime)),
                    hasValue ? part("ValDt", day(row.day + 2, isTime: false)) : "",
                    numbers.isOnce(in: 2) ? part("AcctSvcrRef", "R\(row.day.number)-\(row.amount)") : "",
                    part("NtryDtls", isBatch ? batch : part("TxDtls", single)),
                ]
                return group("Ntry", isShuffled ? order.map { fields[$0] } : fields)
            }
            if numbers.isOnce(in: 4) {
                pending += 1
                let fields = [
                    amount(-1234, account.currency), sign(-1), status("PDNG"),
                    part("BookgDt", day(last, isTime: false)),
                ]
                entries.insert(group("Ntry", fields), at: numbers.isOnce(in: 2) ? 0 : entries.count)
            }
            // Schemas put balances first, and some banks last.
            parts += numbers.isOnce(in: 4) ? entries + balances : balances + entries
            return group(isReport ? "Rpt" : "Stmt", parts)
        }
        let name = prefix.isEmpty ? "xmlns" : "xmlns:\(prefix.dropLast())"
        let type = isReport ? "052" : "053"
        let message = group(
            isReport ? "BkToCstmrAcctRpt" : "BkToCstmrStmt", [group("GrpHdr", [part("MsgId", "M")])] + statements)
        let body = part(
            "Document", breaks + message + breaks,
            " \(name)=\"urn:iso:std:iso:20022:tech:xsd:camt.\(type).001.\(version)\"")
        return WrittenFile(bytes: encoded(body, &numbers), pending: pending)
    }

    private static func encoded(_ body: String, _ numbers: inout SeededNumbers) -> [UInt8] {
        func declared(_ name: String) -> String { "<?xml version=\"1.0\" encoding=\"\(name)\"?>\n" + body }
        switch Int.random(in: 0..<5, using: &numbers) {
        case 0: return [UInt8](body.utf8)
        case 1: return WrittenText.latin(declared("ISO-8859-1"))
        case 2: return [0xFF, 0xFE] + declared("UTF-16").utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        case 3: return [0xEF, 0xBB, 0xBF] + [UInt8](declared("UTF-8").utf8)
        default: return [UInt8](declared("UTF-8").utf8)
        }
    }
}
