import Assay

extension ProgressBlock {
    /// The progress as JSON.
    var jsonValue: JSONValue {
        [
            "counts": counts.jsonValue, "cached": JSONValue(count: cached), "resumed": JSONValue(count: resumed),
            "cost": cost.jsonValue, "avoided_cost": avoided.jsonValue, "currency": .string(currency),
            "elapsed_ms": .number(Number(elapsed.milliseconds)),
            "waits": .array(waits.map { ["count": JSONValue(count: $0.count), "for": .string($0.reason)] }),
            "failures": .array(failures.map { ["input_id": .string($0.inputID), "text": .string($0.text)] }),
        ]
    }

    /// Creates the block that ``jsonValue`` wrote; `nil` for anything else.
    init?(json: JSONValue) {
        func number(_ key: String) -> Int? { json[key]?.number?.integer }
        func count(_ key: String) -> Int? { json["counts"]?[key]?.number?.integer }
        guard let total = count("total"), let succeeded = count("succeeded"), let failed = count("failed"),
            let skipped = count("skipped"), let cancelled = count("cancelled"), let cached = number("cached"),
            let resumed = number("resumed"), let cost = MoneySum(jsonValue: json["cost"]),
            let avoided = MoneySum(jsonValue: json["avoided_cost"]), let currency = json["currency"]?.string,
            let elapsed = number("elapsed_ms"), let waits = json["waits"]?.array,
            let failures = json["failures"]?.array
        else { return nil }
        var counts = Counts(total: total)
        (counts.succeeded, counts.failed) = (succeeded, failed)
        (counts.skipped, counts.cancelled) = (skipped, cancelled)
        self.init(
            counts: counts, cached: cached, resumed: resumed, cost: cost, avoided: avoided, currency: currency,
            elapsed: .milliseconds(elapsed),
            waits: waits.compactMap { wait in
                guard let count = wait["count"]?.number?.integer, let reason = wait["for"]?.string else { return nil }
                return ItemWait(count: count, reason: reason)
            },
            failures: failures.compactMap { failure in
                guard let input = failure["input_id"]?.string, let text = failure["text"]?.string else { return nil }
                return Failure(inputID: input, text: text)
            })
    }
}
