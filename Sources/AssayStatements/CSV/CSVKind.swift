/// The evidence in the texts of a table for the kind of account and for the meaning of the signs.
///
/// A balance cannot tell a card from an account: turn all signs, and it still adds up.
struct CSVKind {
    private(set) var confirming = 0
    private(set) var contradicting = 0
    /// The number of payments to a card on the side of money in, and on that of money out.
    private(set) var paymentsIn = 0
    private(set) var paymentsOut = 0

    init(_ rows: CSVRows, _ amounts: CSVAmounts) {
        var next = Array(repeating: 0, count: rows.groups.count)
        for row in 0..<rows.count {
            let (group, amount) = (rows.group(of: row), amounts[row])
            if amount != .zero { see(TextWords(rows.entries[group][next[group]].text), isIn: amount > .zero) }
            next[group] += 1
        }
    }

    private mutating func see(_ words: TextWords, isIn: Bool) {
        if words.isReturn { return }
        if words.isCardPayment {
            if isIn { paymentsIn += 1 } else { paymentsOut += 1 }
            return
        }
        guard words.isOut != words.comesIn else { return }
        if words.comesIn == isIn { confirming += 1 } else { contradicting += 1 }
    }

    /// Returns whether a text is that of a payment to a card.
    static func isCardPayment(_ text: String) -> Bool { TextWords(text).isCardPayment }
}

/// The meaning of the words in an entry's text.
private struct TextWords {
    private(set) var isOut = false
    private(set) var comesIn = false
    /// Whether money comes back, whichever way.
    private(set) var isReturn = false
    private(set) var isCardPayment = false

    private struct Meaning {
        var isOut = false
        var comesIn = false
        var comesBack = false
        /// The language of "payment" in "payment received".
        var payment: Int?
        /// The language of "received".
        var received: Int?
        var isThank = false
        var isYou = false
    }

    init(_ text: String) {
        var text = text
        if text.utf8.contains(where: { $0 >= 0x80 }) { text = FoldedText.of(text) }
        text.withUTF8 { see(Bytes($0)) }
    }

    private mutating func see(_ text: Bytes) {
        var index = 0
        var payment: Int?
        var seesPayment = false
        var thanks = false
        var hasThanked = false
        while let word = text.word(at: &index) {
            guard let meaning = TextWords.meanings.value(of: word) else {
                (payment, thanks) = (nil, false)
                continue
            }
            if meaning.isOut { isOut = true }
            if meaning.comesIn { comesIn = true }
            if meaning.comesBack { isReturn = true }
            if payment != nil, payment == meaning.received { isCardPayment = true }
            if thanks, meaning.isYou { isCardPayment = true }
            thanks = meaning.isThank && seesPayment && !hasThanked
            hasThanked = hasThanked || meaning.isThank
            payment = meaning.payment
            if payment == 0 { seesPayment = true }
        }
    }

    private static let meanings: WordTable<Meaning> = {
        var result: [String: Meaning] = [:]
        func add(_ words: String, _ change: (inout Meaning) -> Void) {
            for word in words.split(whereSeparator: \.isWhitespace) {
                change(&result[String(word), default: Meaning()])
            }
        }
        add("thank") { $0.isThank = true }
        add("you") { $0.isYou = true }
        for (language, words) in [
            ("payment", "received"), ("pagamento", "recebido ricevuto"), ("paiement", "recu"),
            ("zahlung", "erhalten"), ("pago", "recibido"), ("betaling", "ontvangen"),
        ].enumerated() {
            add(words.0) { $0.payment = language }
            add(words.1) { $0.received = language }
        }
        add(
            """
            withdrawal fee fees purchase atm rent lease miete loyer huur lastschrift prelevement recibo compra addebito
            prelievo zakup hyra husleje leasing huurprijs entgelt tarifa retrait alquiler aluguel affitto czynsz najem
            """
        ) { $0.isOut = true }
        add(
            """
            deposit salary gutschrift abono recebido accredito wplata klant kunde client customer gehalt lohn nomina
            """
        ) { $0.comesIn = true }
        add(
            """
            reversal reversed return returned storno refund refunded rev retoure ruecklastschrift devolucion devolucao
            estorno rimborso remboursement terugboeking chargeback reembolso
            """
        ) { $0.comesBack = true }
        return WordTable(result.sorted { $0.key < $1.key }.map { (word: $0.key, value: $0.value) })
    }()
}
