import Assay

/// Reads price lists, in a file of their own or under `prices` of a pipeline.
struct PriceListSchema {
    /// The charge policies that a price may name.
    let policies: [String]

    /// The list that `value` holds; findings are reported and left out.
    ///
    /// - Parameter currency: the one that its prices must be in, as those before were; `nil` for the first list.
    func read(_ value: ValueReader, in currency: String? = nil) -> PriceList {
        guard let map = value.map() else { return PriceList() }
        var list = PriceList(currency: self.currency(map["currency"]))
        for (name, _, price) in map["processors"]?.entries() ?? [] {
            add(price.oneOrMore(), for: .processor(name), amount: "base_cost", to: &list)
        }
        for (service, _, operations) in map["services"]?.entries() ?? [] {
            for (operation, _, price) in operations.entries() ?? [] {
                add(price.oneOrMore(), for: .service(service, operation: operation), amount: "price", to: &list)
            }
        }
        map.finish()
        if let currency, list.currency != currency, !list.isEmpty {
            (map["currency"] ?? value).report(
                "the prices are in \(list.currency), those in use are in \(currency); a new currency needs a new start")
        }
        return list
    }

    /// One price: an amount, or a map of an amount and how it is charged.
    func price(_ value: ValueReader, amount key: String, dated: Bool = true) -> Price? {
        guard case .map = value.node.value else { return value.amount().map { Price($0) } }
        guard let map = value.map() else { return nil }
        let amount = map.required(key)?.amount()
        let policy = key == "base_cost" ? map["charge"]?.word("charge policy", of: policies) : nil
        let from = dated ? map["effective_from"].flatMap(moment) : nil
        map.finish()
        return amount.map { Price($0, policy: policy ?? "per_run", effectiveFrom: from) }
    }

    private func add(_ entries: [ValueReader], for subject: PriceSubject, amount: String, to list: inout PriceList) {
        var times: Set<Timestamp?> = []
        for entry in entries {
            guard let price = price(entry, amount: amount) else { continue }
            guard times.insert(price.effectiveFrom).inserted else {
                entry.report("two prices of \(subject.sortKey.quoted) have the same effective_from")
                continue
            }
            list.add(price, for: subject)
        }
    }

    private func moment(_ value: ValueReader) -> Timestamp? {
        guard let text = value.text() else { return nil }
        guard let moment = Timestamp(text) else {
            value.outside("a date or time such as 2025-01-01 or 2025-01-01T09:00:00Z")
            return nil
        }
        return moment
    }

    private func currency(_ value: ValueReader?) -> String {
        guard let value, let text = value.text() else { return "USD" }
        guard text.utf8.count == 3, text.utf8.allSatisfy({ (65...90).contains($0) }) else {
            value.outside("three capital letters such as USD")
            return "USD"
        }
        return text
    }
}
