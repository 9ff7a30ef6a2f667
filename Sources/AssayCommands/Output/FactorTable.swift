import Assay

/// The factors of bank statements, one row a statement.
struct FactorTable {
    private(set) var table = TextTable([
        .flexible("INPUT"), .text("ACCOUNT"), .text("PERIOD"), .number("OPENING"), .number("CLOSING"),
        .number("DEPOSITS"), .number("AVG DAILY"), .number("DAYS NEG"), .number("LOWEST"),
    ])

    var isEmpty: Bool { table.rows.isEmpty }

    /// How much of an output is in the table.
    enum Share {
        /// None: it holds no statements with factors.
        case none
        case part, whole
    }

    /// Adds the first statements of an output.
    mutating func add(_ output: JSONValue, of inputID: String, atMost limit: Int) -> Share {
        guard let statements = output["statements"]?.array, statements.contains(where: { $0["factors"] != nil }) else {
            return .none
        }
        for statement in statements.prefix(limit) {
            let factors = statement["factors"] ?? .null
            func text(_ keys: String...) -> String {
                for key in keys {
                    if let value = factors[key] ?? statement[key], value != .null { return value.brief }
                }
                return "-"
            }
            table.rows.append([
                inputID, text("account"), Self.period(of: statement), text("opening"),
                text("ending_balance", "closing"), text("deposits_total"), text("average_daily_balance"),
                text("days_negative"), text("lowest_daily_balance"),
            ])
        }
        return statements.count > limit ? .part : .whole
    }

    /// The days a statement says it covers, else those of its first and last entry.
    private static func period(of statement: JSONValue) -> String {
        let said = statement["period"]?.array?.compactMap(\.string) ?? []
        let days = said.count == 2 ? said : [statement["first_date"], statement["last_date"]].compactMap { $0?.string }
        return days.count == 2 ? days.joined(separator: " – ") : "-"
    }
}
