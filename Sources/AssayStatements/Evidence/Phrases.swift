/// The words and phrases by which rows are known, in the languages of their banks.
///
/// A phrase counts only as the whole of a cell, ignoring dates and currencies: "Opening balance" is a balance, "Opening
/// balance correction" an entry.
enum Phrases {
    enum Kind: Hashable {
        case opening, closing
        /// The balance at the end of a day.
        case day
        /// A balance that does not say which one it is.
        case balance
        case total
    }

    enum Status: Hashable {
        case pending, refused
    }

    /// Returns the kind of balance or total that the whole of `text` names.
    static func kind(ofWhole text: String) -> Kind? {
        guard text.utf8.count < 100 else { return nil }
        var words = FoldedText.of(text).split(separator: " ")
        // "S A L D O"
        if words.count > 3, words.allSatisfy({ $0.utf8.count == 1 }) { words = [Substring(words.joined())] }
        words.removeAll { word in
            word.utf8.contains(where: \.isDigit) || word.utf8.count == 3 && CurrencyCode(word.uppercased()) != nil
        }
        while let last = words.last, fillers.contains(String(last)) { words.removeLast() }
        while let first = words.first, articles.contains(String(first)) { words.removeFirst() }
        guard !words.isEmpty, words.count <= 6 else { return nil }
        return kinds[words.joined(separator: " ")]
    }

    /// Returns whether `text` is, or ends with, a word for what is not booked.
    static func status(of text: String) -> Status? {
        guard text.utf8.count < 60 else { return nil }
        let folded = FoldedText.of(text)
        if let whole = statuses[folded] { return whole }
        guard let last = folded.split(separator: " ").last, last.utf8.count < folded.utf8.count else { return nil }
        return statuses[String(last)]
    }

    /// Returns whether the first word of `text` is one for a total.
    static func beginsWithTotal(_ text: String) -> Bool {
        guard let first = FoldedText.of(text).split(separator: " ").first else { return false }
        return kinds[String(first)] == .total
    }

    /// Returns the side that a text for a total names.
    static func side(ofTotal text: String) -> AmountCell.Mark? {
        let words = FoldedText.of(text).split(separator: " ")
        guard kind(ofWhole: text) == .total else { return nil }
        if words.contains(where: { ["credits", "deposits"].contains($0) }) { return .credit }
        return words.contains { ["debits", "withdrawals"].contains($0) } ? .debit : nil
    }

    /// Returns the direction that the whole of a value of a direction column names.
    static func direction(of text: String) -> AmountCell.Mark? {
        guard text.utf8.count < 30 else { return nil }
        return directions[FoldedText.of(text)]
    }

    /// Returns whether the first word of a cell is that of some phrase; dates and currencies before it count where it
    /// says so.
    static func mayBegin(_ cell: Bytes, withDates: Bool = false) -> Bool {
        guard withDates || mayBegin(cell[0], cell[1]) else { return false }
        var index = 0
        while let word = cell.word(at: &index) {
            // Single letters with blanks between them, and accents, are rare enough to be looked at.
            if !word.isASCII || word.count == 1 && word[0].isLetter || beginnings.value(of: word) != nil { return true }
            guard withDates, word.withBuffer({ $0.contains(where: \.isDigit) }) || CurrencyCode(word) != nil else {
                return false
            }
        }
        return false
    }

    /// Returns whether the first word of some phrase may begin with two bytes, which rules most cells out at once.
    private static func mayBegin(_ first: UInt8, _ second: UInt8) -> Bool {
        guard first.isLetter, second.isLetter else { return first.isLetter || first >= 0xC3 }
        return pairs[pair(first, second)]
    }

    private static func pair(_ first: UInt8, _ second: UInt8) -> Int { Int(first & 31) << 5 | Int(second & 31) }

    /// The pairs of letters that a first word begins with.
    private static let pairs: [Bool] = firstWords.reduce(into: Array(repeating: false, count: 1024)) { result, word in
        let letters = Array(word.utf8.prefix(2))
        if letters.count == 2 { result[pair(letters[0], letters[1])] = true }
    }

    private static let firstWords = Set(
        kinds.keys.compactMap { $0.split(separator: " ").first.map(String.init) }
    ).union(articles)

    private static let beginnings = WordTable(firstWords.sorted().map { (word: $0, value: true) })

    private static let fillers: Set<String> = [
        "as", "of", "on", "at", "vom", "am", "per", "zum", "le", "du", "au", "al", "em", "op", "van", "the", "dated",
        "za",
        "dzien", "do", "na", "from", "to", "for",
    ]
    private static let articles: Set<String> = ["the", "your", "ihr", "der", "le", "la", "el", "o"]

    private static let kinds: [String: Kind] = {
        var result: [String: Kind] = [:]
        for (kind, text) in phrases {
            for phrase in text.split(separator: ",") {
                result[phrase.split(whereSeparator: \.isWhitespace).joined(separator: " ")] = kind
            }
        }
        return result
    }()

    private static let phrases: [(Kind, String)] = [
        (
            .opening,
            """
            opening balance, beginning balance, starting balance, previous balance, balance forward, start balance,
            balance brought forward, brought forward, last month s balance, opening ledger balance, opening book balance,
            openingbalance, anfangssaldo, alter kontostand, anfangsbestand, eroffnungssaldo, saldovortrag,
            solde initial, solde precedent, ancien solde, solde anterieur, beginsaldo, vorig saldo, oud saldo,
            saldo inicial, saldo anterior, saldo previo, saldo de apertura, saldo iniziale, saldo precedente,
            saldo poczatkowe, pocatecni stav, pocatecni zustatek, ingaende saldo, inngaende saldo, primo, primosaldo,
            pradinis likutis, sakuma atlikums, algsaldo
            """
        ),
        (
            .closing,
            """
            closing balance, ending balance, end balance, new balance, final balance, balance carried forward,
            carried forward, closing ledger balance, closing book balance, closingbalance, endsaldo, neuer kontostand,
            schlusssaldo, endbestand, abschlusssaldo, solde final, nouveau solde, solde de cloture, eindsaldo,
            nieuw saldo, saldo final, saldo actual, saldo de cierre, saldo finale, nuovo saldo, saldo koncowe, koncovy stav,
            koncovy zustatek, konecny zustatek, utgaende saldo, ultimo, ultimosaldo, galutinis likutis, beigu atlikums,
            loppsaldo
            """
        ),
        (
            .day,
            """
            daily balance, balance of the day, tagessaldo, solde du jour, dagsaldo, saldo del dia, saldo do dia,
            saldo total disponivel dia, saldo giornaliero, saldo dnia
            """
        ),
        (
            .balance,
            "balance, saldo, kontostand, solde, laatste saldo, huidig saldo, ledger balance, stanje, zustatek, likutis, atlikums"
        ),
        (
            .total,
            """
            total, totals, total turnover, turnover, total credits, total debits, total deposits, total withdrawals,
            grand total, sum, total per currency, total card bookings, total booked, summe, gesamt, gesamtsumme, umsatzsumme,
            total general, totaux, totaal, totaux des mouvements, totale, totali, razem, suma, celkem, sumar,
            apgrozijums, apyvarta
            """
        ),
    ]

    private static let statuses: [String: Status] = {
        var result: [String: Status] = [:]
        for word in """
        pending,authorized,authorised,authorization,processing,in process,in progress,scheduled,uncleared,on hold,
        not posted,vorgemerkt,offen,ausstehend,in bearbeitung,en attente,en cours,a venir,in behandeling,gereserveerd,
        pendiente,en proceso,pendente,agendado,in attesa,non contabilizzato,w toku,oczekujaca,oczekujacy,cekajici,
        vantande,venter,reserveret,reservert,preliminar,odottaa
        """.split(whereSeparator: { $0 == "," || $0 == "\n" }) {
            result[word.split(separator: " ").joined(separator: " ")] = .pending
        }
        for word in """
        declined,failed,cancelled,canceled,reverted,refused,denied,expired,rejected,voided,abgelehnt,storniert,
        fehlgeschlagen,abgebrochen,refuse,annule,rejete,geweigerd,geannuleerd,mislukt,rechazado,rechazada,cancelado,
        cancelada,recusado,estornado,rifiutato,annullato,odrzucona,odrzucony,anulowana,zamitnuto,afvist,avvist,avbruten
        """.split(whereSeparator: { $0 == "," || $0 == "\n" }) {
            result[word.split(separator: " ").joined(separator: " ")] = .refused
        }
        return result
    }()

    private static let directions: [String: AmountCell.Mark] = {
        var result: [String: AmountCell.Mark] = [:]
        for word in [
            "debit", "dr", "d", "withdrawal", "out", "paid out", "money out", "outgoing", "soll", "s", "lastschrift",
            "belastung", "ausgang", "af", "uit", "cargo", "adeudo", "debe", "debito", "saida", "dare", "addebito",
            "uscita",
            "wn", "obciazenie", "debet", "ut", "ud", "sortie", "dbit", "debits",
        ] { result[word] = .debit }
        for word in [
            "credit", "cr", "c", "deposit", "in", "paid in", "money in", "incoming", "haben", "h", "gutschrift",
            "eingang",
            "bij", "abono", "ingreso", "haber", "credito", "entrada", "avere", "accredito", "entrata", "ma", "uznanie",
            "kredit", "ind", "inn", "k", "entree", "crdt", "credits",
        ] { result[word] = .credit }
        return result
    }()
}
