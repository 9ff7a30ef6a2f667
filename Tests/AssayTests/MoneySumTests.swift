import Assay
import AssayTesting
import Testing

@Suite("Sums of money") struct MoneySumTests {
    @Test("are exact or refused near their limit, and never end the program", arguments: 1...40) func law(seed: Int)
        throws
    {
        var chance = SeededNumbers(seed: UInt64(seed))
        let most: Int64 = 9_000_000_000 * 1_000_000_000
        var (reference, sum) = (Int128(0), MoneySum.zero)
        var checked: Money? = .zero
        for _ in 0..<50 {
            let amount = Money(billionths: [0, 1, most / 50, most / 9, most - 1, most].randomElement(using: &chance)!)
            reference += Int128(amount.billionths)
            sum += amount
            checked = checked.flatMap { try? $0.adding(amount) }
            #expect(sum.billionths == reference)
            let fits = reference <= Int128(most)
            #expect((try? sum.money()) == (fits ? Money(billionths: Int64(reference)) : nil))
            if checked != nil { #expect(fits) }
            #expect(MoneySum(jsonValue: sum.jsonValue) == sum)
        }
    }

    @Test("of bills near their limit are exact or refused", arguments: 1...40) func bills(seed: Int) throws {
        var chance = SeededNumbers(seed: UInt64(seed))
        let count = Int.random(in: 8_990...9_010, using: &chance)
        let charges = try (0..<count).map { number in
            try BillTests.charge(
                number, "o", kind: [.base, .usage, .call].randomElement(using: &chance)!,
                cost: Money(billionths: 1_000_000_000_000_000 - Int64.random(in: 0...1, using: &chance)))
        }
        let sum = charges.reduce(MoneySum.zero) { $0 + $1.cost }
        let bill = try? Bill(charges, currency: "USD")
        #expect((bill == nil) == ((try? sum.money()) == nil))
        if let bill { #expect(MoneySum(bill.totalCost) == sum) }
    }

    /// Charges 1,000,000 as often as its input says.
    static let big = ClosureProcessor<Int, Int>("big") { count, context in
        for _ in 0..<count { try await context.charge("s", "o", cost: "1000000") }
        return count
    }

    @Test("of an execution stop at 9,000,000,000 with an error of the charge alone", arguments: Runners.all)
    func execution(runner: any Runner) async throws {
        let engine = Engine.testing()
        let items = (0..<10).map { Item("i\($0)", 930) }
        let first = try await engine.run(Self.big, items: items, options: .on(runner))
        #expect(first.outcomes.contains { $0.error?.code == .cost })
        #expect(first.bill.totalCost == "9000000000")
        let second = try await engine.resume(Self.big, after: first, options: .on(runner))
        #expect(second.outcomes.contains { $0.error?.code == .cost })
        #expect(try await engine.bill(ofExecution: first.executionID).totalCost == "9000000000")
        // Other executions go on, and the sum of the store may be as large as it is.
        let other = try await engine.run(Self.big, items: [Item("z", 1)])
        #expect(other.success)
        #expect(try await engine.store.total(matching: ChargeFilter()) == MoneySum("9000000000") + Money(1_000_000))
        let budget = try Budget("9000000000", scope: .store)
        let refused = try await engine.run(Self.big, items: [Item("z", 1)], options: .with { $0.budgets = [budget] })
        #expect(refused.outcomes[0].error?.code == .budgetExhausted)
        #expect(refused.outcomes[0].error?.message.contains("9001000000.00 spent") == true)
    }

    @Test("leave room for whatever an open call may come to") func calls() async throws {
        let engine = Engine.testing()
        let report = try await engine.run(
            ClosureProcessor<Int, Int>("big") { count, context in
                for _ in 0..<count {
                    _ = try await context.call("s", "o") { call in
                        call.settle("1000000")
                        return 1
                    }
                }
                return count
            }, items: [Item("a", 9_001)])
        #expect(report.outcomes[0].error?.code == .cost)
        #expect(report.bill.totalCost == "9000000000")
    }
}

@Suite("Amounts of binary arithmetic") struct BinaryNoiseTests {
    @Test(
        "are taken as the decimal that was meant",
        arguments: [
            ("0.30000000000000004", "0.30"), ("0.1000000000000000055511151231257827", "0.10"),
            ("0.7000000000000001", "0.70"), ("2.9999999999999996", "3.00"), ("1e-9", "0.000000001"),
            ("1.0000000000000001e-9", "0.000000001"), ("999999.9999999999", "1000000.00"),
            ("123456.78900000000003", "123456.789"), ("0.000000002999999999", "0.000000003"),
        ])
    func noise(written: String, meant: String) throws {
        #expect(try Money(#require(Number(written))).description == meant)
    }

    @Test(
        "are refused where more decimals were meant, or nothing is left",
        arguments: [
            "0.0000000001", "1e-13", "0.12345678901", "1.5e-9", "0.3000000001", "-0.30000000000000004", "1e-40",
        ])
    func refused(written: String) throws {
        let number = try #require(Number(written))
        let error = #expect(throws: ProcessingError.self) { try Money(number) }
        #expect(error?.code == .cost)
    }

    @Test("of every sum of tenths are what the tenths come to", arguments: 1...50) func tenths(count: Int) throws {
        var sum = 0.0
        for _ in 0..<count * 2 { sum += 0.1 }
        let number = try #require(Number("\(sum)"))
        #expect(try Money(number) == Money("0.1").times(Number(count * 2)))
    }

    @Test("do not make products inexact") func products() throws {
        let quantity = try #require(Number("0.30000000000000004"))
        #expect(throws: ProcessingError.self) { try Money("1.00").times(quantity) }
    }
}
