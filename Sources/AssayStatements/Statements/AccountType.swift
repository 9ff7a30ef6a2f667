/// The kind of account that a statement belongs to.
public enum AccountType: String, Codable, CaseIterable, Hashable, Sendable {
    /// A current account.
    case bank
    case savings
    /// A card account: what is owed is a negative balance, what comes in pays it off.
    case card
    /// A loan or a line of credit.
    case loan

    /// Whether the account only holds debt, so that it has no revenue, returned items or advances.
    public var isDebt: Bool { self == .card || self == .loan }

    /// The kinds in the order in which accounts are shown; those of no known kind are taken for bank accounts.
    package static let shown: [AccountType?] = [.bank, nil, .savings, .card, .loan]
}

extension Statement {
    /// Takes the kind of account that the codes of a format tell, and says which one did.
    mutating func take(_ type: AccountType?, by code: String?) {
        accountType = type
        let value = type?.rawValue ?? "unknown"
        evidence.append(
            Evidence("account_type", value, by: code ?? "no code of the account or of its entries says it"))
    }
}
