/// The words by which columns and rows of CSV files are known, in the languages of their banks.
enum CSVWords {
    /// What a column holds, and its names in order of preference.
    static let date = [
        "posted date", "posting date", "post date", "booking date", "date posted", "buchungstag", "buchungsdatum",
        "buchung", "fecha contable", "fecha operacion", "fecha de operacion", "date comptable", "date operation",
        "date de comptabilisation", "boekdatum", "data contabile", "data operazione", "data operacji",
        "data ksiegowania", "bogforingsdato", "bokforingsdag", "date", "datum", "fecha", "data", "dato", "date utc",
        "transaction date", "trans date", "transaktionsdatum", "valutadatum", "value date", "wertstellung",
    ]
    static let description = [
        "description", "details", "desc", "transaction description", "narrative", "memo", "payee", "name", "concepto",
        "descripcion", "libelle", "libelle operation", "omschrijving", "naam omschrijving", "verwendungszweck",
        "buchungstext", "beguenstigter zahlungspflichtiger", "auftraggeber empfaenger", "auftraggeber empfanger",
        "descrizione", "causale", "opis", "opis operacji", "tekst", "text", "particulars", "original description",
    ]
    static let amount = [
        "amount", "betrag", "importe", "montant", "bedrag", "importo", "kwota", "belob", "belopp", "umsatz",
        "transaction amount", "valor", "quantia", "summe",
    ]
    static let debit = [
        "debit", "withdrawal", "withdrawals", "debit amount", "money out", "paid out", "soll", "belastung", "cargo",
        "cargos", "addebito", "addebiti", "dare", "af", "ausgang", "uitgaven", "retrait", "debits", "withdrawal amount",
        "amount debit",
    ]
    static let credit = [
        "credit", "deposit", "deposits", "credit amount", "money in", "paid in", "haben", "gutschrift", "abono",
        "abonos", "accredito", "accrediti", "avere", "bij", "eingang", "inkomsten", "depot", "credits",
        "deposit amount", "amount credit",
    ]
    static let balance = [
        "running balance", "runningbalance", "running bal", "balance", "saldo", "kontostand", "solde", "saldo contable",
        "ledger balance", "account balance", "saldo na operacji", "saldo nach buchung", "balance amount",
    ]
    static let type = [
        "transaction type", "type", "dr cr", "debit credit", "cr dr", "credit debit indicator", "af bij", "sens",
    ]
    static let currency = [
        "currency", "ccy", "wahrung", "waehrung", "devise", "divisa", "moneda", "valuta", "waluta", "currency code",
    ]
    static let status = ["status", "state", "transaction status"]

    static let creditTypes = ["credit", "cr", "c", "deposit", "haben", "h", "bij", "abono", "credito", "gutschrift"]
    static let debitTypes = ["debit", "dr", "d", "withdrawal", "soll", "s", "af", "cargo", "debito", "lastschrift"]

    private static let pending: [StaticString] = [
        "pending", "authorized", "authorised", "declined", "failed", "cancelled", "canceled", "vorgemerkt", "pendiente",
        "en attente",
    ]

    /// `text` in lower case letters without accents, marks as single blanks.
    static func plain(_ text: String) -> String {
        var result = ""
        for scalar in text.lowercased().unicodeScalars {
            switch scalar {
            case "a"..."z", "0"..."9": result.unicodeScalars.append(scalar)
            case "à", "á", "â", "ã", "ä", "å": result += "a"
            case "è", "é", "ê", "ë": result += "e"
            case "ì", "í", "î", "ï": result += "i"
            case "ò", "ó", "ô", "õ", "ö", "ø": result += "o"
            case "ù", "ú", "û", "ü": result += "u"
            case "ç": result += "c"
            case "ñ": result += "n"
            case "ß": result += "ss"
            default: if result.last != " ", !result.isEmpty { result += " " }
            }
        }
        while result.last == " " { result.removeLast() }
        return result
    }

    static func isPending(_ cell: CSVScanner.Cell) -> Bool {
        pending.contains { cell.bytes.count == $0.utf8CodeUnitCount && cell.bytes.hasPrefixIgnoringCase($0) }
    }

    private static let openings = [
        "beginning balance", "opening balance", "starting balance", "balance forward", "saldo inicial", "anfangssaldo",
        "solde initial",
    ]
    private static let closings = [
        "ending balance", "closing balance", "final balance", "saldo final", "endsaldo", "solde final",
    ]
    private static let totals = ["total", "totals", "summe", "gesamt"]

    static func isOpening(_ plain: String) -> Bool { openings.contains { plain.hasPrefix($0) } }
    static func isClosing(_ plain: String) -> Bool { closings.contains { plain.hasPrefix($0) } }

    /// Whether one of a row's first cells says that the row is a balance or a total.
    static func isSummary(_ row: CSVScanner) -> Bool {
        row.cells.prefix(3).contains { cell in
            guard cell.bytes.count < 80, !cell.bytes[0].isDigit else { return false }
            let text = plain(cell.text)
            return isOpening(text) || isClosing(text) || totals.contains { text == $0 || text.hasPrefix($0 + " ") }
        }
    }
}
