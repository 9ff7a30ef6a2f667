/// What kind of account a table is of, and what the words of its texts say about the signs.
///
/// A balance cannot tell a card from an account: turn all signs, and it still adds up.
struct CSVKind {
    private(set) var confirming = 0
    private(set) var contradicting = 0
    /// Payments to a card that stand on the side of money in, and on that of money out.
    private(set) var paymentsIn = 0
    private(set) var paymentsOut = 0

    init(_ entries: [CSVRows.Row], _ amounts: [Amount]) {
        for (entry, amount) in zip(entries, amounts) where amount != .zero {
            see(entry.text, isIn: amount > .zero)
        }
    }

    private mutating func see(_ text: String, isIn: Bool) {
        let words = FoldedText.of(text).split(separator: " ")
        var isOut = false
        var comesIn = false
        for word in words {
            switch CSVKind.words[word] {
            case .out: isOut = true
            case .into: comesIn = true
            case .neither: return
            case nil: break
            }
        }
        if CSVKind.isCardPayment(words) {
            if isIn { paymentsIn += 1 } else { paymentsOut += 1 }
            return
        }
        guard isOut != comesIn else { return }
        if comesIn == isIn { confirming += 1 } else { contradicting += 1 }
    }

    /// Whether a text is that of a payment to a card.
    static func isCardPayment(_ text: String) -> Bool { isCardPayment(FoldedText.of(text).split(separator: " ")) }

    private static func isCardPayment(_ words: [Substring]) -> Bool {
        for (first, second) in zip(words, words.dropFirst()) {
            if let expected = payments[first], expected.contains(String(second)) { return true }
        }
        guard let payment = words.firstIndex(of: "payment"), let thank = words.firstIndex(of: "thank") else {
            return false
        }
        return payment < thank && words.indices.contains(thank + 1) && words[thank + 1] == "you"
    }

    private static let payments: [Substring: Set<String>] = [
        "payment": ["received"], "pagamento": ["recebido", "ricevuto"], "paiement": ["recu"], "zahlung": ["erhalten"],
        "pago": ["recibido"], "betaling": ["ontvangen"],
    ]

    private enum Side {
        case out, into
        /// Words of money that comes back, whichever way.
        case neither
    }

    private static let words: [Substring: Side] = {
        var result: [Substring: Side] = [:]
        for word in """
        withdrawal fee fees purchase atm rent lease miete loyer huur lastschrift prelevement recibo compra addebito
        prelievo zakup hyra husleje leasing huurprijs entgelt tarifa retrait alquiler aluguel affitto czynsz najem
        """.split(whereSeparator: \.isWhitespace) { result[word] = .out }
        for word in """
        deposit salary gutschrift abono recebido accredito wplata klant kunde client customer gehalt lohn nomina
        """.split(whereSeparator: \.isWhitespace) { result[word] = .into }
        for word in """
        reversal reversed return returned storno refund refunded rev retoure ruecklastschrift devolucion devolucao
        estorno rimborso remboursement terugboeking chargeback reembolso
        """.split(whereSeparator: \.isWhitespace) { result[word] = .neither }
        return result
    }()
}
