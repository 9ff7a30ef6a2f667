public import Assay

/// Which way money went where an amount is positive.
public enum AmountSign: String, Codable, CaseIterable, Hashable, Sendable {
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
    public enum Calendar: String, Codable, CaseIterable, Hashable, Sendable {
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
public enum DateOrder: String, Codable, CaseIterable, Hashable, Sendable {
    case day, month, year
}

extension OFXSettings {
    /// The settings that a person writes.
    ///
    /// - Throws: ``SettingsError`` with all that is wrong.
    public init(settings json: JSONValue, path: [String] = ["ofx"]) throws(SettingsError) {
        let reader = try SettingsReader(json, path: path, what: "{amount_sign: bank}")
        amountSign = reader.word("amount_sign")
        try reader.finish()
    }
}

extension QIFSettings {
    /// The settings that a person writes.
    ///
    /// - Throws: ``SettingsError`` with all that is wrong.
    public init(settings json: JSONValue, path: [String] = ["qif"]) throws(SettingsError) {
        let reader = try SettingsReader(json, path: path, what: "{date_order: day, decimal: ','}")
        dateOrder = reader.word("date_order")
        decimal = reader.text("decimal")
        if let decimal, decimal != ".", decimal != "," { reader.must("decimal", "'.' or ','", .string(decimal)) }
        try reader.finish()
    }
}

extension MT940Settings {
    /// The settings that a person writes.
    ///
    /// - Throws: ``SettingsError`` with all that is wrong.
    public init(settings json: JSONValue, path: [String] = ["mt940"]) throws(SettingsError) {
        let reader = try SettingsReader(json, path: path, what: "{calendar: hijri}")
        calendar = reader.word("calendar")
        try reader.finish()
    }
}
