/// Something that working on an input will pay for, as far as that is known before.
///
/// A plan adds these up, so a processor that tells them is one whose price is known before it runs.
public struct ExpectedCost: Sendable {
    enum Kind: Sendable {
        case call(quantity: Number, key: JSONValue?, maximum: Money?, options: CallOptions)
        case usage(quantity: Number, cost: Money?)
    }

    package let service: String
    package let operation: String
    let kind: Kind
    /// Whether it is paid for whenever the input succeeds.
    let isCertain: Bool

    /// A paid call, as it is going to be given to ``Context/call(_:_:maximumCost:key:options:_:)``.
    ///
    /// - Parameter quantity: how many units it is going to be settled with.
    public static func call(
        _ service: String, _ operation: String, quantity: Number = 1, maximumCost: Money? = nil, key: JSONValue? = nil,
        options: CallOptions = CallOptions(), isCertain: Bool = true
    ) -> ExpectedCost {
        ExpectedCost(
            service: service, operation: operation,
            kind: .call(quantity: quantity, key: key, maximum: maximumCost, options: options), isCertain: isCertain)
    }

    /// A charge, as it is going to be given to ``Context/charge(_:_:quantity:cost:key:incurred:metadata:)``.
    public static func usage(
        _ service: String, _ operation: String, quantity: Number = 1, cost: Money? = nil, isCertain: Bool = true
    ) -> ExpectedCost {
        ExpectedCost(
            service: service, operation: operation, kind: .usage(quantity: quantity, cost: cost),
            isCertain: isCertain)
    }
}
