extension PeriodFactors: Codable {
    private enum CodingKeys: String, CodingKey {
        case period
        case days
        case opening
        case averageDailyBalance = "average_daily_balance"
        case averageDailyBalanceWeekday = "average_daily_balance_weekday"
        case daysNegative = "days_negative"
        case longestNegativeRun = "longest_negative_run"
        case lowestDailyBalance = "lowest_daily_balance"
        case highestDailyBalance = "highest_daily_balance"
        case lowBalanceDays = "low_balance_days"
        case depositsCount = "deposits_count"
        case depositsTotal = "deposits_total"
        case depositDays = "deposit_days"
        case largestDeposit = "largest_deposit"
        case withdrawalsCount = "withdrawals_count"
        case withdrawalsTotal = "withdrawals_total"
        case netCashFlow = "net_cash_flow"
        case trueRevenue = "true_revenue"
        case revenueDepositsCount = "revenue_deposits_count"
        case netRevenue = "net_revenue"
        case paymentsReceived = "payments_received"
        case grossToTrueRatio = "gross_to_true_ratio"
        case nsfCount = "nsf_count"
        case nsfFeesTotal = "nsf_fees_total"
        case overdraftCount = "overdraft_count"
        case feesTotal = "fees_total"
        case returnedDepositsCount = "returned_deposits_count"
        case returnedDepositsTotal = "returned_deposits_total"
        case mcaPaymentsCount = "mca_payments_count"
        case mcaPaymentsTotal = "mca_payments_total"
        case loanPaymentsCount = "loan_payments_count"
        case loanPaymentsTotal = "loan_payments_total"
        case payrollCount = "payroll_count"
        case payrollTotal = "payroll_total"
        case rentTotal = "rent_total"
        case taxesTotal = "taxes_total"
        case ownerIn = "owner_in"
        case ownerOut = "owner_out"
        case endingBalance = "ending_balance"
    }

    /// Decodes what was encoded.
    ///
    /// - Throws: `DecodingError`.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        period = try container.decode([Day?].self, forKey: .period)
        days = try container.decode(Int.self, forKey: .days)
        opening = try container.decodeIfPresent(Amount.self, forKey: .opening)
        averageDailyBalance = try container.decodeIfPresent(Amount.self, forKey: .averageDailyBalance)
        averageDailyBalanceWeekday = try container.decodeIfPresent(Amount.self, forKey: .averageDailyBalanceWeekday)
        daysNegative = try container.decodeIfPresent(Int.self, forKey: .daysNegative)
        longestNegativeRun = try container.decodeIfPresent(Int.self, forKey: .longestNegativeRun)
        lowestDailyBalance = try container.decodeIfPresent(Amount.self, forKey: .lowestDailyBalance)
        highestDailyBalance = try container.decodeIfPresent(Amount.self, forKey: .highestDailyBalance)
        lowBalanceDays = try container.decodeIfPresent(Int.self, forKey: .lowBalanceDays)
        depositsCount = try container.decode(Int.self, forKey: .depositsCount)
        depositsTotal = try container.decode(Amount.self, forKey: .depositsTotal)
        depositDays = try container.decode(Int.self, forKey: .depositDays)
        largestDeposit = try container.decodeIfPresent(Amount.self, forKey: .largestDeposit)
        withdrawalsCount = try container.decode(Int.self, forKey: .withdrawalsCount)
        withdrawalsTotal = try container.decode(Amount.self, forKey: .withdrawalsTotal)
        netCashFlow = try container.decode(Amount.self, forKey: .netCashFlow)
        trueRevenue = try container.decodeIfPresent(Amount.self, forKey: .trueRevenue)
        revenueDepositsCount = try container.decodeIfPresent(Int.self, forKey: .revenueDepositsCount)
        netRevenue = try container.decodeIfPresent(Amount.self, forKey: .netRevenue)
        paymentsReceived = try container.decodeIfPresent(Amount.self, forKey: .paymentsReceived)
        grossToTrueRatio = try container.decodeIfPresent(Amount.self, forKey: .grossToTrueRatio)
        nsfCount = try container.decodeIfPresent(Int.self, forKey: .nsfCount)
        nsfFeesTotal = try container.decodeIfPresent(Amount.self, forKey: .nsfFeesTotal)
        overdraftCount = try container.decodeIfPresent(Int.self, forKey: .overdraftCount)
        feesTotal = try container.decode(Amount.self, forKey: .feesTotal)
        returnedDepositsCount = try container.decodeIfPresent(Int.self, forKey: .returnedDepositsCount)
        returnedDepositsTotal = try container.decodeIfPresent(Amount.self, forKey: .returnedDepositsTotal)
        mcaPaymentsCount = try container.decodeIfPresent(Int.self, forKey: .mcaPaymentsCount)
        mcaPaymentsTotal = try container.decodeIfPresent(Amount.self, forKey: .mcaPaymentsTotal)
        loanPaymentsCount = try container.decode(Int.self, forKey: .loanPaymentsCount)
        loanPaymentsTotal = try container.decode(Amount.self, forKey: .loanPaymentsTotal)
        payrollCount = try container.decode(Int.self, forKey: .payrollCount)
        payrollTotal = try container.decode(Amount.self, forKey: .payrollTotal)
        rentTotal = try container.decode(Amount.self, forKey: .rentTotal)
        taxesTotal = try container.decode(Amount.self, forKey: .taxesTotal)
        ownerIn = try container.decode(Amount.self, forKey: .ownerIn)
        ownerOut = try container.decode(Amount.self, forKey: .ownerOut)
        endingBalance = try container.decodeIfPresent(Amount.self, forKey: .endingBalance)
    }

    /// Encodes every key; what is not known as `null`.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(period, forKey: .period)
        try container.encode(days, forKey: .days)
        try container.encode(opening, forKey: .opening)
        try container.encode(averageDailyBalance, forKey: .averageDailyBalance)
        try container.encode(averageDailyBalanceWeekday, forKey: .averageDailyBalanceWeekday)
        try container.encode(daysNegative, forKey: .daysNegative)
        try container.encode(longestNegativeRun, forKey: .longestNegativeRun)
        try container.encode(lowestDailyBalance, forKey: .lowestDailyBalance)
        try container.encode(highestDailyBalance, forKey: .highestDailyBalance)
        try container.encode(lowBalanceDays, forKey: .lowBalanceDays)
        try container.encode(depositsCount, forKey: .depositsCount)
        try container.encode(depositsTotal, forKey: .depositsTotal)
        try container.encode(depositDays, forKey: .depositDays)
        try container.encode(largestDeposit, forKey: .largestDeposit)
        try container.encode(withdrawalsCount, forKey: .withdrawalsCount)
        try container.encode(withdrawalsTotal, forKey: .withdrawalsTotal)
        try container.encode(netCashFlow, forKey: .netCashFlow)
        try container.encode(trueRevenue, forKey: .trueRevenue)
        try container.encode(revenueDepositsCount, forKey: .revenueDepositsCount)
        try container.encode(netRevenue, forKey: .netRevenue)
        try container.encode(paymentsReceived, forKey: .paymentsReceived)
        try container.encode(grossToTrueRatio, forKey: .grossToTrueRatio)
        try container.encode(nsfCount, forKey: .nsfCount)
        try container.encode(nsfFeesTotal, forKey: .nsfFeesTotal)
        try container.encode(overdraftCount, forKey: .overdraftCount)
        try container.encode(feesTotal, forKey: .feesTotal)
        try container.encode(returnedDepositsCount, forKey: .returnedDepositsCount)
        try container.encode(returnedDepositsTotal, forKey: .returnedDepositsTotal)
        try container.encode(mcaPaymentsCount, forKey: .mcaPaymentsCount)
        try container.encode(mcaPaymentsTotal, forKey: .mcaPaymentsTotal)
        try container.encode(loanPaymentsCount, forKey: .loanPaymentsCount)
        try container.encode(loanPaymentsTotal, forKey: .loanPaymentsTotal)
        try container.encode(payrollCount, forKey: .payrollCount)
        try container.encode(payrollTotal, forKey: .payrollTotal)
        try container.encode(rentTotal, forKey: .rentTotal)
        try container.encode(taxesTotal, forKey: .taxesTotal)
        try container.encode(ownerIn, forKey: .ownerIn)
        try container.encode(ownerOut, forKey: .ownerOut)
        try container.encode(endingBalance, forKey: .endingBalance)
    }
}
