/// The content of a column, as its name tells it.
enum CSVRole: Hashable {
    case bookingDate, plainDate, transactionDate, valueDate
    case amount, debit, credit, balance, fee, net, gross
    case description, type, status, account, accountOrOther, accountType, product, currency
    /// Columns that only movements of a bank account have, or only those of a card.
    case bankOnly, cardOnly
}

/// The names of a header row, made comparable, and the roles they may have.
struct CSVColumns {
    /// As the file writes them.
    let names: [String]
    private let folded: [String]
    /// The currency that a name gives, as in `Amount (KWD)`.
    private(set) var currencies: [Int: String] = [:]
    /// For each column the roles that its name may have.
    private let roles: [[Role]]

    /// A role of a name, and how much the name is preferred for it: the lowest rank most.
    private struct Role {
        var role: CSVRole
        var rank: Int
    }

    init(_ names: [String]) {
        self.names = names
        var folded: [String] = []
        folded.reserveCapacity(names.count)
        for (index, name) in names.enumerated() {
            let (plain, currency) = CSVColumns.plain(name)
            folded.append(plain)
            if let currency { currencies[index] = currency }
        }
        self.folded = folded
        roles = folded.map { CSVColumns.known[$0] ?? [] }
    }

    /// Returns a name without brackets, signs and the currency that it may give.
    private static func plain(_ name: String) -> (String, String?) {
        var outside = name
        var currency: String?
        if name.utf8.contains(where: { $0 == UInt8(ascii: "(") || $0 == UInt8(ascii: "[") }) {
            let parts = split(name)
            if !parts.outside.allSatisfy({ $0 == " " }) { outside = parts.outside }
            currency = code(parts.inside) ?? sign(parts.inside)
        }
        let text = FoldedText.of(outside)
        guard let end = text.utf8.lastIndex(of: UInt8(ascii: " ")) ?? (text.utf8.count == 3 ? text.startIndex : nil)
        else {
            return (text, currency)
        }
        let last = text[end...].drop { $0 == " " }
        guard let found = code(String(last)), last != "mad", last != "all" else { return (text, currency) }
        var words = text.split(separator: " ").dropLast()
        if words.last == "in" { words.removeLast() }
        // A column that is called `CAD$` holds amounts.
        return (words.isEmpty ? "amount" : words.joined(separator: " "), currency ?? found)
    }

    /// Returns the text outside of brackets and the text inside.
    private static func split(_ name: String) -> (outside: String, inside: String) {
        var outside = ""
        var inside = ""
        var depth = 0
        for character in name {
            if character == "(" || character == "[" {
                depth += 1
            } else if character == ")" || character == "]" {
                depth -= 1
            } else if depth > 0 {
                inside.append(character)
            } else {
                outside.append(character)
            }
        }
        return (outside, inside)
    }

    private static func code(_ text: String) -> String? {
        text.utf8.count == 3 ? CurrencyCode(text.uppercased())?.text : nil
    }

    private static func sign(_ text: String) -> String? {
        text.contains("€") ? "EUR" : text.contains("R$") ? "BRL" : nil
    }

    /// Returns the columns of a role, those with the preferred names first.
    func places(_ role: CSVRole) -> [Int] {
        var found: [(rank: Int, place: Int)] = []
        for (place, roles) in roles.enumerated() {
            for known in roles where known.role == role { found.append((known.rank, place)) }
        }
        if found.count > 1 { found.sort { ($0.rank, $0.place) < ($1.rank, $1.place) } }
        return found.map(\.place)
    }

    func first(_ role: CSVRole) -> Int? { places(role).first }

    func has(_ role: CSVRole, _ place: Int) -> Bool { roles[place].contains { $0.role == role } }

    private func hasAny(of wanted: [CSVRole]) -> Bool {
        roles.contains { $0.contains { wanted.contains($0.role) } }
    }

    var hasDate: Bool { hasAny(of: [.bookingDate, .plainDate, .transactionDate, .valueDate]) }

    /// Whether the names are those of a table of entries.
    var isTable: Bool {
        hasDate && (hasAny(of: [.amount, .net, .gross]) || hasAny(of: [.debit]) && hasAny(of: [.credit]))
    }

    /// The number of columns with a known role.
    var knownCount: Int { roles.count { !$0.isEmpty } }

    /// Returns the text of numbered columns, such as `Description 1`, in order.
    func numbered(_ place: Int) -> [Int] {
        guard let digit = folded[place].last, digit.isNumber else { return [place] }
        let stem = folded[place].prefix { !$0.isNumber }
        return folded.indices.filter { other in
            other >= place && folded[other].hasPrefix(stem)
                && folded[other].dropFirst(stem.count).allSatisfy(\.isNumber)
        }
    }

    private static let known: [String: [Role]] = {
        var result: [String: [Role]] = [:]
        for (role, text) in lists {
            for (rank, name) in text.split(separator: ",").enumerated() {
                let words = name.split(whereSeparator: \.isWhitespace).joined(separator: " ")
                if result[words]?.contains(where: { $0.role == role }) == true { continue }
                result[words, default: []].append(Role(role: role, rank: rank))
            }
        }
        return result
    }()

    private static let lists: [(CSVRole, String)] = [
        (
            .bookingDate,
            """
            posted date, posting date, post date, booking date, date posted, posted on, completed date, clearing date,
            settlement date, settlement date utc, cleared date, date of booking, booked, posted transactions date,
            date processed, entered date, booking day, buchungstag, buchungsdatum, buchung, fecha contable,
            fecha de contabilizacion, date comptable, date de comptabilisation, boekdatum, boekingsdatum, data contabile,
            data ksiegowania, data rozliczenia, datum zauctovani, bogforingsdato, bokforingsdag, bokforingsdatum, bokfort,
            bokfort dato, kirjauspaiva, data lancamento, posted
            """
        ),
        (
            .plainDate,
            """
            date, datum, fecha, data, dato, date utc, dateop, date operation, date de l operation, date d operation,
            data operazione, data operacji, fecha operacion, fecha de operacion, uitvoeringsdatum, data movimento,
            data mov, fecha movimiento, paivamaara, kuupaev, datums, date time, datetime, created utc, created, booking, dag, day
            """
        ),
        (
            .transactionDate,
            """
            transaction date, trans date, tran date, txn date, trade date, purchase date, started date, effective date,
            date of transaction, date transaction, transaktionsdatum, transactiedatum, transaktionsdag, data transakcji,
            abschlussdatum, kaufdatum, operation date utc
            """
        ),
        (
            .valueDate,
            """
            value date, value dt, valuta, valutadatum, wertstellung, wertstellung valuta, wert, date valeur,
            date de valeur, dateval, fecha valor, data valuta, data waluty, rentedatum, rentedato, valutadato, valutadag,
            arvopaiva, data valor, available on utc, available on
            """
        ),
        (
            .amount,
            """
            kwota w walucie rachunku, amount, transaction amount, betrag, importe, montant, bedrag, importo, kwota, belob,
            belopp, umsatz, valor, quantia, montante, objem, castka, maara euroa, maara, summa, amt, payment amount, total amount,
            kwota operacji, mutatiebedrag, transactiebedrag, beloep, value, summe, sum
            """
        ),
        (
            .debit,
            """
            debit, withdrawal, withdrawals, withdraws, debit amount, amount debit, withdrawal amount, withdrawal amt,
            money out, paid out, debits, dr, out, soll, belastung, lastschrift, ausgang, ausgaben, cargo, cargos, debe,
            addebito, addebiti, dare, uscite, uscita, af, uitgaven, uit, debet, retrait, ut, ud, ut fra konto,
            obciazenia, obciazenie, saida, saidas, debito, debitos, amount out, outgoing, payments
            """
        ),
        (
            .credit,
            """
            credit, deposit, deposits, credit amount, amount credit, deposit amount, deposit amt, money in, paid in,
            credits, cr, in, haben, gutschrift, eingang, einnahmen, abono, abonos, haber, accredito, accrediti, avere,
            entrate, entrata, bij, inkomsten, kredit, depot, inn, ind, inn pa konto, uznania, uznanie, entrada, entradas,
            credito, creditos, amount in, incoming, receipts
            """
        ),
        (
            .balance,
            """
            running balance, runningbalance, running bal, balance, bal, account running balance, current balance,
            closing balance, balance after, balance after transaction, balance amount, ledger balance, account balance,
            accountbalance, resulting balance, daily posted balance, saldo, kontostand, saldo nach buchung, guthaben,
            solde, saldo contable, saldo contabile, saldo na mutatie, saldo na trn, saldo na operacji, saldo po operacji,
            saldo po transakcji, saldo dopo operazione, zustatek, nytt saldo, bokfort saldo
            """
        ),
        (
            .fee,
            "fee, fees, fee amount, total fees, transaction fee, entgelt, gebuhr, gebuhren, frais, commission, kosten"
        ),
        (.net, "net, netto, net amount, nettobetrag, net total"),
        (.gross, "gross, brutto, gross amount, bruttobetrag"),
        (
            .description,
            """
            description, details, desc, transaction description, narrative, narration, description 1, description1,
            verwendungszweck, vorgang verwendungszweck, buchungstext, concepto, descripcion, libelle, label,
            libelle operation, omschrijving, naam omschrijving, name description, descrizione, causale, opis,
            opis operacji, opis transakcji, tekst, text, particulars, booking text, avisierungstext, vwz1, memo, payee,
            name, title, descricao, historico, lancamento, meddelande, rubrik, popis, merchant name, merchant, beschreibung,
            forklaring, selitys, original description, partner name, counter party, beguenstigter zahlungspflichtiger,
            auftraggeber empfaenger, auftraggeber empfanger, description1, reference, posting text
            """
        ),
        (
            .type,
            """
            credit debit indicator, dr cr, debit credit, cr dr, credit debit, af bij, d k, s h, soll haben, creditdebet,
            debit kredit, sens, transaction type, type, type of transaction, transaction, umsatztyp, tipo lancamento,
            tipo, direction, mutatiesoort, transaktionstyp, details, soll haben kennzeichen
            """
        ),
        (
            .status,
            "status, state, transaction status, info, booking status, etat, statut, estado, situacao, stato, stan, tila, stav"
        ),
        (
            .account,
            """
            account number, auftragskonto, iban auftragskonto, rekening, rekeningnummer, iban bban, source account,
            posted account, bank account, accountnum, numer rachunku, numer rachunku karty, account iban,
            ordering account, account name, konto, own account
            """
        ),
        (.accountOrOther, "account, iban, kontonummer, konto nr, account no, account id, kontonummer iban"),
        (.accountType, "account type, kontoart, tipo de cuenta"),
        (.product, "product, produkt"),
        (
            .currency,
            """
            currency, ccy, currency code, account currency, wahrung, waehrung, devise, devies, divisa, moneda, moeda,
            waluta rachunku, valuta rekening, waluta, munt, mena, valuta, valutakod, valiuta, valuuta, cur
            """
        ),
        (
            .bankOnly,
            """
            iban, bic, bic swift code, blz, counterparty, tegenrekening, gegenkonto, mandatsreferenz, mandate id,
            cheque number, check number, check or slip, checknumber, chq ref no, chqno, sort code, counterparty iban,
            partner iban, kontonummer iban, iban kontonummer, mandaatkenmerk, payee account number, kontrahent
            """
        ),
        (
            .cardOnly,
            "card member, card no, card number, card used for transaction, karten nr, kartennummer, cardholder"
        ),
    ]
}
