public import Assay

// Statements hold thousands of amounts and days; these are their JSON without the general coders.

extension Amount: JSONRepresentable {
    public init(from decoder: any Decoder) throws {
        let number = try Number(from: decoder)
        guard let amount = Amount(jsonValue: .number(number)) else {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: decoder.codingPath,
                    debugDescription: "\(number) is not an amount of at most 10^15 with nine decimals"))
        }
        self = amount
    }

    public func encode(to encoder: any Encoder) throws { try jsonValue.encode(to: encoder) }

    public var jsonValue: JSONValue {
        var (coefficient, exponent) = (billionths, -9)
        while exponent < -2, coefficient % 10 == 0 {
            coefficient /= 10
            exponent += 1
        }
        return Number(coefficient: coefficient, exponent: exponent).map { .number($0) } ?? .null
    }

    public init?(jsonValue json: JSONValue) {
        guard let number = json.number?.reduced, (-9...15).contains(number.exponent) else { return nil }
        let scale = Amount.power(9 + min(number.exponent, 15))
        let (value, overflow) = number.coefficient.multipliedReportingOverflow(by: scale)
        guard !overflow, value.magnitude <= (Amount.largestUnits * Amount.one).magnitude else { return nil }
        self.init(billionths: value)
    }
}

extension Day: JSONRepresentable {
    public var jsonValue: JSONValue { .string(description) }

    public init?(jsonValue json: JSONValue) {
        guard let text = json.string, let day = Day(text) else { return nil }
        self = day
    }
}
