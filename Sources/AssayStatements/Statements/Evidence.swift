/// The basis of a decision about a file.
public struct Evidence: Codable, Hashable, Sendable {
    /// The decision, such as `direction`, `date_order` or `decimal`.
    public var decision: String
    /// The outcome of the decision.
    public var value: String
    /// The basis of the decision, such as `running balance` or `csv.date_order`.
    public var by: String

    /// The decision for a known export, or for a profile that was given.
    static let profile = "profile"

    /// Makes a value of its parts.
    public init(_ decision: String, _ value: String, by: String) {
        self.decision = decision
        self.value = value
        self.by = by
    }
}

/// The rows of a table, or the entries of a message, that are no movements of the account.
public struct LeftOut: Codable, Hashable, Sendable {
    /// Not booked yet.
    public var pending = 0
    /// The sum of the pending entries; `nil` if one of them has no readable amount.
    public var pendingSum: Amount?
    /// Declined, canceled or reverted before they were booked.
    public var refused = 0
    /// Of the refused ones those that name a lack of funds.
    public var refusedForFunds = 0
    /// Rows that state a balance.
    public var balance = 0
    /// Rows that state a total.
    public var total = 0
    /// Parts of the entry above them.
    public var part = 0
    /// Rows of text, repeated headers among them.
    public var text = 0

    /// Makes a record with nothing left out.
    public init() {}

    private enum CodingKeys: String, CodingKey {
        case pending, refused, balance, total, part, text
        case pendingSum = "pending_sum"
        case refusedForFunds = "refused_for_funds"
    }

    /// The number of rows or entries left out.
    public var count: Int { pending + refused + balance + total + part + text }

    /// The kinds that there are some of, each with how many.
    package var kinds: [(name: String, count: Int)] {
        [
            ("pending", pending), ("refused", refused), ("balance", balance), ("total", total), ("part", part),
            ("text", text),
        ].filter { $0.1 > 0 }
    }

    /// Counts a pending entry of that amount.
    mutating func addPending(_ amount: Amount?) {
        if pending == 0 {
            pendingSum = amount
        } else {
            pendingSum = pendingSum.flatMap { sum in amount.map { sum + $0 } }
        }
        pending += 1
    }
}

/// A balance that a file states for a day that neither opens nor closes the statement.
public struct StatedBalance: Codable, Hashable, Sendable {
    /// The balance.
    public var amount: Amount
    /// Its day; `nil` if the file gives none.
    public var day: Day?

    /// Makes a value of its parts.
    public init(amount: Amount, day: Day?) {
        self.amount = amount
        self.day = day
    }
}
