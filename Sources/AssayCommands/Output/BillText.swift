package import Assay

/// A bill for people.
package struct BillText: Sendable {
    private let bill: Bill
    private let succeeded: Int?

    /// The text of `bill`.
    ///
    /// - Parameter succeeded: how many items the total is divided by; `nil` to leave that out.
    package init(_ bill: Bill, succeeded: Int? = nil) {
        self.bill = bill
        self.succeeded = succeeded
    }

    /// Base, usage by service and operation, what was avoided, and the total.
    package func lines(_ paint: Paint) -> [String] {
        var table = TextTable([.text("BILL"), .number("COUNT"), .number("CACHED"), .number(bill.currency)])
        table.rows.append(["base", "", "", "\(bill.baseCost)"])
        for (service, operations) in bill.byService.sorted(by: { $0.key < $1.key }) {
            for (operation, line) in operations.sorted(by: { $0.key < $1.key }) {
                table.rows.append([
                    "\(service) \(operation)", line.count.grouped, line.cacheHits > 0 ? line.cacheHits.grouped : "",
                    "\(line.total)",
                ])
            }
        }
        if bill.inDoubtCost > .zero {
            table.rows.append(["in doubt, not in the total", bill.inDoubt.count.grouped, "", "\(bill.inDoubtCost)"])
        }
        if bill.avoidedCost > .zero { table.rows.append(["avoided by the cache", "", "", "\(bill.avoidedCost)"]) }
        table.rows.append(["total", "", "", "\(bill.totalCost)"])
        if let succeeded, let each = bill.costPerSuccess(succeeded) {
            table.rows.append(["per success", "", "", "\(each)"])
        }
        var lines = table.lines(paint: paint)
        if let reason = bill.incompleteReason {
            lines.append(paint("The bill is not complete: \(reason.safe)", .yellow))
        }
        return lines
    }
}
