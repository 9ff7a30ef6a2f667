/// The meaning of an entry to an underwriter.
public enum EntryClass: String, Codable, Hashable, Sendable {
    // Money in
    case revenue, transfer, refund, interest, contribution, reversal
    case loanProceeds = "loan_proceeds"
    case feeRefund = "fee_refund"
    case taxRefund = "tax_refund"
    case claimProceeds = "claim_proceeds"
    case otherIncome = "other_income"
    /// The return of an item for lack of funds.
    case insufficientFundsReturn = "nsf_return"
    // Money out
    case payment, payroll, loan, mca, fee
    case nsfFee = "nsf_fee"
    case overdraftFee = "overdraft_fee"
    case returnedDeposit = "returned_deposit"
    case rent, tax
    /// Money that the owners take out.
    case ownerDraw = "owner_draw"

    /// Whether it tells of something that came back, or was paid without money.
    package var isReturn: Bool {
        switch self {
        case .insufficientFundsReturn, .nsfFee, .overdraftFee, .returnedDeposit, .reversal: true
        default: false
        }
    }
}
