/// Which way money went where an amount is positive.
public enum AmountSign: String, Codable, Hashable, Sendable {
    /// Plus is money in.
    case bank
    /// Plus is a charge.
    case card
}

/// What settles OFX files that can be read in two ways; as JSON `{"amount_sign": "bank"}`.
public struct OFXSettings: Hashable, Sendable {
    /// What a positive amount is, where amounts have no signs.
    public var amountSign: AmountSign?

    /// Nothing is settled beforehand.
    public init() {}
}

/// What settles QIF files that can be read in two ways; as JSON `{"date_order": "day"}`.
public struct QIFSettings: Hashable, Sendable {
    /// What stands first in a date.
    public var dateOrder: DateOrder?
    /// The mark before decimals, `.` or `,`.
    public var decimal: String?

    /// Nothing is settled beforehand.
    public init() {}
}

/// What settles MT940 files that can be read in two ways; as JSON `{"calendar": "hijri"}`.
public struct MT940Settings: Hashable, Sendable {
    /// The calendars that dates may be written in.
    public enum Calendar: String, Codable, Hashable, Sendable {
        case gregorian
        /// Umm al-Qura.
        case hijri
    }

    /// The calendar of the dates; Gregorian if not given.
    public var calendar: Calendar?

    /// Nothing is settled beforehand.
    public init() {}
}

/// What stands first in a date of numbers.
public enum DateOrder: String, Codable, Hashable, Sendable {
    case day, month, year
}

extension OFXSettings: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case amountSign = "amount_sign"
    }

    /// - Throws: `DecodingError` for an unknown key, or a value of another kind.
    public init(from decoder: any Decoder) throws {
        try decoder.refuseKeys(except: CodingKeys.self)
        amountSign = try decoder.container(keyedBy: CodingKeys.self).decodeIfPresent(
            AmountSign.self, forKey: .amountSign)
    }
}

extension QIFSettings: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case decimal
        case dateOrder = "date_order"
    }

    /// - Throws: `DecodingError` for an unknown key, or a value of another kind.
    public init(from decoder: any Decoder) throws {
        try decoder.refuseKeys(except: CodingKeys.self)
        let container = try decoder.container(keyedBy: CodingKeys.self)
        dateOrder = try container.decodeIfPresent(DateOrder.self, forKey: .dateOrder)
        decimal = try container.decodeIfPresent(String.self, forKey: .decimal)
        guard decimal == nil || decimal == "." || decimal == "," else {
            throw DecodingError.dataCorruptedError(
                forKey: .decimal, in: container, debugDescription: "qif.decimal is '.' or ','")
        }
    }
}

extension MT940Settings: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case calendar
    }

    /// - Throws: `DecodingError` for an unknown key, or a value of another kind.
    public init(from decoder: any Decoder) throws {
        try decoder.refuseKeys(except: CodingKeys.self)
        calendar = try decoder.container(keyedBy: CodingKeys.self).decodeIfPresent(Calendar.self, forKey: .calendar)
    }
}
