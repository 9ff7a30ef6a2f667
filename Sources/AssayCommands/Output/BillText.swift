package import Assay

/// A bill as text for people.
package struct BillText: Sendable {
    private let bill: Bill
    private let succeeded: Int?

    /// Creates the text of `bill`.
    ///
    /// - Parameter succeeded: the number of items to divide the total by; `nil` to omit that line.
    package init(_ bill: Bill, succeeded: Int? = nil) {
        self.bill = bill
        self.succeeded = succeeded
    }

    /// Returns base costs, usage by service and operation, avoided costs, and the total.
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
