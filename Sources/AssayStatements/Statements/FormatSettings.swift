public import Assay

/// The meaning of a positive amount.
public enum AmountSign: String, Codable, CaseIterable, Hashable, Sendable {
    /// Plus is money in.
    case bank
    /// Plus is a charge.
    case card
}

/// Settings for OFX files that can be read in two ways; as JSON `{"amount_sign": "bank"}`.
public struct OFXSettings: Hashable, Sendable {
    /// The meaning of a positive amount, if amounts have no signs.
    public var amountSign: AmountSign?

    /// Makes settings that settle nothing.
    public init() {}
}

/// Settings for QIF files that can be read in two ways; as JSON `{"date_order": "day"}`.
public struct QIFSettings: Hashable, Sendable {
    /// The part that comes first in a date.
    public var dateOrder: DateOrder?
    /// The mark before decimals, `.` or `,`.
    public var decimal: String?

    /// Makes settings that settle nothing.
    public init() {}
}

/// Settings for MT940 files that can be read in two ways; as JSON `{"calendar": "hijri"}`.
public struct MT940Settings: Hashable, Sendable {
    /// The calendars that dates may be written in.
    public enum Calendar: String, Codable, CaseIterable, Hashable, Sendable {
        case gregorian
        /// Umm al-Qura.
        case hijri
    }

    /// The calendar of the dates; Gregorian if not given.
    public var calendar: Calendar?

    /// Makes settings that settle nothing.
    public init() {}
}

/// The part that comes first in a numeric date.
public enum DateOrder: String, Codable, CaseIterable, Hashable, Sendable {
    case day, month, year
}

extension OFXSettings {
    /// Reads the settings that a person writes.
    ///
    /// - Throws: ``SettingsError`` with all that is wrong.
    public init(settings json: JSONValue, path: [String] = ["ofx"]) throws(SettingsError) {
        let reader = try SettingsReader(json, path: path, what: "{amount_sign: bank}")
        amountSign = reader.word("amount_sign")
        try reader.finish()
    }
}

extension QIFSettings {
    /// Reads the settings that a person writes.
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
    /// Reads the settings that a person writes.
    ///
    /// - Throws: ``SettingsError`` with all that is wrong.
    public init(settings json: JSONValue, path: [String] = ["mt940"]) throws(SettingsError) {
        let reader = try SettingsReader(json, path: path, what: "{calendar: hijri}")
        calendar = reader.word("calendar")
        try reader.finish()
    }
}
