extension CSVProfile.Column: Codable {
    /// Decodes what was encoded.
    ///
    /// - Throws: `DecodingError`.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let index = try? container.decode(Int.self) {
            guard (0..<1000).contains(index) else {
                throw DecodingError.dataCorruptedError(
                    in: container, debugDescription: "a column is a number from 0 to 999 or a name, found \(index)")
            }
            self = .index(index)
        } else {
            self = .name(try container.decode(String.self))
        }
    }

    /// Encodes the value as the report shows it.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .index(let index): try container.encode(index)
        case .name(let name): try container.encode(name)
        }
    }
}

extension CSVProfile.Fee: Codable {
    /// Decodes what was encoded.
    ///
    /// - Throws: `DecodingError`.
    public init(from decoder: any Decoder) throws {
        let column = try CSVProfile.Column(from: decoder)
        self = column == .name("none") ? .none : .column(column)
    }

    /// Encodes the value as it is written in a profile.
    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .none: try CSVProfile.Column.name("none").encode(to: encoder)
        case .column(let column): try column.encode(to: encoder)
        }
    }
}

extension CSVProfile.Account: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case text
    }

    /// Decodes `none`, a column, or `{"text": …}`.
    ///
    /// - Throws: `DecodingError`.
    public init(from decoder: any Decoder) throws {
        if let column = try? CSVProfile.Column(from: decoder) {
            self = column == .name("none") ? .none : .column(column)
            return
        }
        try decoder.refuseKeys(except: CodingKeys.self)
        self = .text(try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .text))
    }

    /// Encodes the value as it is written in a profile.
    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .none: try CSVProfile.Column.name("none").encode(to: encoder)
        case .column(let column): try column.encode(to: encoder)
        case .text(let text):
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(text, forKey: .text)
        }
    }
}

extension CSVProfile.LeaveOut: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case column, begins, contains, empty
        case equals = "is"
        case kind = "as"
    }

    /// Decodes a column, one test and what the row is.
    ///
    /// - Throws: `DecodingError`.
    public init(from decoder: any Decoder) throws {
        try decoder.refuseKeys(except: CodingKeys.self)
        let container = try decoder.container(keyedBy: CodingKeys.self)
        column = try container.decode(CSVProfile.Column.self, forKey: .column)
        kind = try container.decode(String.self, forKey: .kind)
        guard CSVLeaveOut.Kind(rawValue: kind) != nil else {
            throw DecodingError.dataCorruptedError(
                forKey: .kind, in: container,
                debugDescription: "leave_out.as is pending, refused, balance, total or text, found '\(kind)'")
        }
        if let value = try container.decodeTextIfPresent(forKey: .equals) {
            test = .equals(value)
        } else if let value = try container.decodeIfPresent(String.self, forKey: .begins) {
            test = .begins(value)
        } else if let value = try container.decodeIfPresent(String.self, forKey: .contains) {
            test = .contains(value)
        } else if try container.decodeIfPresent(Bool.self, forKey: .empty) == true {
            test = .empty
        } else {
            throw DecodingError.dataCorruptedError(
                forKey: .column, in: container,
                debugDescription: "leave_out needs one of is, begins, contains, or empty: true")
        }
    }

    /// Encodes the value as it is written in a profile.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(column, forKey: .column)
        try container.encode(kind, forKey: .kind)
        switch test {
        case .equals(let value): try container.encode(value, forKey: .equals)
        case .begins(let value): try container.encode(value, forKey: .begins)
        case .contains(let value): try container.encode(value, forKey: .contains)
        case .empty: try container.encode(true, forKey: .empty)
        }
    }
}

extension KeyedDecodingContainer {
    /// Returns a text, or a number as it is written.
    func decodeTextIfPresent(forKey key: Key) throws -> String? {
        if let text = try? decodeIfPresent(String.self, forKey: key) { return text }
        return try decodeIfPresent(Amount.self, forKey: key)?.description
    }
}

extension Decoder {
    /// - Throws: `DecodingError` if the object has a key that `Keys` does not name.
    func refuseKeys<Keys: CodingKey & CaseIterable>(except: Keys.Type) throws {
        let known = Set(Keys.allCases.map(\.stringValue))
        for key in try container(keyedBy: AnyKey.self).allKeys where !known.contains(key.stringValue) {
            let names = known.sorted().joined(separator: ", ")
            throw DecodingError.dataCorrupted(
                .init(codingPath: codingPath, debugDescription: "unknown key '\(key.stringValue)'; known: \(names)"))
        }
    }
}

/// Any key of an object.
private struct AnyKey: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }

    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}
