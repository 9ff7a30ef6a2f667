/// The factors that can be stated for any run of days: a whole statement, several, or a month of them.
///
/// Balances are those at the end of a day and `nil` without an opening balance. Totals are positive. Definitions are
/// those of ``Factors/definitionVersion``. Of an account that only holds debt, what tells how a business earns and
/// copes is
/// `nil`: revenue, returned items, overdrafts, advances and negative days.
public struct PeriodFactors: Hashable, Sendable {
    /// The first and the last covered day.
    public var period: [Day?]
    /// The number of covered calendar days.
    public var days: Int
    /// The balance before the first entry, if it is known.
    public var opening: Amount?
    /// The mean of the daily balances, rounded half to even to the decimals of the currency.
    public var averageDailyBalance: Amount?
    /// The mean over Mondays to Fridays only.
    public var averageDailyBalanceWeekday: Amount?
    /// Days that end below zero.
    public var daysNegative: Int?
    /// The longest run of such days, uncovered days breaking it.
    public var longestNegativeRun: Int?
    /// The lowest balance at the end of a day.
    public var lowestDailyBalance: Amount?
    /// The highest balance at the end of a day.
    public var highestDailyBalance: Amount?
    /// Days below ``FactorSettings/lowBalance``.
    public var lowBalanceDays: Int?
    /// Entries above zero.
    public var depositsCount = 0
    /// Their sum.
    public var depositsTotal = Amount.zero
    /// Distinct days with a deposit.
    public var depositDays = 0
    /// The largest of them.
    public var largestDeposit: Amount?
    /// Entries below zero.
    public var withdrawalsCount = 0
    /// Their sum, as a positive number.
    public var withdrawalsTotal = Amount.zero
    /// Deposits less withdrawals.
    public var netCashFlow = Amount.zero
    /// Deposits that are neither transfers, borrowed money, refunds, interest nor other income.
    public var trueRevenue: Amount? = .zero
    /// Deposits that are true revenue.
    public var revenueDepositsCount: Int? = 0
    /// True revenue less the customers' payments that bounced.
    public var netRevenue: Amount?
    /// The payments to an account that only holds debt; `nil` for other accounts.
    public var paymentsReceived: Amount?
    /// All deposits over true revenue, to four places.
    public var grossToTrueRatio: Amount?
    /// Items presented and returned unpaid.
    public var nsfCount: Int? = 0
    /// Fees for items returned unpaid.
    public var nsfFeesTotal: Amount? = .zero
    /// Overdraft fees.
    public var overdraftCount: Int? = 0
    /// All fees of the bank.
    public var feesTotal = Amount.zero
    /// Customers' checks that bounced.
    public var returnedDepositsCount: Int? = 0
    /// Their sum.
    public var returnedDepositsTotal: Amount? = .zero
    /// Payments of advances on receivables.
    public var mcaPaymentsCount: Int? = 0
    /// Their sum.
    public var mcaPaymentsTotal: Amount? = .zero
    /// Payments to lenders.
    public var loanPaymentsCount = 0
    /// Their sum.
    public var loanPaymentsTotal = Amount.zero
    /// Payments of wages.
    public var payrollCount = 0
    /// Their sum.
    public var payrollTotal = Amount.zero
    /// Payments of rent.
    public var rentTotal = Amount.zero
    /// Payments of taxes.
    public var taxesTotal = Amount.zero
    /// The money that the owners put in.
    public var ownerIn = Amount.zero
    /// The money that the owners took out, as a positive sum.
    public var ownerOut = Amount.zero
    /// The balance at the end of the last day.
    public var endingBalance: Amount?

    /// Counts the covered days at those places of the ledger, and its lines in that range.
    init(_ ledger: Ledger, days range: Range<Int>, lines: Range<Int>, settings: FactorSettings, isDebt: Bool = false) {
        days = range.count
        period = [
            range.isEmpty ? nil : ledger.days[range.lowerBound],
            range.isEmpty ? nil : ledger.days[range.upperBound - 1],
        ]
        if isDebt { leaveOutBusiness() }
        if range.isEmpty {
            opening = ledger.opening
            endingBalance = ledger.closing
        } else if ledger.hasBalances {
            countBalances(ledger, range, settings)
        } else if range.upperBound == ledger.days.count {
            endingBalance = ledger.closing
        }
        countEntries(ledger.lines[lines])
        nsfCount? += ledger.refusals.count { day in
            ledger.days.isEmpty
                || !range.isEmpty && day >= ledger.days[range.lowerBound] && day <= ledger.days[range.upperBound - 1]
        }
        netCashFlow = depositsTotal - withdrawalsTotal
        grossToTrueRatio = trueRevenue.flatMap { depositsTotal.ratio(to: $0) }
        netRevenue = trueRevenue.flatMap { revenue in returnedDepositsTotal.map { revenue - $0 } }
        if isDebt {
            paymentsReceived = depositsTotal
        }
    }

    /// Leaves out the figures of a business: an account that only holds debt has no revenue, and debt is no lack of
    /// funds.
    private mutating func leaveOutBusiness() {
        (trueRevenue, revenueDepositsCount) = (nil, nil)
        (nsfCount, nsfFeesTotal, overdraftCount) = (nil, nil, nil)
        (returnedDepositsCount, returnedDepositsTotal) = (nil, nil)
        (mcaPaymentsCount, mcaPaymentsTotal) = (nil, nil)
    }

    private mutating func countBalances(_ ledger: Ledger, _ range: Range<Int>, _ settings: FactorSettings) {
        let balances = ledger.balances[range]
        var (sum, weekdaySum, weekdays) = (Amount.zero, Amount.zero, 0)
        var (negative, run, longest, low) = (0, 0, 0, 0)
        var lowest = balances[range.lowerBound]
        var highest = lowest
        for index in range {
            let balance = balances[index]
            let day = ledger.days[index]
            sum += balance
            if day.isWeekday {
                weekdaySum += balance
                weekdays += 1
            }
            // A run ends at days that are not covered.
            if index > range.lowerBound, day - ledger.days[index - 1] != 1 { run = 0 }
            run = balance < .zero ? run + 1 : 0
            longest = max(longest, run)
            if balance < .zero { negative += 1 }
            if balance < settings.lowBalance { low += 1 }
            lowest = min(lowest, balance)
            highest = max(highest, balance)
        }
        averageDailyBalance = sum.divided(by: range.count, places: ledger.decimals)
        averageDailyBalanceWeekday = weekdaySum.divided(by: weekdays, places: ledger.decimals)
        (daysNegative, longestNegativeRun, lowBalanceDays) = (negative, longest, low)
        (lowestDailyBalance, highestDailyBalance) = (lowest, highest)
        endingBalance = balances[range.upperBound - 1]
        opening = range.lowerBound == 0 ? ledger.opening : ledger.balances[range.lowerBound - 1]
    }

    private mutating func countEntries(_ lines: ArraySlice<Ledger.Line>) {
        var day: Day?
        var (depositDay, feesOfDay, returnsOfDay) = (Day?.none, 0, 0)
        for line in lines {
            if line.day != day {
                nsfCount? += max(feesOfDay, returnsOfDay)
                (day, feesOfDay, returnsOfDay) = (line.day, 0, 0)
            }
            if line.amount > .zero {
                depositsCount += 1
                depositsTotal += line.amount
                largestDeposit = largestDeposit.map { max($0, line.amount) } ?? line.amount
                if depositDay != line.day {
                    depositDays += 1
                    depositDay = line.day
                }
                if line.entryClass == .revenue {
                    trueRevenue? += line.amount
                    revenueDepositsCount? += 1
                }
                if line.entryClass == .contribution { ownerIn += line.amount }
                if line.entryClass == .insufficientFundsReturn { returnsOfDay += 1 }
            } else if line.amount < .zero {
                withdrawalsCount += 1
                withdrawalsTotal += line.amount.magnitude
                if line.entryClass == .nsfFee { feesOfDay += 1 }
                countWithdrawal(line)
            }
        }
        nsfCount? += max(feesOfDay, returnsOfDay)
    }

    private mutating func countWithdrawal(_ line: Ledger.Line) {
        let amount = line.amount.magnitude
        switch line.entryClass {
        case .nsfFee:
            nsfFeesTotal? += amount
            feesTotal += amount
        case .overdraftFee:
            overdraftCount? += 1
            feesTotal += amount
        case .fee: feesTotal += amount
        case .returnedDeposit:
            returnedDepositsCount? += 1
            returnedDepositsTotal? += amount
        case .mca where !line.isReturned:
            mcaPaymentsCount? += 1
            mcaPaymentsTotal? += amount
        case .loan where !line.isReturned:
            loanPaymentsCount += 1
            loanPaymentsTotal += amount
        case .payroll where !line.isReturned:
            payrollCount += 1
            payrollTotal += amount
        case .rent where !line.isReturned: rentTotal += amount
        case .tax where !line.isReturned: taxesTotal += amount
        case .ownerDraw where !line.isReturned: ownerOut += amount
        default: break
        }
    }
}
