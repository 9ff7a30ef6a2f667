import AssayStatements

/// Writes a model as OFX, in one of the ways of banks.
enum OFXWriter {
    static func write(_ model: TableModel, using numbers: inout SeededNumbers) -> WrittenFile {
        var text = WrittenText(using: &numbers)
        text.isComma = numbers.isOnce(in: 4)
        if numbers.isOnce(in: 5) { text.group = text.isComma ? "." : "," }
        text.hasPlus = numbers.isOnce(in: 5)
        // Without signs the types tell the direction.
        let isUnsigned = numbers.isOnce(in: 6)
        let closes = numbers.isOnce(in: 2)
        let breaks = numbers.isOnce(in: 4) ? "" : text.end
        func leaf(_ name: String, _ value: String) -> String {
            "<\(name)>\(value)" + (closes || breaks.isEmpty ? "</\(name)>" : "") + breaks
        }
        func part(_ name: String, _ content: String) -> String { "<\(name)>\(breaks)\(content)</\(name)>\(breaks)" }
        let zone = numbers.one(of: ["", "120000", "120000.000[0:GMT]", "000000[-8:PST]", "235959"])
        let isLatin = numbers.isOnce(in: 4)
        let accent = numbers.isOnce(in: 3) ? " CAF\u{C9}" : ""
        var pending = 0
        var statements = ""
        for account in model.accounts {
            var list = ""
            if numbers.isOnce(in: 2), let first = account.rows.first, let last = account.rows.last {
                list += leaf("DTSTART", WrittenText.compact(first.day) + zone)
                list += leaf("DTEND", WrittenText.compact(last.day) + zone)
            }
            let isNewestFirst = numbers.isOnce(in: 3)
            let order = (0..<6).shuffled(using: &numbers)
            let isShuffled = numbers.isOnce(in: 3)
            let (hasID, hasMemo) = (!numbers.isOnce(in: 4), numbers.isOnce(in: 3))
            for (index, row) in isNewestFirst ? account.rows.enumerated().reversed() : Array(account.rows.enumerated())
            {
                let leaves = [
                    leaf("TRNTYPE", type(row.amount, isUnsigned, &numbers)),
                    leaf("DTPOSTED", WrittenText.compact(row.day) + zone),
                    leaf("TRNAMT", text.amount(isUnsigned ? abs(row.amount) : row.amount)),
                    hasID
                        ? leaf("FITID", "\(account.name)-\(index)")
                        : numbers.one(of: ["", "<FITID>" + breaks + "</FITID>"]),
                    leaf("NAME", row.text + accent), hasMemo ? leaf("MEMO", row.text + accent + " MORE") : "",
                ]
                list += part("STMTTRN", (isShuffled ? order.map { leaves[$0] } : leaves).joined())
            }
            var content = numbers.isOnce(in: 5) ? "" : leaf("CURDEF", account.currency)
            let number = leaf("ACCTID", account.name)
            content +=
                model.isCard
                ? part("CCACCTFROM", number)
                : part("BANKACCTFROM", leaf("BANKID", "1") + number + leaf("ACCTTYPE", "CHECKING"))
            content += part("BANKTRANLIST", list)
            if numbers.isOnce(in: 4) {
                pending += 1
                let leaves = leaf("TRNTYPE", "DEBIT") + leaf("DTTRAN", WrittenText.compact(account.rows[0].day))
                content += part(
                    "BANKTRANLISTP",
                    part("STMTTRNP", leaves + leaf("TRNAMT", text.amount(-1234)) + leaf("NAME", "OPEN")))
            }
            content += balance(account, text, &numbers, leaf, part)
            if numbers.isOnce(in: 4) {
                content += part(
                    "AVAILBAL", leaf("BALAMT", text.amount(account.closing + 100)) + leaf("DTASOF", "20300101"))
            }
            let name = model.isCard ? "CCSTMT" : "STMT"
            statements += part("\(name)TRNRS", leaf("TRNUID", "0") + part("\(name)RS", content))
        }
        let header = numbers.one(of: [
            "OFXHEADER:100\(text.end)DATA:OFXSGML\(text.end)CHARSET:1252\(text.end)\(text.end)",
            "<?xml version=\"1.0\"?>\(text.end)<?OFX OFXHEADER=\"200\"?>\(text.end)", "",
        ])
        let body = part("OFX", part(model.isCard ? "CREDITCARDMSGSRSV1" : "BANKMSGSRSV1", statements))
        let mark: [UInt8] = numbers.isOnce(in: 6) ? [0xEF, 0xBB, 0xBF] : []
        let content = isLatin ? WrittenText.latin(header + body) : [UInt8]((header + body).utf8)
        var file = WrittenFile(bytes: (isLatin ? [] : mark) + content, pending: pending)
        file.told.ofx.amountSign = .bank
        return file
    }

    private static func type(_ amount: Int, _ isUnsigned: Bool, _ numbers: inout SeededNumbers) -> String {
        let types = amount < 0 ? ["DEBIT", "POS"] : ["CREDIT", "DEP"]
        return numbers.one(of: isUnsigned ? types : types + ["XFER"])
    }

    /// The balance of the last day, or one that says nothing of the statement.
    private static func balance(
        _ account: TableModel.Account, _ text: WrittenText, _ numbers: inout SeededNumbers,
        _ leaf: (String, String) -> String, _ part: (String, String) -> String
    ) -> String {
        guard let last = account.rows.map(\.day).max() else { return "" }
        switch Int.random(in: 0..<5, using: &numbers) {
        case 0: return ""
        case 1:
            // Today's balance stands in a file of last year.
            return part(
                "LEDGERBAL",
                leaf("BALAMT", text.amount(account.closing + 777)) + leaf("DTASOF", WrittenText.compact(last + 40)))
        case 2: return part("LEDGERBAL", leaf("BALAMT", text.amount(account.closing)) + leaf("DTASOF", "00000000"))
        default:
            return part(
                "LEDGERBAL", leaf("BALAMT", text.amount(account.closing)) + leaf("DTASOF", WrittenText.compact(last)))
        }
    }
}
