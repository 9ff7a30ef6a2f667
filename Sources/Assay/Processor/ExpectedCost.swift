/// A cost of working on an input, as far as it is known in advance.
///
/// A plan adds these up, so the price of a processor that declares them is known before it runs.
public struct ExpectedCost: Sendable {
    enum Kind: Sendable {
        case call(quantity: Number, key: JSONValue?, maximum: Money?, options: CallOptions)
        case usage(quantity: Number, cost: Money?)
    }

    package let service: String
    package let operation: String
    let kind: Kind
    /// Whether it is paid whenever the input succeeds.
    let isCertain: Bool

    /// Returns the cost of a paid call that will be made with ``Context/call(_:_:maximumCost:key:options:_:)``.
    public static func call(
        _ service: String, _ operation: String, quantity: Number = 1, maximumCost: Money? = nil, key: JSONValue? = nil,
        options: CallOptions = CallOptions(), isCertain: Bool = true
    ) -> ExpectedCost {
        ExpectedCost(
            service: service, operation: operation,
            kind: .call(quantity: quantity, key: key, maximum: maximumCost, options: options), isCertain: isCertain)
    }

    /// Returns the cost of a charge that will be made with
    /// ``Context/charge(_:_:quantity:cost:key:incurred:metadata:)``.
    public static func usage(
        _ service: String, _ operation: String, quantity: Number = 1, cost: Money? = nil, isCertain: Bool = true
    ) -> ExpectedCost {
        ExpectedCost(
            service: service, operation: operation, kind: .usage(quantity: quantity, cost: cost),
            isCertain: isCertain)
    }
}
