/// The amounts of all entries under one rule, worked out from the cells whenever they are asked for.
struct CSVAmounts {
    private enum Way {
        /// The amount of the first column, or less that of the second, or the second less the first.
        case plain, less, pair
        /// The size in the first column, with a direction for each row.
        case sizes
        /// The amount of the only one of several columns that is filled.
        case oneOf
    }

    let count: Int
    private let way: Way
    private let first: CSVValues
    private let second: CSVValues
    private let others: [CSVValues]
    /// For each row whether money went out, where a size has no sign of its own.
    private var isOut: [Bool] = []
    private var isTurned = false

    private init(
        _ way: Way, _ count: Int, _ first: CSVValues, _ second: CSVValues = .none, others: [CSVValues] = []
    ) {
        (self.way, self.count, self.first, self.second, self.others) = (way, count, first, second, others)
    }

    /// Makes the amounts of a column with signs; `nil` if a row has none.
    init?(_ column: CSVValues, count: Int) {
        guard (0..<count).allSatisfy({ column[$0] != nil }) else { return nil }
        self.init(.plain, count, column)
    }

    /// Makes the amounts of a column less a fee; `nil` if a row has no amount.
    init?(_ column: CSVValues, lessFee fee: CSVValues, count: Int) {
        guard (0..<count).allSatisfy({ column[$0] != nil }) else { return nil }
        self.init(.less, count, column, fee)
    }

    /// Makes the amounts of a column of what went out and one of what came in; `nil` if both are filled, or one has
    /// both signs.
    init?(debit: CSVValues, credit: CSVValues, count: Int) {
        guard (0..<count).allSatisfy({ (debit[$0] ?? .zero) == .zero || (credit[$0] ?? .zero) == .zero }),
            debit.hasOneSign, credit.hasOneSign
        else { return nil }
        self.init(.pair, count, debit, credit)
    }

    /// Makes the amounts of columns of which one is filled in each row; `nil` if two are.
    init?(oneOf columns: [CSVValues], count: Int) {
        for row in 0..<count {
            let filled = columns.count { ($0[row] ?? .zero) != .zero }
            guard filled <= 1 else { return nil }
        }
        self.init(.oneOf, count, .none, others: columns)
    }

    /// Makes the amounts of a column of sizes, each of which has an amount.
    init(sizes: CSVValues, isOut: [Bool]) {
        self.init(.sizes, isOut.count, sizes)
        self.isOut = isOut
    }

    subscript(row: Int) -> Amount {
        let amount =
            switch way {
            case .plain: first[row] ?? .zero
            // A fee that is written with a minus sign is less already.
            case .less: (first[row] ?? .zero) - (second[row] ?? .zero).magnitude
            case .pair: (second[row] ?? .zero).magnitude - (first[row] ?? .zero).magnitude
            case .sizes: isOut[row] ? -(first[row] ?? .zero).magnitude : (first[row] ?? .zero).magnitude
            case .oneOf: others.lazy.compactMap { $0[row] }.first { $0 != .zero } ?? .zero
            }
        return isTurned ? -amount : amount
    }

    /// The same amounts with the other signs.
    var turned: CSVAmounts {
        var result = self
        result.isTurned.toggle()
        return result
    }

    /// Gives the size in a row the other direction.
    mutating func turn(_ row: Int) { isOut[row].toggle() }

    func isSame(as other: CSVAmounts) -> Bool { (0..<count).allSatisfy { self[$0] == other[$0] } }

    func contains(where condition: (Amount) -> Bool) -> Bool { (0..<count).contains { condition(self[$0]) } }
}
