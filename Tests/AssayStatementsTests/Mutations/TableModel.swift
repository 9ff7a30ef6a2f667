import AssayStatements

/// Movements that are known beforehand, for a bank to write down.
struct TableModel {
    struct Row {
        var day: Day
        /// In cents.
        var amount: Int
        var text: String
    }

    struct Account {
        var name: String
        var currency: String
        var opening: Int
        var rows: [Row]

        var closing: Int { rows.reduce(opening) { $0 + $1.amount } }
    }

    var accounts: [Account]
    var isCard: Bool

    private static let bankIn = ["CLIENT DEPOSIT", "SALARY ROE", "INVOICE 17", "TRANSFER FROM A", "KUNDE 4"]
    private static let bankOut = ["RENT MARCH", "MONTHLY FEE", "PURCHASE SHOP 4", "STORE 12", "FUEL", "TAX OFFICE"]
    private static let cardIn = ["PAYMENT - THANK YOU", "AUTOPAY PAYMENT THANK YOU"]
    private static let cardOut = ["BISTRO", "AIRLINE TICKET", "OFFICE STORE", "CLOUD STORAGE"]

    init(using numbers: inout SeededNumbers, accounts count: Int, currencies: Int) {
        isCard = Int.random(in: 0..<6, using: &numbers) == 0
        accounts = []
        let codes = ["EUR", "USD", "GBP", "CHF"]
        for index in 0..<count {
            for currency in 0..<currencies {
                accounts.append(
                    TableModel.account(
                        "NL00INGB000000000\(index + 1)", codes[currency], isCard: isCard, using: &numbers))
            }
        }
    }

    private static func account(
        _ name: String, _ currency: String, isCard: Bool, using numbers: inout SeededNumbers
    ) -> Account {
        var rows: [Row] = []
        var day = Day(number: Int32.random(in: 19_700..<20_000, using: &numbers))
        // Equal amounts on equal days are what misleads most.
        let sizes = (0..<3).map { _ in Int.random(in: 1..<400_000, using: &numbers) }
        for _ in 0..<Int.random(in: 2...9, using: &numbers) {
            day = day + Int.random(in: 0...9, using: &numbers)
            let isIn = Bool.random(using: &numbers)
            let size =
                Bool.random(using: &numbers)
                ? sizes.randomElement(using: &numbers) ?? 1 : Int.random(in: 1..<900_000, using: &numbers)
            let texts = isCard ? (isIn ? cardIn : cardOut) : (isIn ? bankIn : bankOut)
            rows.append(
                Row(day: day, amount: isIn ? size : -size, text: texts.randomElement(using: &numbers) ?? "X"))
        }
        return Account(
            name: name, currency: currency, opening: Int.random(in: -50_000..<500_000, using: &numbers), rows: rows)
    }
}
