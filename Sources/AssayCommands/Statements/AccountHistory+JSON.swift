import Assay
import AssayStatements

extension AccountHistory {
    /// All of the account as one object.
    func json(cost: Bill) throws -> JSONValue {
        var object = JSONObject()
        object["schema"] = "assay/statement_account/1"
        object["account"] = JSONValue(text: report.account)
        object["account_type"] = JSONValue(text: report.accountType?.rawValue)
        object["currency"] = JSONValue(text: report.currency)
        object["statements"] = JSONValue(count: report.statements)
        object["chain"] = .string(report.chain.rawValue)
        object["balance_check"] = .string(report.balanceCheck.rawValue)
        object["sources"] = .array(sources.map(\.json))
        var factors = try JSONValue(encoding: report.factors)
        if case .object(var members) = factors {
            object["months"] = members["months"] ?? .null
            members["months"] = nil
            factors = .object(members)
        }
        object["factors"] = factors
        object["evidence"] = .array(evidence)
        object["daily"] = .array(days.map { [JSONValue($0.day), JSONValue($0.balance)] })
        object["entries"] = .array(entries.map(\.json))
        object["flags"] = .array(report.factors.flags.map { .string($0.rawValue) })
        object["flag_reasons"] = try JSONValue(encoding: report.flagReasons)
        object["cost"] = [
            "currency": .string(cost.currency), "total_cost": cost.totalCost.jsonValue,
            "avoided_cost": cost.avoidedCost.jsonValue,
        ]
        return .object(object)
    }

    /// What each decision rests on, by file; what holds for several statements of a file is told once.
    private var evidence: [JSONValue] {
        sources.flatMap { source in
            source.evidence.map { evidence -> JSONValue in
                [
                    "decision": .string(evidence.decision), "value": .string(evidence.value),
                    "by": .string(evidence.by), "source": JSONValue(text: source.source?.name),
                ]
            }
        }.unique
    }
}

extension AccountHistory.Source {
    fileprivate var json: JSONValue {
        [
            "path": JSONValue(text: source?.name), "sha256": JSONValue(text: source?.sha256),
            "statement": JSONValue(source?.number), "profile": JSONValue(text: profile),
            "rows": JSONValue(count: rows), "left_out": leftOut.json, "format": JSONValue(text: format?.rawValue),
            "from": JSONValue(from), "to": JSONValue(to), "entries": JSONValue(count: summary.transactions),
            "opening": JSONValue(summary.opening), "closing": JSONValue(summary.closing),
            "balance_check": .string(summary.balanceCheck.rawValue),
        ]
    }
}

extension LeftOut {
    /// How many rows of each kind are left out, and what the pending ones come to.
    fileprivate var json: JSONValue {
        [
            "pending": JSONValue(count: pending), "pending_sum": JSONValue(pendingSum),
            "refused": JSONValue(count: refused), "refused_for_funds": JSONValue(count: refusedForFunds),
            "balance": JSONValue(count: balance), "total": JSONValue(count: total), "part": JSONValue(count: part),
            "text": JSONValue(count: text),
        ]
    }
}

extension AccountHistory.Entry {
    fileprivate var json: JSONValue {
        [
            "date": JSONValue(date), "value_date": JSONValue(valueDate), "amount": JSONValue(amount),
            "balance": JSONValue(balance), "description": .string(description), "class": .string(entryClass.rawValue),
            "why": JSONValue(text: why), "counted_in_revenue": .bool(countsAsRevenue), "returned": .bool(isReturned),
            "source": JSONValue(text: source?.name), "row": JSONValue(count: number),
        ]
    }
}
