/// An ISO 4217 code.
struct CurrencyCode: Hashable {
    /// The three letters, one in each byte.
    private let letters: UInt32

    var text: String {
        String(decoding: [UInt8(letters >> 16), UInt8(letters >> 8 & 0xFF), UInt8(letters & 0xFF)], as: UTF8.self)
    }

    enum Named {
        case code(CurrencyCode)
        /// A sign that several currencies share, such as `$` or `kr`.
        case unknown
    }

    /// Finds the currency of a code in upper case letters; `nil` if ISO 4217 has none.
    init?(_ text: String) {
        guard text.utf8.count == 3 else { return nil }
        letters = text.utf8.reduce(0) { $0 << 8 | UInt32($1) }
        guard CurrencyCode.all.contains(letters) else { return nil }
    }

    /// Finds the currency of a code in upper or lower case.
    init?(_ word: Bytes) {
        guard word.count == 3 else { return nil }
        letters = word.withBuffer { $0.reduce(0) { $0 << 8 | UInt32($1.uppercased) } }
        guard CurrencyCode.all.contains(letters) else { return nil }
    }

    /// Returns the currency that a sign, code or abbreviation beside an amount names; `nil` if it is none.
    static func named(_ word: Bytes) -> Named? {
        if let code = CurrencyCode(word) { return .code(code) }
        if word.last == UInt8(ascii: "$"), word.count <= 3 {
            switch word.text {
            case "R$": return CurrencyCode("BRL").map { .code($0) }
            case "CA$", "C$": return CurrencyCode("CAD").map { .code($0) }
            case "US$": return CurrencyCode("USD").map { .code($0) }
            default: return .unknown
            }
        }
        for known: StaticString in ["kr", "kr.", "zl", "Kc", "Fr", "Fr.", "sFr.", "Rs", "Rs.", "RM", "lei", "Ft"] {
            if word.isWord(known) { return .unknown }
        }
        return nil
    }

    /// Returns the decimals that its amounts have by ISO 4217.
    static func decimals(of code: String) -> Int {
        switch code {
        case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF",
            "XPF":
            0
        case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND": 3
        default: 2
        }
    }

    private static let all = Set<UInt32>(
        """
        AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF
        CLP CNY COP CRC CUP CVE CZK DEM DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL
        HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD
        MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR
        RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS
        UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWL
        """.split(whereSeparator: \.isWhitespace).map { $0.utf8.reduce(0) { $0 << 8 | UInt32($1) } })
}
