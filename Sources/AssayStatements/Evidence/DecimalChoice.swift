/// A choice of the decimal mark, made over all amounts of a column.
struct DecimalChoice {
    static let point = UInt8(ascii: ".")
    static let comma = UInt8(ascii: ",")

    /// The first rows that only one reading fits, and the first that both fit differently.
    private(set) var pointRow: Int?
    private(set) var commaRow: Int?
    private(set) var ambiguousRow: Int?

    mutating func see(_ cell: AmountCell, row: Int) {
        let point = cell.allows(DecimalChoice.point)
        let comma = cell.allows(DecimalChoice.comma)
        if point != comma {
            if point { pointRow = pointRow ?? row } else { commaRow = commaRow ?? row }
        } else if cell.isAmbiguous {
            ambiguousRow = ambiguousRow ?? row
        }
    }

    /// Whether no mark fits all amounts.
    var isContradictory: Bool { pointRow != nil && commaRow != nil }

    /// The mark that some amount leaves no doubt about.
    var proven: UInt8? {
        if isContradictory { return nil }
        if pointRow != nil { return DecimalChoice.point }
        return commaRow == nil ? nil : DecimalChoice.comma
    }

    /// Whether every reading gives the same amounts.
    var isIndifferent: Bool { pointRow == nil && commaRow == nil && ambiguousRow == nil }
}
