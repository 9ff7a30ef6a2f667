extension StatementReport: Codable {
    private enum CodingKeys: String, CodingKey {
        case format, currency, statements
    }

    /// Decodes what was encoded.
    ///
    /// - Throws: `DecodingError`.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        format = try container.decode(StatementFormat.self, forKey: .format)
        currency = try container.decodeIfPresent(String.self, forKey: .currency)
        summary = try StatementSummary(from: decoder)
        statements = try container.decode([Part].self, forKey: .statements)
    }

    /// Encodes the value as the report shows it.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(format, forKey: .format)
        try container.encode(currency, forKey: .currency)
        try summary.encode(to: encoder)
        try container.encode(statements, forKey: .statements)
    }
}

extension StatementReport.Part: Codable {
    private enum CodingKeys: String, CodingKey {
        case account, currency, period, factors, activity, entries, evidence
        case accountType = "account_type"
        case statedBalance = "stated_balance"
        case leftOut = "left_out"
        case brokenRow = "broken_row"
    }

    /// Decodes what was encoded.
    ///
    /// - Throws: `DecodingError`.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        account = try container.decodeIfPresent(String.self, forKey: .account)
        currency = try container.decodeIfPresent(String.self, forKey: .currency)
        accountType = try container.decodeIfPresent(AccountType.self, forKey: .accountType)
        period = try container.decode([Day?].self, forKey: .period)
        summary = try StatementSummary(from: decoder)
        factors = try container.decode(Factors.self, forKey: .factors)
        activity = try container.decode(Activity.self, forKey: .activity)
        statedBalance = try container.decodeIfPresent(StatedBalance.self, forKey: .statedBalance)
        leftOut = try container.decodeIfPresent(LeftOut.self, forKey: .leftOut) ?? LeftOut()
        evidence = try container.decodeIfPresent([Evidence].self, forKey: .evidence) ?? []
        brokenRow = try container.decodeIfPresent(Int.self, forKey: .brokenRow)
        entries = try container.decodeIfPresent([StatementReport.Transaction].self, forKey: .entries)
    }

    /// Encodes the value as the report shows it.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(account, forKey: .account)
        try container.encode(currency, forKey: .currency)
        try container.encode(accountType, forKey: .accountType)
        try container.encode(period, forKey: .period)
        try summary.encode(to: encoder)
        try container.encode(factors, forKey: .factors)
        try container.encode(activity, forKey: .activity)
        try container.encodeIfPresent(statedBalance, forKey: .statedBalance)
        try container.encode(leftOut, forKey: .leftOut)
        try container.encode(evidence, forKey: .evidence)
        try container.encodeIfPresent(brokenRow, forKey: .brokenRow)
        try container.encodeIfPresent(entries, forKey: .entries)
    }
}
