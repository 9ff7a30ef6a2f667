/// How much may be spent: under which scope, in which time, and whether more is refused or only said.
///
/// Settled, reserved and doubtful amounts together never exceed the limit, whatever the runner and however many
/// workers, but for costs that are recorded as `incurred` and calls that cost more than their maximum.
public struct Budget: Hashable, Sendable {
    /// Whose spending counts together.
    public enum Scope: String, Codable, Sendable, CaseIterable {
        case run, execution, account, underwriting, processor, service, store
    }

    /// The time after which the count begins anew, in UTC.
    public enum Window: String, Codable, Sendable, CaseIterable {
        case total, day, month
    }

    /// What happens to spending that does not fit.
    public enum Mode: String, Codable, Sendable, CaseIterable {
        /// It is refused.
        case enforce
        /// It is made, and an event says so.
        case warn
    }

    /// The name in errors and events.
    public let name: String
    /// The most that may be spent.
    public let limit: Money
    /// Whose spending counts together.
    public let scope: Scope
    /// The time after which the count begins anew.
    public let window: Window
    /// What happens to spending that does not fit.
    public let mode: Mode
    /// The share of the limit at which a warning is sent, 0 to 1.
    public let warnAt: Number

    /// A budget of the given parts.
    ///
    /// - Parameter warnAt: the share of the limit at which a warning is sent; `nil`: 0.8.
    /// - Throws: ``ProcessingError`` with code `configuration` when `warnAt` is not a share of at most 18 decimals.
    public init(
        _ limit: Money, name: String = "budget", scope: Scope = .run, window: Window = .total, mode: Mode = .enforce,
        warnAt: Number? = nil
    ) throws(ProcessingError) {
        let warnAt = warnAt ?? Number(unchecked: 8, -1)
        guard warnAt >= 0, warnAt <= 1, warnAt.reduced.exponent >= -18 else {
            throw ProcessingError(.configuration, "warn_at must be between 0 and 1, found \(warnAt)")
        }
        self.name = name
        self.limit = limit
        self.scope = scope
        self.window = window
        self.mode = mode
        self.warnAt = warnAt.reduced
    }

    /// The sum from which on a warning is due.
    var warnLevel: Money {
        var divisor: Int128 = 1
        for _ in 0..<max(0, -warnAt.exponent) { divisor *= 10 }
        let (quotient, rest) = (Int128(limit.billionths) * warnAt.coefficient).quotientAndRemainder(dividingBy: divisor)
        return Money(billionths: Int64(quotient + (rest > 0 ? 1 : 0)))
    }
}

extension Budget.Window {
    /// When the window that `moment` lies in began; `nil` when it never began.
    func start(at moment: Timestamp) -> Timestamp? {
        switch self {
        case .total: return nil
        case .day: return Timestamp(milliseconds: moment.day * 86_400_000)
        case .month:
            let date = Timestamp.civil(days: moment.day)
            return Timestamp(milliseconds: Timestamp.days(year: date.year, month: date.month, day: 1) * 86_400_000)
        }
    }
}

extension Timestamp {
    /// The day in UTC, counted from 1970.
    var day: Int64 { (milliseconds >= 0 ? milliseconds : milliseconds - 86_399_999) / 86_400_000 }
}

/// How a budget stands at one moment.
public struct BudgetStanding: Hashable, Sendable {
    /// The budget.
    public let budget: Budget
    /// Whose spending is meant: the account, the service, …; the store's has none.
    public let subject: String?
    /// What has been charged in the window.
    public let spent: Money
    /// The most that calls may cost that are being made or whose outcome is unknown.
    public let reserved: Money

    /// What can still be spent.
    public var remaining: Money {
        Money(billionths: max(0, budget.limit.billionths - spent.billionths - reserved.billionths))
    }
}

extension BudgetStanding {
    /// Why `amount` cannot be spent.
    func refusal(of amount: Money, currency: String) -> ProcessingError {
        let whose = subject.map { " of \(budget.scope.rawValue) '\($0)'" } ?? ""
        let window = budget.window == .total ? "" : " a \(budget.window.rawValue)"
        return ProcessingError(
            .budgetExhausted,
            "budget '\(budget.name)'\(whose) allows \(budget.limit) \(currency)\(window): \(spent) spent, "
                + "\(reserved) reserved, \(amount) asked for; raise its limit and resume the run")
    }
}
