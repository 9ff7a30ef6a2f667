import AssayStatements

/// Writes a model as BAI2, in one of the ways of banks: one group for each day.
enum BAI2Writer {
    /// The sums and counts that trailers repeat.
    private struct Level {
        var total = 0
        var records = 0
        var members = 0
    }

    static func write(_ model: TableModel, using numbers: inout SeededNumbers) -> WrittenFile {
        let text = WrittenText(using: &numbers)
        let padding = numbers.isOnce(in: 4) ? " " : ""
        let splits = numbers.isOnce(in: 3)
        let (hasCurrency, isPadded) = (numbers.isOnce(in: 2), numbers.isOnce(in: 4))
        let leavesOutMembers = numbers.isOnce(in: 5)
        func written(_ cents: Int) -> String {
            let digits = String(abs(cents))
            return (cents < 0 ? "-" : "") + (isPadded ? "00" : "") + digits
        }
        var file = Level(records: 1)
        var lines = ["01,BANK,ME,240101,0800,1,80,,2/"]
        let days = Set(model.accounts.flatMap { $0.rows.map(\.day) }).sorted()
        var balances = model.accounts.map(\.opening)
        for day in days {
            var group = Level(records: 1)
            let currency = hasCurrency ? model.accounts[0].currency : ""
            lines.append("02,ME,BANK,1,\(WrittenText.compact(day).dropFirst(2)),0800,\(currency),2/")
            for (index, account) in model.accounts.enumerated() {
                let rows = account.rows.filter { $0.day == day }
                let opening = balances[index]
                let closing = rows.reduce(opening) { $0 + $1.amount }
                balances[index] = closing
                var level = Level(total: opening + closing, records: 1)
                var summary = ["010,\(written(opening)),,", "015,\(written(closing)),,"]
                if numbers.isOnce(in: 3) {
                    let credits = rows.filter { $0.amount > 0 }
                    let sum = credits.reduce(0) { $0 + $1.amount }
                    summary.append("100,\(written(sum)),\(credits.count),")
                    level.total += sum
                }
                let head = "03,\(account.name),\(account.currency)"
                if splits {
                    lines += ["\(head)/"] + summary.map { "88,\($0)/" }
                    level.records += summary.count
                } else {
                    lines.append("\(head),\(summary.joined(separator: ","))/")
                }
                for row in rows {
                    level.total += abs(row.amount)
                    let code =
                        row.amount < 0
                        ? numbers.one(of: ["475", "451", "699"]) : numbers.one(of: ["165", "301", "399"])
                    let size = abs(row.amount)
                    let funds = numbers.one(of: [
                        "", "0", "1", "Z", "S,\(size),0,0", "V,\(WrittenText.compact(day).dropFirst(2)),",
                        "D,2,0,\(size),1,0",
                    ])
                    let record = "16,\(code),\(written(size)),\(funds),BANKREF,,"
                    level.records += 1
                    switch Int.random(in: 0..<4, using: &numbers) {
                    case 0:
                        lines += [record + row.text, "88,MORE, WITH COMMAS AND A/C NO. 5/"]
                        level.records += 1
                    case 1: lines.append(record + "\(row.text) 12/31, 5,000.00")
                    default: lines.append(record + row.text + "/")
                    }
                }
                level.records += 1
                lines.append("49,\(written(level.total)),\(level.records)\(padding)/")
                group.total += level.total
                group.records += level.records
                group.members += 1
            }
            group.records += 1
            let members = leavesOutMembers ? "" : "\(group.members),"
            lines.append("98,\(written(group.total)),\(members)\(group.records)/")
            file.total += group.total
            file.records += group.records
            file.members += 1
        }
        file.records += 1
        lines.append("99,\(written(file.total)),\(file.members),\(file.records)/")
        return WrittenFile(bytes: [UInt8]((lines.joined(separator: text.end) + text.end).utf8))
    }
}
