/// A set of phrases that is looked up word by word.
struct PhraseTable: Sendable {
    /// The lists that a phrase belongs to.
    struct Lists: OptionSet, Hashable, Sendable {
        let rawValue: UInt32

        static let funder = Lists(rawValue: 1 << 0)
        static let processor = Lists(rawValue: 1 << 1)
        static let lender = Lists(rawValue: 1 << 2)
        static let proceeds = Lists(rawValue: 1 << 3)
        static let payroll = Lists(rawValue: 1 << 4)
        static let transfer = Lists(rawValue: 1 << 5)
        static let refund = Lists(rawValue: 1 << 6)
        static let interest = Lists(rawValue: 1 << 7)
        static let taxRefund = Lists(rawValue: 1 << 8)
        static let claim = Lists(rawValue: 1 << 9)
        static let contribution = Lists(rawValue: 1 << 10)
        static let otherIncome = Lists(rawValue: 1 << 11)
        static let insufficientFunds = Lists(rawValue: 1 << 12)
        static let returnedDeposit = Lists(rawValue: 1 << 13)
        static let overdraft = Lists(rawValue: 1 << 14)
        static let fee = Lists(rawValue: 1 << 15)
        static let rent = Lists(rawValue: 1 << 16)
        static let wire = Lists(rawValue: 1 << 17)
        static let processorCapital = Lists(rawValue: 1 << 18)
        static let returnedItemFee = Lists(rawValue: 1 << 19)
        static let reversal = Lists(rawValue: 1 << 20)
        static let tax = Lists(rawValue: 1 << 21)
        static let ownerDraw = Lists(rawValue: 1 << 22)
    }

    private struct Phrase {
        var words: [UInt8]
        var lists: Lists
    }

    /// The phrases by the hash of their first word; most words of a text begin none.
    private var phrases: [[Phrase]] = Array(repeating: [], count: PhraseTable.buckets)
    private static let buckets = 1024

    init(_ settings: FactorSettings) {
        add(settings.funders, to: .funder)
        add(settings.processors, to: .processor)
        for processor in settings.processors {
            add(["CAPITAL", "LOAN", "WORKING"].map { "\(processor) \($0)" }, to: .processorCapital)
        }
        add(settings.lenders, to: .lender)
        add(settings.proceeds, to: .proceeds)
        add(settings.payrollAgents, to: .payroll)
        add(settings.transfers, to: .transfer)
        add(settings.refunds, to: .refund)
        add(settings.interest, to: .interest)
        add(settings.taxRefunds, to: .taxRefund)
        add(settings.proceedsOfClaims, to: .claim)
        add(settings.contributions, to: .contribution)
        add(settings.otherIncome, to: .otherIncome)
        add(settings.insufficientFunds, to: .insufficientFunds)
        add(settings.insufficientFunds.filter { $0.hasPrefix("RETURNED") }, to: .returnedItemFee)
        add(settings.returnedDeposits, to: .returnedDeposit)
        add(settings.overdrafts, to: .overdraft)
        add(settings.fees, to: .fee)
        add(settings.rents, to: .rent)
        add(settings.taxes, to: .tax)
        add(settings.ownerDraws, to: .ownerDraw)
        add(["WIRE"], to: .wire)
        add(["RETURN", "RETURNED", "REVERSAL", "REVERSED"], to: .reversal)
    }

    private mutating func add(_ texts: [String], to lists: Lists) {
        for text in texts {
            let words = Array(NormalisedText.of(text).utf8)
            guard !words.isEmpty else { continue }
            let first = words.prefix { $0 != 0x20 }
            let bucket = PhraseTable.bucket(first.reduce(PhraseTable.seed) { PhraseTable.mix($0, $1) })
            phrases[bucket].append(Phrase(words: words, lists: lists))
        }
    }

    private static let seed: UInt32 = 2_166_136_261
    private static func mix(_ hash: UInt32, _ byte: UInt8) -> UInt32 { (hash ^ UInt32(byte)) &* 16_777_619 }
    private static func bucket(_ hash: UInt32) -> Int { Int((hash ^ hash >> 15) % UInt32(buckets)) }

    /// Returns the lists of all phrases that occur as whole words in `text`, which is normalized.
    func lists(in text: String) -> Lists {
        var found: Lists = []
        forEachPhrase(in: text) { found.formUnion($0.lists) }
        return found
    }

    /// Returns the longest phrase of `lists` that occurs in `text`, which is normalized.
    func phrase(of lists: Lists, in text: String) -> String? {
        var longest: [UInt8] = []
        forEachPhrase(in: text) { phrase in
            if !phrase.lists.isDisjoint(with: lists), phrase.words.count > longest.count { longest = phrase.words }
        }
        return longest.isEmpty ? nil : String(decoding: longest, as: UTF8.self)
    }

    private func forEachPhrase(in text: String, _ body: (Phrase) -> Void) {
        var text = text
        text.withUTF8 { buffer in
            let bytes = Bytes(buffer)
            var start = 0
            while start < bytes.count {
                var end = start
                var hash = PhraseTable.seed
                while end < bytes.count, bytes[end] != 0x20 {
                    hash = PhraseTable.mix(hash, bytes[end])
                    end += 1
                }
                for phrase in phrases[PhraseTable.bucket(hash)] where matches(phrase.words, bytes, at: start) {
                    body(phrase)
                }
                start = end + 1
            }
        }
    }

    private func matches(_ words: [UInt8], _ text: Bytes, at start: Int) -> Bool {
        let end = start + words.count
        guard end == text.count || (end < text.count && text[end] == 0x20) else { return false }
        for index in words.indices where words[index] != text[start + index] { return false }
        return true
    }
}
