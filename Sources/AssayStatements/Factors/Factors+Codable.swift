extension Factors: Codable {
    private enum CodingKeys: String, CodingKey {
        case entries, recurring, holdback, trend, flags, months
        case excludedDeposits = "excluded_deposits"
        case largeDeposits = "large_deposits"
        case mcaPositions = "mca_positions"
        case depositsTrend = "deposits_trend"
        case balanceTrend = "balance_trend"
        case endingBalanceTrend = "ending_balance_trend"
        case definitionVersion = "definition_version"
    }

    /// Decodes what was encoded.
    ///
    /// - Throws: `DecodingError`.
    public init(from decoder: any Decoder) throws {
        total = try PeriodFactors(from: decoder)
        let container = try decoder.container(keyedBy: CodingKeys.self)
        entries = try container.decode(Int.self, forKey: .entries)
        excludedDeposits = try container.decode([Deposit].self, forKey: .excludedDeposits)
        largeDeposits = try container.decode([Deposit].self, forKey: .largeDeposits)
        recurring = try container.decode([RecurringStream].self, forKey: .recurring)
        mcaPositions = try container.decodeIfPresent(Int.self, forKey: .mcaPositions)
        holdback = try container.decodeIfPresent(Amount.self, forKey: .holdback)
        trend = try container.decodeIfPresent(Trend.self, forKey: .trend)
        depositsTrend = try container.decodeIfPresent(Trend.self, forKey: .depositsTrend)
        balanceTrend = try container.decode(Trend.self, forKey: .balanceTrend)
        endingBalanceTrend = try container.decodeIfPresent(Int.self, forKey: .endingBalanceTrend)
        flags = try container.decode([FactorFlag].self, forKey: .flags)
        months = try container.decodeIfPresent([Month].self, forKey: .months)
        definitionVersion = try container.decode(Int.self, forKey: .definitionVersion)
    }

    /// Encodes the keys of the total and its own in one object; what is not known as `null`, `months` only if asked
    /// for.
    public func encode(to encoder: any Encoder) throws {
        try total.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(entries, forKey: .entries)
        try container.encode(excludedDeposits, forKey: .excludedDeposits)
        try container.encode(largeDeposits, forKey: .largeDeposits)
        try container.encode(recurring, forKey: .recurring)
        try container.encode(mcaPositions, forKey: .mcaPositions)
        try container.encode(holdback, forKey: .holdback)
        try container.encode(trend, forKey: .trend)
        try container.encode(depositsTrend, forKey: .depositsTrend)
        try container.encode(balanceTrend, forKey: .balanceTrend)
        try container.encode(endingBalanceTrend, forKey: .endingBalanceTrend)
        try container.encode(flags, forKey: .flags)
        try container.encodeIfPresent(months, forKey: .months)
        try container.encode(definitionVersion, forKey: .definitionVersion)
    }
}

extension Factors.Month: Codable {
    private enum CodingKeys: String, CodingKey {
        case month
    }

    /// Decodes what was encoded.
    ///
    /// - Throws: `DecodingError`.
    public init(from decoder: any Decoder) throws {
        month = try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .month)
        factors = try PeriodFactors(from: decoder)
    }

    /// Encodes the value as the report shows it.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(month, forKey: .month)
        try factors.encode(to: encoder)
    }
}
