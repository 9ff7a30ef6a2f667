import AssayStatements

/// A way in which a bank writes a table of movements.
struct TableStyle {
    enum Dates: CaseIterable { case iso, compact, dayFirst, monthFirst, dots, shortDots, names }
    enum Amounts: CaseIterable { case signed, pair, signedPair, direction, unsigned }
    enum Minus: CaseIterable { case hyphen, sign, dash, trailing, brackets, dollarOutside }
    enum Grouping: CaseIterable { case none, mark, apostrophe, narrowBlank, hardBlank }
    enum Text: CaseIterable { case utf8, mark, utf16Little, utf16Big, windows }
    enum Ends: CaseIterable { case line, carriage, both }

    var language = 0
    var delimiter = ","
    var dates = Dates.iso
    var amounts = Amounts.signed
    var minus = Minus.hyphen
    var isComma = false
    var grouping = Grouping.none
    var currencyMark = 0
    var hasBalance = true
    var isNewestFirst = false
    var columnOrder: UInt64 = 0
    var hasCounterparty = false
    var preamble = 0
    var footer = 0
    var hasPending = false
    var repeatsHeader = false
    var hasAccount = false
    var hasCurrency = false
    var isTurned = false
    var text = Text.utf8
    var ends = Ends.line

    /// How many things can be changed.
    static let changes = 19

    init(using numbers: inout SeededNumbers) {
        for change in 0..<TableStyle.changes where change != 16 && Int.random(in: 0..<3, using: &numbers) == 0 {
            self.change(change, using: &numbers)
        }
        isTurned = false
        if amounts == .unsigned { amounts = .signed }
    }

    /// Changes one thing that a bank may change.
    mutating func change(_ what: Int, using numbers: inout SeededNumbers) {
        switch what {
        case 0: minus = Minus.allCases.randomElement(using: &numbers) ?? .hyphen
        case 1: isComma.toggle()
        case 2: grouping = Grouping.allCases.randomElement(using: &numbers) ?? .none
        case 3: dates = Dates.allCases.randomElement(using: &numbers) ?? .iso
        case 4: language = Int.random(in: 0..<TableWords.all.count, using: &numbers)
        case 5: columnOrder = numbers.next()
        case 6: hasCounterparty.toggle()
        case 7: preamble = Int.random(in: 0..<4, using: &numbers)
        case 8: footer = Int.random(in: 0..<5, using: &numbers)
        case 9: hasPending.toggle()
        case 10: repeatsHeader.toggle()
        case 11: hasAccount.toggle()
        case 12: hasCurrency.toggle()
        case 13: hasBalance.toggle()
        case 14: text = Text.allCases.randomElement(using: &numbers) ?? .utf8
        case 15: ends = Ends.allCases.randomElement(using: &numbers) ?? .line
        case 16: isTurned.toggle()
        case 17: amounts = Amounts.allCases.randomElement(using: &numbers) ?? .signed
        default:
            isNewestFirst.toggle()
            delimiter = [",", ";", "\t", "|"].randomElement(using: &numbers) ?? ","
            currencyMark = Int.random(in: 0..<3, using: &numbers)
        }
    }

    /// Whether a bank would write so: columns of a bank's transfers and turned signs never stand together.
    var isFair: Bool { !(isTurned && hasCounterparty) }
}

/// The words of a bank's language.
struct TableWords {
    var date, description, amount, debit, credit, balance, currency, account, status, direction, counterparty: String
    var out, into, booked, pending, opening, closing, total: String

    private init(_ words: String) {
        let parts = words.split(separator: ",").map(String.init)
        (date, description, amount, debit, credit, balance) = (
            parts[0], parts[1], parts[2], parts[3], parts[4], parts[5]
        )
        (currency, account, status, direction, counterparty) = (parts[6], parts[7], parts[8], parts[9], parts[10])
        (out, into, booked, pending, opening, closing, total) = (
            parts[11], parts[12], parts[13], parts[14], parts[15], parts[16], parts[17]
        )
    }

    static let all = [
        "Date,Description,Amount,Debit,Credit,Balance,Currency,Account Number,Status,Type,Counterparty IBAN,Debit,Credit,Posted,Pending,Opening balance,Closing balance,Total",
        "Buchungstag,Verwendungszweck,Betrag,Soll,Haben,Saldo,Währung,Auftragskonto,Status,Soll/Haben,BIC,S,H,Umsatz gebucht,Umsatz vorgemerkt,Anfangssaldo,Endsaldo,Summe",
        "Datum,Naam / Omschrijving,Bedrag (EUR),Af,Bij,Saldo na mutatie,Munt,Rekening,Status,Af Bij,Tegenrekening,Af,Bij,Geboekt,In behandeling,Beginsaldo,Eindsaldo,Totaal",
        "Date opération,Libellé,Montant,Débit,Crédit,Solde,Devise,Account Number,Statut,Sens,IBAN,Débit,Crédit,Comptabilisé,En attente,Solde initial,Solde final,Total",
        "Fecha,Concepto,Importe,Cargo,Abono,Saldo,Divisa,Account Number,Estado,Type,IBAN,Cargo,Abono,Contabilizado,Pendiente,Saldo inicial,Saldo final,Total",
        "#Data księgowania,#Opis operacji,#Kwota,#Obciążenia,#Uznania,#Saldo po operacji,#Waluta,#Numer rachunku,#Stan,#D/K,#Kontrahent,Wn,Ma,Zaksięgowana,W toku,Saldo początkowe,Saldo końcowe,Razem",
        "Bokföringsdag,Text,Belopp,Ut,In,Saldo,Valuta,Konto,Status,Type,Mandate ID,Ut,In,Bokförd,Väntande,Ingående saldo,Utgående saldo,Total",
    ].map { TableWords($0) }
}
