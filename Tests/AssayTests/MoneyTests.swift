import Assay
import AssayTesting
import Testing

@Suite("Money") struct MoneyTests {
    @Test(
        "is written with its digits, at least two decimals",
        arguments: [
            ("5", "5.00"), ("0.1", "0.10"), ("0.0375", "0.0375"), ("0", "0.00"), ("0.000000001", "0.000000001"),
            ("1.100", "1.10"), ("1e3", "1000.00"), ("1000000", "1000000.00"), ("12.340000000", "12.34"),
        ])
    func text(read: String, written: String) throws {
        let money = try Money(#require(Number(read)))
        #expect(money.description == written)
        #expect(JSONValue.array([money.jsonValue]).json == "[\(written)]")
        #expect(try JSONValue(json: written).decoded(as: Money.self) == money)
    }

    @Test(
        "is refused when it is not exact, negative or too much",
        arguments: ["0.0000000001", "-0.01", "1000000.000000001", "1e30", "1.1234567891"])
    func refused(text: String) throws {
        let number = try #require(Number(text))
        let error = #expect(throws: ProcessingError.self) { try Money(number) }
        #expect(error?.code == .cost)
    }

    @Test("sums are exact, and refused beyond 9,000,000,000") func sums() throws {
        let tenth: Money = "0.1"
        var sum = Money.zero
        for _ in 0..<10 { sum = try sum.adding(tenth) }
        #expect(sum == "1.00")
        let most = Money(billionths: 9_000_000_000_000_000_000)
        #expect(try most.adding(.zero) == most)
        let error = #expect(throws: ProcessingError.self) { try most.adding(Money(billionths: 1)) }
        #expect(error?.code == .cost)
    }

    @Test(
        "products are exact or refused",
        arguments: [
            ("0.50", "5", "2.50"), ("0.50", "0", "0.00"), ("0.01", "0.5", "0.005"), ("0.000000003", "1e-1", nil),
            ("0.000000001", "0.5", nil), ("1000000", "2", nil), ("1", "-1", nil), ("1", "1e38", nil),
            ("999999", "99999999999999999999999999999999999999", nil), ("0.10", "3.0", "0.30"),
        ])
    func products(price: String, quantity: String, product: String?) throws {
        let quantity = try #require(Number(quantity))
        let result = try? Money(stringLiteral: price).times(quantity)
        #expect(result?.description == product)
    }

    @Test(
        "averages are rounded half to even to 6 decimals",
        arguments: [
            ("10.00", 3, "3.333333"), ("0.000001", 2, "0.00"), ("0.000003", 2, "0.000002"), ("0.000005", 2, "0.000002"),
            ("0.000002", 3, "0.000001"), ("15.10", 3, "5.033333"),
        ])
    func averages(total: String, count: Int, average: String) {
        #expect(Money(stringLiteral: total).divided(by: count)?.description == average)
    }

    @Test("of nothing there is no average") func noAverage() {
        #expect(Money(stringLiteral: "1").divided(by: 0) == nil)
    }
}

@Suite("Price lists") struct PriceTests {
    static let subject = PriceSubject.processor("ocr_check")

    @Test(
        "the latest price that holds by then is in force",
        arguments: [
            ("2024-12-31T23:59:59Z", "0.10"), ("2025-01-01T00:00:00Z", "0.12"), ("2030-01-01", "0.12"),
            ("1970-01-01", "0.10"),
        ])
    func effective(moment: String, amount: String) throws {
        var list = PriceList()
        list.add(Price("0.12", effectiveFrom: Timestamp("2025-01-01")), for: Self.subject)
        list.add(Price("0.10"), for: Self.subject)
        #expect(list.price(for: Self.subject, at: try #require(Timestamp(moment)))?.amount.description == amount)
    }

    @Test("of two from the same moment the later entry wins", arguments: [nil, "2025-01-01"])
    func laterEntry(from: String?) throws {
        var list = PriceList()
        list.add(Price("0.10", effectiveFrom: from.flatMap { Timestamp($0) }), for: Self.subject)
        list.add(Price("0.20", effectiveFrom: from.flatMap { Timestamp($0) }), for: Self.subject)
        #expect(list.price(for: Self.subject, at: try #require(Timestamp("2025-02-02")))?.amount == "0.20")
    }

    @Test("a price that does not hold yet is none") func notYet() throws {
        var list = PriceList()
        list.add(Price("0.10", effectiveFrom: Timestamp("2025-01-01")), for: Self.subject)
        #expect(list.price(for: Self.subject, at: try #require(Timestamp("2024-01-01"))) == nil)
    }

    @Test("a run pays what was in force when it began, and keeps paying that") func overTime() async throws {
        let time = ManualTime(start: try #require(Timestamp("2024-12-31T23:59:59Z")), runsFree: true)
        var list = PriceList()
        list.add(Price("0.10"), for: Self.subject)
        list.add(Price("0.12", effectiveFrom: Timestamp("2025-01-01")), for: Self.subject)
        let engine = Engine.testing(prices: list, time: time)
        let first = try await engine.run([1], name: "ocr_check") { (n: Int, _: Context) in n }
        time.advance(by: .seconds(1))
        let second = try await engine.run([1], name: "ocr_check") { (n: Int, _: Context) in n }
        #expect(first.bill.baseCost == "0.10")
        #expect(second.bill.baseCost == "0.12")
        #expect(try await engine.bill(of: first.runID).baseCost == "0.10")
    }

    @Test(
        "are asked in order: pipeline, database, file, none",
        arguments: [
            (true, true, true, "0.30", "pipeline"), (false, true, true, "0.20", nil), (false, false, true, "0.10", nil),
            (false, false, false, "0.00", "none"),
        ])
    func order(pipeline: Bool, database: Bool, file: Bool, cost: String, source: String?) async throws {
        let store = MemoryStore()
        let now = Timestamp(milliseconds: 0)
        if database { try await store.add(Price("0.20"), for: .processor("test"), at: now) }
        let engine = Engine.testing(store, prices: file ? .of(base: ["test": Price("0.10")]) : PriceList())
        let report = try await engine.run([1], options: .with { $0.price = pipeline ? Price("0.30") : nil }) {
            (n: Int, _: Context) in n
        }
        #expect(report.bill.baseCost.description == cost)
        let base = try await store.charges(matching: ChargeFilter(runID: report.runID))
        #expect(base.map { $0.annotations["price_source"]?.string } == [source])
        #expect(base.map(\.service) == ["processor"])
        #expect(base.map(\.operation) == ["test"])
    }

    @Test("the database is asked each time") func databaseChanges() async throws {
        let store = MemoryStore()
        let engine = Engine.testing(store)
        let charge: @Sendable (Int, Context) async throws -> Int = { n, context in
            try await context.charge("ocr", "page")
            return n
        }
        for (entered, total) in [(nil, "0.00"), ("0.50", "0.50"), ("0.75", "0.75")] as [(String?, String)] {
            if let entered {
                try await store.add(
                    Price(Money(stringLiteral: entered)), for: .service("ocr", operation: "page"),
                    at: Timestamp(milliseconds: 0))
            }
            #expect(try await engine.run([1], charge).bill.totalCost.description == total)
        }
    }
}
