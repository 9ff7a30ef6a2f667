import Assay

extension ExpectedCost {
    /// What a program expects to pay for, as it answers step `plan`: a list under `expects`.
    ///
    /// What has a key is a paid call, which the cache may answer; what has none is used each time.
    ///
    /// - Throws: ``ProcessingError`` with code `protocol` for any other answer.
    static func list(from answer: JSONValue) throws(ProcessingError) -> [ExpectedCost] {
        do throws(Fault) {
            guard let expected = answer["expects"]?.array else { throw Fault("has no list under 'expects'") }
            return try expected.map { value throws(Fault) in try one(Fields(value, of: "expects")) }
        } catch {
            throw ProcessingError(
                .protocol, "the program's answer to step 'plan' \(error.reason)", retryable: false)
        }
    }

    private static func one(_ fields: Fields) throws(Fault) -> ExpectedCost {
        // A misspelled quantity must not be overlooked.
        try fields.allow(["service", "operation", "quantity", "key"])
        let (service, operation) = (try fields.required("service"), try fields.required("operation"))
        let quantity = try fields.number("quantity") ?? 1
        guard quantity >= 0 else { throw Fault("has a 'quantity' that is negative") }
        guard let key = fields.value("key") else { return .usage(service, operation, quantity: quantity) }
        return .call(service, operation, quantity: quantity, key: key)
    }
}
