/// The way to compute an amount from the cells of a row.
enum CSVRule: Hashable {
    /// A column with signs.
    case signed(Int)
    /// A column with signs that the other way round: plus is money out.
    case turned(Int)
    /// A column less another one.
    case lessFee(Int, fee: Int)
    /// A column of what went out and one of what came in.
    case pair(debit: Int, credit: Int)
    /// A column of sizes, and one that says which way they went.
    case direction(Int, by: Int)
    /// One column for each currency, of which one is filled.
    case byCurrency([Int])
    /// A column of sizes, whose direction only the running balance tells.
    case unsigned(Int)
}

/// The columns of a table to read, and the possible ways to compute amounts from them.
struct CSVPlan {
    let table: CSVTable
    /// The columns of dates, in the order in which they are preferred.
    var dates: [Int] = []
    /// The only date column, if it is filled in every entry.
    var date: Int?
    /// How the profile says that dates are written.
    var dateFormat: DatePattern?
    /// The ways to put amounts together, those first that the structure speaks for.
    var rules: [CSVRule] = []
    var balance: Int?
    /// The columns that type words may be learned from.
    var types: [Int] = []
    var status: [Int] = []
    var account: Int?
    /// Columns that may name the own account or someone else's.
    var otherAccounts: [Int] = []
    var accountType: Int?
    var product: Int?
    var currency: Int?
    var descriptions: [[Int]] = []
    var hasBankColumns = false
    var hasCardColumns = false
    /// Where a column is a direction column, what each of its values says.
    var directions: [Int: [(value: Bytes, mark: AmountCell.Mark)]] = [:]
    var fee: Int?
    /// Whether the profile says how amounts come about, so that nothing is left to find out.
    var isSettled = false

    /// All columns that hold amounts which are read.
    var amounts: [Int] {
        var result: [Int] = []
        for column in rules.flatMap(\.columns) + [balance].compactMap({ $0 }) where !result.contains(column) {
            result.append(column)
        }
        return result
    }

    /// The columns that decide whether a row has an amount.
    var deciding: [Int] { Array(Set(rules.flatMap(\.deciding))).sorted() }
}

extension CSVPlan {
    /// Makes a plan without any columns.
    init(table: CSVTable) { self.table = table }
}

extension CSVRule {
    var columns: [Int] {
        switch self {
        case .signed(let column), .turned(let column), .unsigned(let column), .direction(let column, _): [column]
        case .lessFee(let column, let fee): [column, fee]
        case .pair(let debit, let credit): [debit, credit]
        case .byCurrency(let columns): columns
        }
    }

    /// The columns of which one must be filled.
    fileprivate var deciding: [Int] {
        if case .lessFee(let column, _) = self { return [column] }
        return columns
    }
}

extension CSVPlan {
    /// Makes the plan for a table, from the names of its columns and what they hold.
    init(_ survey: CSVSurvey) {
        table = survey.table
        let names = table.columns
        let places = names.names.indices
        // `Valuta` is a date in one language and a currency in another.
        currency = names.places(.currency).first { survey.columns[$0].isCurrency }
        let named = [CSVRole.bookingDate, .plainDate, .transactionDate, .valueDate].flatMap { names.places($0) }
            .filter { $0 != currency }
        dates = named.filter { survey.columns[$0].isDate && survey.columns[$0].filled > 0 }
        if dates.isEmpty { dates = named }
        date = dates.first { survey.columns[$0].filled == survey.rows }
        func amount(_ role: CSVRole) -> [Int] {
            let named = names.places(role).filter { !dates.contains($0) && $0 != currency }
            let fitting = named.filter { survey.columns[$0].isAmount && survey.columns[$0].filled > 0 }
            return fitting.isEmpty ? Array(named.prefix(1)) : fitting
        }
        let balances = names.places(.balance).filter {
            survey.columns[$0].nonZero > 0 || survey.columns[$0].isAmount && survey.columns[$0].filled > 0
        }
        balance = balances.first
        if let place = balance, survey.isConstant(place) { balance = nil }
        let nets = amount(.net)
        fee = names.places(.fee).first { survey.columns[$0].isAmount && survey.columns[$0].nonZero > 0 }
        var plain = amount(.amount).filter { !nets.contains($0) && $0 != balance }
        plain += amount(.gross).filter { !plain.contains($0) && $0 != balance }
        let debit = names.places(.debit).first { survey.columns[$0].isAmount && !dates.contains($0) }
        let credit = names.places(.credit).first { survey.columns[$0].isAmount && !dates.contains($0) }
        findDirections(survey, except: dates + plain + nets + [balance, debit, credit].compactMap { $0 })

        for column in plain + nets {
            for direction in directions.keys.sorted() { rules.append(.direction(column, by: direction)) }
        }
        if let debit, let credit, survey.columns[debit].nonZero + survey.columns[credit].nonZero > 0 || plain.isEmpty {
            rules.append(.pair(debit: debit, credit: credit))
        }
        let inCurrencies = plain.filter { names.currencies[$0] != nil && survey.columns[$0].filled > 0 }
        if inCurrencies.count > 1, inCurrencies.allSatisfy({ survey.columns[$0].filled < survey.rows }) {
            rules.append(.byCurrency(inCurrencies))
            plain = []
        }
        for column in nets { rules.append(.signed(column)) }
        for column in plain { rules.append(.signed(column)) }
        if let fee { for column in plain where nets.isEmpty { rules.append(.lessFee(column, fee: fee)) } }

        types = names.places(.type).filter { !rules.flatMap(\.columns).contains($0) }
        status = names.places(.status)
        account = names.places(.account).first { survey.columns[$0].filled >= survey.rows && survey.rows > 0 }
        otherAccounts = names.places(.accountOrOther).filter {
            survey.columns[$0].filled >= survey.rows && $0 != account
        }
        accountType = names.first(.accountType)
        product = names.first(.product)
        descriptions = names.places(.description).filter {
            !rules.flatMap(\.columns).contains($0) && !dates.contains($0)
        }
        .map { names.numbered($0) }
        hasBankColumns = places.contains { names.has(.bankOnly, $0) && survey.columns[$0].filled > 0 }
        hasCardColumns = places.contains { names.has(.cardOnly, $0) && survey.columns[$0].filled > 0 }
    }

    /// Finds the columns that tell the direction, whatever their names.
    private mutating func findDirections(_ survey: CSVSurvey, except used: [Int]) {
        for (place, column) in survey.columns.enumerated() where !used.contains(place) {
            guard let marks = column.directions else { continue }
            let name = place < table.columns.names.count ? table.columns.names[place] : ""
            let isNamed = table.columns.names.indices.contains(place) && table.columns.has(.type, place)
            let isUnnamed = name.allSatisfy { $0 == " " }
            // One word alone may mean anything, unless the column is called so or some rows leave it out.
            let speaks = Set(marks).count == 2 || isNamed || (isUnnamed && column.filled < survey.rows)
            guard speaks else { continue }
            directions[place] = zip(column.values, marks).map { ($0, $1) }
        }
    }
}

extension CSVSurvey {
    /// Returns whether a column never changes although the account does.
    func isConstant(_ place: Int) -> Bool {
        let column = columns[place]
        return rows > 1 && column.filled > 1 && !column.hasManyValues && column.values.count == 1
    }
}
