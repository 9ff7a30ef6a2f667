/// The amounts of one column as they are written, nearly all in eight bytes each.
struct CSVCells {
    /// The way an amount is written, apart from its digits and its sign.
    private struct Shape: Equatable {
        var places: AmountCell.Places
        var hasPlus: Bool
        var mark: AmountCell.Mark
        var writesPoint: Bool
    }

    /// The digits of each amount as one number, with its sign.
    private var numbers: [Int64] = []
    /// For each amount the place of its shape in `known`; empty while all have the first one.
    private var shapes: [UInt8] = []
    private var known: [Shape] = []
    /// The amounts that numbers and shapes have no room for, by row.
    private var wide: [Int: AmountCell] = [:]

    /// In place of a shape: a cell without an amount, and one that is in `wide`.
    private static let empty: UInt8 = 255
    private static let outside: UInt8 = 254

    mutating func reserve(_ count: Int) { numbers.reserveCapacity(count) }

    mutating func append(_ cell: AmountCell?) {
        var place = CSVCells.empty
        var number: Int64 = 0
        if let cell {
            place = CSVCells.outside
            if let short = cell.shortNumber { (number, place) = (short, self.place(of: cell)) }
            if place == CSVCells.outside { wide[numbers.count] = cell }
        }
        if place != 0 || !shapes.isEmpty {
            if shapes.isEmpty { shapes = Array(repeating: 0, count: numbers.count) }
            shapes.append(place)
        }
        numbers.append(number)
    }

    private mutating func place(of cell: AmountCell) -> UInt8 {
        let shape = Shape(places: cell.places, hasPlus: cell.hasPlus, mark: cell.mark, writesPoint: cell.writesPoint)
        if let place = known.firstIndex(of: shape) { return UInt8(place) }
        guard known.count < Int(CSVCells.outside) else { return CSVCells.outside }
        known.append(shape)
        return UInt8(known.count - 1)
    }

    private func shape(_ row: Int) -> Shape? {
        let place = shapes.isEmpty ? 0 : Int(shapes[row])
        return place < known.count ? known[place] : nil
    }

    /// Returns the `CR` or `DR` after the amount in a row.
    func mark(_ row: Int) -> AmountCell.Mark { shape(row)?.mark ?? wide[row]?.mark ?? .none }

    /// Returns whether a plus sign precedes the amount in a row.
    func hasPlus(_ row: Int) -> Bool { shape(row)?.hasPlus ?? wide[row]?.hasPlus ?? false }

    /// Returns whether the amount of a row contains a point; `nil` if there is no amount.
    func writesPoint(_ row: Int) -> Bool? { shape(row)?.writesPoint ?? wide[row]?.writesPoint }

    /// Returns the amounts with `decimal` before their decimals, and the first row whose amount cannot be read so.
    func values(decimal: UInt8) -> (values: CSVValues, wrongRow: Int?) {
        var others: [Int: Amount] = [:]
        var wrong: Int?
        for (row, cell) in wide {
            if let value = cell.value(decimal: decimal) { others[row] = value } else { wrong = min(row, wrong ?? row) }
        }
        let units = known.map { $0.places.unit(decimal: decimal) }
        // A shape that cannot be read with this mark has a unit of zero, and no number is small enough for it.
        let largest = units.map { $0 == 0 ? -1 : Int64(clamping: Amount.largest.billionths / Int128($0)) }
        let first = numbers.indices.first { row in
            let place = shapes.isEmpty ? 0 : Int(shapes[row])
            return place < known.count && Int64(clamping: numbers[row].magnitude) > largest[place]
        }
        if let first { wrong = min(first, wrong ?? first) }
        return (CSVValues(numbers: numbers, shapes: shapes, units: units, others: others), wrong)
    }
}

/// The amounts of one column, with decimals that are known.
struct CSVValues {
    fileprivate let numbers: [Int64]
    fileprivate let shapes: [UInt8]
    /// The value of one unit of a number in each shape, in billionths.
    fileprivate let units: [Int64]
    fileprivate let others: [Int: Amount]

    /// The amounts of a column that no row has.
    static let none = CSVValues(numbers: [], shapes: [], units: [], others: [:])

    /// The amount in a row; `nil` where its cell has none.
    subscript(row: Int) -> Amount? {
        guard row < numbers.count else { return nil }
        let shape = shapes.isEmpty ? 0 : Int(shapes[row])
        guard shape < units.count else { return others[row] }
        return Amount(billionths: Int128(numbers[row]) * Int128(units[shape]))
    }

    func contains(where condition: (Amount) -> Bool) -> Bool {
        numbers.indices.contains { row in self[row].map(condition) ?? false }
    }

    /// Whether all amounts other than zero have the same sign.
    var hasOneSign: Bool { !contains { $0 > .zero } || !contains { $0 < .zero } }
}
