/// One account's movements over a period, as a bank wrote them down.
public struct Statement: Hashable, Sendable {
    /// The account's number or IBAN, if the file names it.
    public var account: String?
    /// The ISO 4217 code, if the file names it.
    public var currency: String?
    /// The kind of account; `nil` if nothing in the file tells it.
    public var accountType: AccountType?
    /// The first and the last day the bank says the statement covers.
    public var from: Day?
    /// The last day the bank says the statement covers.
    public var to: Day?
    /// The ledger balance before the first entry, if the file states it.
    public var opening: Amount?
    /// The ledger balance after the last entry, if the file states it.
    public var closing: Amount?
    /// The day of the closing balance, where it can lie after the last entry.
    public var closingDay: Day?
    /// Whether the opening balance may be taken from the closing balance and the entries.
    public var derivesOpening = false
    /// Whether totals, or a running balance, that the file states contradict its entries.
    public var contradictsTotals = false
    /// The first row that the running balance does not lead to.
    public var brokenRow: Int?
    /// Whether it is a report that a final statement of the same days replaces.
    public var isProvisional = false
    /// A balance of a day that neither opens nor closes the statement.
    public var statedBalance: StatedBalance?
    /// Warnings about the figures that reading the file raised.
    public var flags: Set<FactorFlag> = []
    /// The evidence for each decision about the file.
    public var evidence: [Evidence] = []
    /// The rows or entries that are no movements.
    public var leftOut = LeftOut()
    /// The days of the payments that were refused for lack of funds before they were booked; `nil` for one without a
    /// day.
    public var refusals: [Day?] = []
    /// The movements, in the order of the file, oldest first where the order is known.
    public var entries: [Entry] = []

    /// Makes a value of its parts.
    public init(account: String? = nil, currency: String? = nil) {
        self.account = account
        self.currency = currency
    }

    /// Returns the statement with a decision before all others.
    func with(_ first: Evidence) -> Statement {
        var statement = self
        statement.evidence.insert(first, at: 0)
        return statement
    }
}

/// One movement on an account.
public struct Entry: Hashable, Sendable {
    /// The kind of movement that the format itself names, besides its text.
    public enum Kind: UInt8, Sendable {
        case other, interest, fee, returnedDeposit
        /// The account's own item came back for lack of funds.
        case insufficientFundsReturn
        /// An item came back, and the reason is not told.
        case unknownReturn
        case overdraftFee
    }

    // In this order an entry takes 64 bytes, in most others 80.
    /// Positive for money in, negative for money out.
    public var amount: Amount
    /// The description, without control characters and at most 1 KiB long.
    public var text: String
    /// The bank's own mark of the movement, where the format has one.
    public var id: String?
    /// The day it was booked; `nil` if the file does not date it.
    public var day: Day?
    /// The value date, where the format has one.
    public var valueDay: Day?
    /// The kind of movement that the format itself names.
    public var kind: Kind

    /// Makes a value of its parts.
    public init(day: Day?, valueDay: Day? = nil, amount: Amount, text: String, kind: Kind = .other) {
        self.day = day
        self.valueDay = valueDay
        self.amount = amount
        self.text = text
        self.kind = kind
    }
}
