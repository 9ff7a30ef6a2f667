import AssayStatements

/// What underwriters read first, one row an account.
struct AccountTable {
    private(set) var table = TextTable([
        .flexible("ACCOUNT"), .text("CUR"), .number("STATEMENTS"), .text("CHAIN"), .number("DAYS"),
        .number("AVG DAILY"), .number("TRUE REVENUE"), .number("NSF"), .number("OD"), .number("DAYS NEG"),
        .number("LOWEST"), .number("MCA"), .text("TREND"),
    ])

    init(_ accounts: some Sequence<AccountReport>) {
        for account in accounts {
            let factors = account.factors
            func text(_ value: (some CustomStringConvertible)?) -> String { value.map { "\($0)" } ?? "-" }
            table.rows.append([
                text(account.account), text(account.currency), "\(account.statements)", account.chain.rawValue,
                "\(factors.total.days)", text(factors.total.averageDailyBalance), text(factors.total.trueRevenue),
                text(factors.total.nsfCount), text(factors.total.overdraftCount), text(factors.total.daysNegative),
                text(factors.total.lowestDailyBalance), text(factors.mcaPositions),
                text(factors.trend?.trendClass.rawValue),
            ])
        }
    }
}
