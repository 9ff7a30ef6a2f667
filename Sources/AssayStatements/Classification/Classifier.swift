internal import Synchronization

/// Tells what entries are from the words of their normalized texts and their sign.
struct Classifier: Sendable {
    private let table: PhraseTable

    /// The classifier that was used last: a run uses one over all of its files.
    private static let latest = Mutex<(settings: FactorSettings, classifier: Classifier)?>(nil)

    private init(_ settings: FactorSettings) {
        table = PhraseTable(settings)
    }

    /// Returns the classifier for `settings`; made anew only when they differ from the last ones.
    static func with(_ settings: FactorSettings) -> Classifier {
        if let known = latest.withLock({ $0 }), known.settings == settings { return known.classifier }
        let classifier = Classifier(settings)
        latest.withLock { $0 = (settings, classifier) }
        return classifier
    }

    /// The classes that a text has on money in and on money out.
    struct Classes {
        var credit: EntryClass
        var debit: EntryClass
    }

    func classes(of text: String, kind: Entry.Kind) -> Classes {
        let lists = table.lists(in: text)
        return Classes(credit: credit(lists, kind), debit: debit(lists, kind))
    }

    /// Returns the phrase, or what the format says, by which an entry has its class; `nil` where nothing speaks for
    /// another.
    func reason(for entryClass: EntryClass, of text: String, kind: Entry.Kind) -> String? {
        if let phrase = table.phrase(of: Classifier.lists(for: entryClass), in: text) { return phrase }
        switch kind {
        case .other: return nil
        case .interest: return "interest by the bank's code"
        case .fee: return "fee by the bank's code"
        case .returnedDeposit, .unknownReturn: return "return by the bank's code"
        case .insufficientFundsReturn: return "lack of funds by the bank's code"
        case .overdraftFee: return "overdraft by the bank's code"
        }
    }

    /// Returns the lists of phrases that may give an entry its class.
    private static func lists(for entryClass: EntryClass) -> PhraseTable.Lists {
        switch entryClass {
        case .revenue, .payment: []
        case .transfer: .transfer
        case .refund: .refund
        case .interest: .interest
        case .contribution: .contribution
        case .reversal: .reversal
        case .loanProceeds: [.funder, .proceeds, .processorCapital]
        case .feeRefund: [.fee, .overdraft]
        case .taxRefund: .taxRefund
        case .claimProceeds: .claim
        case .otherIncome: .otherIncome
        case .insufficientFundsReturn, .nsfFee: .insufficientFunds
        case .payroll: .payroll
        case .loan: .lender
        case .mca: [.funder, .processorCapital]
        case .fee: .fee
        case .overdraftFee: .overdraft
        case .returnedDeposit: .returnedDeposit
        case .rent: .rent
        case .tax: .tax
        case .ownerDraw: .ownerDraw
        }
    }

    private func credit(_ lists: PhraseTable.Lists, _ kind: Entry.Kind) -> EntryClass {
        // "NSF FEE REFUND" gives a fee back; the return of an item names no fee.
        if lists.contains(.fee) || lists.contains(.overdraft),
            !lists.isDisjoint(with: [.refund, .insufficientFunds, .overdraft])
        {
            return .feeRefund
        }
        if kind == .insufficientFundsReturn || lists.contains(.insufficientFunds) { return .insufficientFundsReturn }
        if kind == .unknownReturn { return .reversal }
        if lists.contains(.taxRefund) { return .taxRefund }
        if lists.contains(.reversal) { return .reversal }
        if lists.contains(.refund) { return .refund }
        if lists.contains(.contribution) { return .contribution }
        if !lists.isDisjoint(with: [.funder, .proceeds, .processorCapital]) { return .loanProceeds }
        if lists.contains(.transfer), !lists.contains(.wire) { return .transfer }
        if lists.contains(.interest) || kind == .interest { return .interest }
        if lists.contains(.claim) { return .claimProceeds }
        if lists.contains(.otherIncome) { return .otherIncome }
        return .revenue
    }

    private func debit(_ lists: PhraseTable.Lists, _ kind: Entry.Kind) -> EntryClass {
        if kind == .returnedDeposit { return .returnedDeposit }
        if kind == .overdraftFee { return .overdraftFee }
        if lists.contains(.returnedDeposit), !lists.contains(.returnedItemFee) { return .returnedDeposit }
        if lists.contains(.insufficientFunds) { return .nsfFee }
        if lists.contains(.transfer) { return lists.contains(.fee) ? .fee : .transfer }
        if lists.contains(.overdraft) { return .overdraftFee }
        if lists.contains(.fee) || kind == .fee { return .fee }
        if lists.contains(.payroll) { return .payroll }
        if !lists.isDisjoint(with: [.funder, .processorCapital]) { return .mca }
        if lists.contains(.lender) { return .loan }
        if lists.contains(.ownerDraw) { return .ownerDraw }
        if lists.contains(.tax) { return .tax }
        return lists.contains(.rent) ? .rent : .payment
    }
}
