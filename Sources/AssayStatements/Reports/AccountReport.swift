/// The report on all statements of one account.
public struct AccountReport: Hashable, Sendable {
    /// The way statements follow each other.
    public enum Chain: String, Codable, Sendable {
        /// Each begins with the balance the one before ends with, on its last day or the day after.
        case ok
        /// Days, or a balance, are missing between two of them.
        case gap
        /// Two of them cover the same days.
        case overlap
    }

    /// The number or IBAN, if the file names it.
    public var account: String?
    /// The ISO 4217 code, if the file names it.
    public var currency: String?
    /// The kind of account; `nil` if nothing in the files tells it.
    public var accountType: AccountType?
    /// The number of statements without duplicates.
    public var statements: Int
    /// The way statements follow each other.
    public var chain: Chain
    /// Whether the opening balance and the entries give the closing balance.
    public var balanceCheck: BalanceCheck
    /// Over the covered days, with `months`.
    public var factors: Factors
    /// The flags of the factors in words, the most serious first.
    public var flagReasons: [FlagReason] = []

    /// Returns the reports of all accounts that `reports` hold statements of, in the order they first appear.
    ///
    /// Duplicates are dropped. Statements that name no account are taken together only where one begins with the
    /// balance another ends with. A deposit that left another of the accounts, in the same currency and at most two
    /// days apart, is a transfer.
    public static func reports(
        of reports: [StatementReport], settings: FactorSettings = FactorSettings()
    ) -> [AccountReport] {
        let groups = StatementGroup.groups(reports.flatMap(\.statements))
        let classifier = Classifier.with(settings)
        return zip(groups, StatementGroup.ownTransfers(of: groups)).map { group, transfers in
            AccountReport(group, settings: settings, classifier: classifier, ownTransfers: transfers)
        }
    }

    init(
        _ group: StatementGroup, settings: FactorSettings, classifier: Classifier, ownTransfers: Set<TransferLeg>
    ) {
        let parts = group.parts
        account = parts.first?.account
        currency = parts.first?.currency
        accountType = parts.lazy.compactMap(\.accountType).first
        statements = parts.count
        chain = group.chain
        let checks = parts.map(\.summary.balanceCheck)
        balanceCheck = checks.contains(.mismatch) ? .mismatch : checks.contains(.ok) ? .ok : .notAvailable
        var flags: Set<FactorFlag> = []
        if chain == .gap { flags.insert(.gap) }
        factors = Factors(
            parts.map(\.activity), settings: settings, classifier: classifier, accountType: accountType,
            withMonths: true, flags: flags,
            ownTransfers: ownTransfers)
        flagReasons = FlagReason.reasons(for: factors.flags, of: parts)
    }
}

extension AccountReport: Codable {
    private enum CodingKeys: String, CodingKey {
        case account, currency, statements, chain, factors
        case accountType = "account_type"
        case balanceCheck = "balance_check"
        case flagReasons = "flag_reasons"
    }

    /// Encodes the value as the report shows it.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(account, forKey: .account)
        try container.encode(currency, forKey: .currency)
        try container.encode(accountType, forKey: .accountType)
        try container.encode(statements, forKey: .statements)
        try container.encode(chain, forKey: .chain)
        try container.encode(balanceCheck, forKey: .balanceCheck)
        try container.encode(factors, forKey: .factors)
        try container.encode(flagReasons, forKey: .flagReasons)
    }
}
