import Foundation
import Synchronization

/// A limit on spending: its scope, its period, and whether more is refused or only reported.
///
/// Settled, reserved and doubtful amounts together never exceed the limit, whatever the runner and however many workers
/// there are. The exceptions are costs that are recorded as `incurred`, calls that cost more than their maximum, and
/// calls without a price where they are allowed.
public struct Budget: Hashable, Sendable {
    /// The subject whose spending counts together.
    public enum Scope: String, Codable, Sendable, CaseIterable {
        case run, execution, account, underwriting, processor, service, store
    }

    /// The period after which the count starts over, in the budget's time zone.
    public enum Window: String, Codable, Sendable, CaseIterable {
        case total, day, month
    }

    /// The response to spending that does not fit.
    public enum Mode: String, Codable, Sendable, CaseIterable {
        /// It is refused.
        case enforce
        /// It is made, and an event reports it.
        case warn
    }

    /// The response to a call with neither a price nor a maximum, so that no one knows what it may cost.
    public enum Unpriced: String, Codable, Sendable, CaseIterable {
        /// It is refused.
        case refuse
        /// It is made while anything is left, one at a time.
        case allow
    }

    /// The name of a budget that is given none.
    public static let standardName = "budget"

    /// The name in errors and events.
    public let name: String
    /// The maximum that may be spent.
    public let limit: Money
    /// The subject whose spending counts together.
    public let scope: Scope
    /// The period after which the count starts over.
    public let window: Window
    /// The response to spending that does not fit.
    public let mode: Mode
    /// The share of the limit at which a warning is sent, 0 to 1.
    public let warnAt: Number
    /// The IANA name of the time zone in which days and months begin: `Europe/Zurich`.
    public let timeZone: String
    /// The response to a call with neither a price nor a maximum.
    public let unpriced: Unpriced

    /// Creates a budget from the given parts.
    ///
    /// - Parameters:
    ///   - limit: the maximum that may be spent, up to 9,000,000,000.
    ///   - warnAt: the share of the limit at which a warning is sent; `nil` for 0.8.
    ///   - timeZone: the time zone in which days and months begin.
    /// - Throws: ``ProcessingError`` with code `configuration` when `warnAt` is not a share of at most 18 decimals, or
    ///   the time zone is unknown.
    public init(
        _ limit: Money, name: String = Budget.standardName, scope: Scope = .run, window: Window = .total,
        mode: Mode = .enforce,
        warnAt: Number? = nil, timeZone: String = "UTC", unpriced: Unpriced = .refuse
    ) throws(ProcessingError) {
        guard WindowClock.knows(timeZone) else {
            throw ProcessingError(
                .configuration, "time_zone must be a name of the IANA list, such as Europe/Zurich, found '\(timeZone)'")
        }
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
        self.timeZone = timeZone
        self.unpriced = unpriced
    }

    /// The sum at which a warning is due.
    var warnLevel: Money {
        var divisor: Int128 = 1
        for _ in 0..<max(0, -warnAt.exponent) { divisor *= 10 }
        let (quotient, rest) = (Int128(limit.billionths) * warnAt.coefficient).quotientAndRemainder(dividingBy: divisor)
        return Money(billionths: Int64(quotient + (rest > 0 ? 1 : 0)))
    }
}

extension Budget {
    /// Returns the start of the window that contains `moment`; `nil` for a window without a start.
    func windowStart(at moment: Timestamp) -> Timestamp? {
        switch (window, timeZone) {
        case (.total, _): return nil
        case (.day, "UTC"): return Timestamp(milliseconds: moment.day * 86_400_000)
        case (.month, "UTC"):
            let date = Timestamp.civil(days: moment.day)
            return Timestamp(milliseconds: Timestamp.days(year: date.year, month: date.month, day: 1) * 86_400_000)
        case (.day, _), (.month, _): return WindowClock.shared.start(of: window, in: timeZone, at: moment)
        }
    }
}

/// The starts of days and months in time zones; a calendar is asked once for each of them.
private final class WindowClock: Sendable {
    private struct Key: Hashable {
        let window: Budget.Window
        let timeZone: String
    }

    static let shared = WindowClock()
    private let current = Mutex<[Key: Range<Timestamp>]>([:])

    static func knows(_ timeZone: String) -> Bool { TimeZone(identifier: timeZone) != nil }

    func start(of window: Budget.Window, in timeZone: String, at moment: Timestamp) -> Timestamp {
        let key = Key(window: window, timeZone: timeZone)
        if let range = current.withLock({ $0[key] }), range.contains(moment) { return range.lowerBound }
        var calendar = Calendar(identifier: .gregorian)
        // No budget has an unknown time zone.
        calendar.timeZone = TimeZone(identifier: timeZone) ?? .gmt
        let date = Date(timeIntervalSince1970: Double(moment.milliseconds) / 1_000)
        guard let interval = calendar.dateInterval(of: window == .day ? .day : .month, for: date) else {
            return Timestamp(milliseconds: moment.day * 86_400_000)
        }
        let range = Timestamp(interval.start)..<Timestamp(interval.end)
        current.withLock { $0[key] = range }
        return range.lowerBound
    }
}

extension Timestamp {
    /// The day in UTC, counted from 1970.
    var day: Int64 { milliseconds.flooredQuotient(by: 86_400_000) }

    /// Creates the moment of a date, to the millisecond.
    fileprivate init(_ date: Date) { self.init(milliseconds: Int64((date.timeIntervalSince1970 * 1_000).rounded())) }
}

/// The state of a budget at one moment.
public struct BudgetStanding: Hashable, Sendable {
    /// The budget.
    public let budget: Budget
    /// The subject whose spending is meant: the account, the service, …; `nil` for the store.
    public let subject: String?
    /// The amount charged in the window.
    public let spent: MoneySum
    /// The maximum cost of calls that are being made or whose outcome is unknown.
    public let reserved: MoneySum
    /// The part of ``reserved`` for calls whose outcome is unknown.
    public let inDoubt: MoneySum

    /// The amount that can still be spent.
    public var remaining: Money {
        let rest = MoneySum(budget.limit) - spent - reserved
        // Never more than the limit, which is an amount.
        return Money(billionths: Int64(max(0, rest.billionths)))
    }
}

extension BudgetStanding {
    /// Returns the error for a call that cannot be made because no one knows what it may cost.
    func needsPrice(_ title: String) -> ProcessingError {
        ProcessingError(
            .cost,
            "'\(title)' has no price and no maximum_cost; under budget '\(budget.name)' one is needed, or "
                + "'unpriced: allow' in the budget", retryable: false)
    }

    /// Returns the error for an `amount` that cannot be spent.
    func refusal(of amount: Money, currency: String) -> ProcessingError {
        let whose = subject.map { " of \(budget.scope.rawValue) '\($0)'" } ?? ""
        let zone = budget.timeZone == "UTC" ? "" : " in \(budget.timeZone)"
        let window = budget.window == .total ? "" : " a \(budget.window.rawValue)\(zone)"
        var error = ProcessingError(
            .budgetExhausted,
            "budget '\(budget.name)'\(whose) allows \(budget.limit) \(currency)\(window): \(spent) spent, "
                + "\(reserved) reserved, \(amount) asked for; raise its limit and resume the run")
        error.budget = budget.name
        return error
    }

    /// Returns the message that a share of the limit has been reached, or that the limit itself has been exceeded.
    func notice(passed: Bool, currency: String) -> String {
        let whose = subject.map { " of \(budget.scope.rawValue) '\($0)'" } ?? ""
        let share = passed ? "is exceeded" : "has reached \(budget.warnAt) of its limit"
        return "budget '\(budget.name)'\(whose) \(share): \(spent) spent and \(reserved) reserved of \(budget.limit) "
            + currency
    }
}
