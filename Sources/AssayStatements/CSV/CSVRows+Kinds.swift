extension CSVRows {
    /// A row that states a balance.
    struct BalanceRow {
        var kind: Phrases.Kind
        var number: Int
        var date: Bytes?
        var amount: AmountCell
        var mark: AmountCell.Mark?
    }

    /// A row that states a total.
    struct TotalRow {
        var number: Int
        /// The number of entries above it.
        var entries: Int
        /// Its cells in the amount columns.
        var cells: [AmountCell?]
        /// Which side it adds up, where it says so.
        var mark: AmountCell.Mark?
        /// The account and the currency that it names.
        var group: Group
    }

    struct Group: Hashable {
        var account: String?
        var currency: String?
    }

    /// A row that was refused for lack of funds: no entry, but an event that counts.
    struct Refusal {
        var date: (cell: Bytes, column: Int)?
        var group: Group
    }
}
