import AssayTesting
import Testing

@testable import Assay

@Suite("Paid calls of several programs") struct PaidCallTests {
    static let prices = PriceList.of(units: ["clear/search": "0.75"])

    /// A service that does the work of a key once, and bills it once.
    private struct Service {
        var done: Set<String> = []

        mutating func work(_ key: String) { done.insert(key) }
    }

    private struct Body {
        let item: String
        let open: OpenCall
        let program: Int
        var isAwaited = true
    }

    @Test("can be closed by a program that knows nothing but a call's name, as by the one that opened it")
    func byName() async throws {
        let (store, world) = (MemoryStore(), World.testing())
        let first = try await PayingProgram(store, run: CostsSupport.run(1), prices: Self.prices, world: world)
        let options = CallOptions(cache: CachePolicy(ttl: .seconds(60)))
        guard case .proceed(let open) = try await first.open("k", of: "a", options: options) else {
            Issue.record("the call was not made")
            return
        }
        // The second program has no prices: what the call costs is on record.
        let second = try await PayingProgram(store, run: CostsSupport.run(1), prices: PriceList(), world: world)
        let cost = try await second.calls.close(
            callNamed: open.call.id, .returned(Payload("value")), nil, by: second.work(on: "a"))
        #expect(cost == "0.75")
        #expect(try await store.calls(matching: CallFilter()).map(\.state) == [.settled])
        let key = try #require(open.record.cacheKey)
        let entry = try #require(try await store.cacheEntry(key))
        #expect(entry.value == "value" && entry.cost == "0.75")
        #expect(entry.expiresAt == world.time.now().advanced(by: .seconds(60)))
        // The first program learns of it too late.
        #expect(try await first.calls.close(open, .made, nil, isLate: false, for: "a") == "0.75")
        #expect(try await store.charges(matching: ChargeFilter()).count == 1)
    }

    @Test("refuse to close a call that is not on record") func unknown() async throws {
        let program = try await PayingProgram(
            MemoryStore(), run: CostsSupport.run(1), prices: Self.prices, world: .testing())
        let error = await #expect(throws: ProcessingError.self) {
            try await program.calls.close(callNamed: "none", .made, nil, by: program.work(on: "a"))
        }
        #expect(error?.code == .notFound)
        #expect(error?.message == "call 'none' is not on record")
    }

    @Test("charge all work once and no key twice, in whatever order calls end and programs start", arguments: 0..<60)
    func law(seed: UInt64) async throws {
        var chance = SeededNumbers(seed: seed)
        let (store, world) = (MemoryStore(), World.testing())
        var programs = [try await PayingProgram(store, run: CostsSupport.run(1), prices: Self.prices, world: world)]
        var service = Service()
        var bodies: [Body] = []
        var (hits, attempts) = (0, 0)
        for _ in 0..<120 {
            let program = programs[programs.count - 1]
            switch Int.random(in: 0..<10, using: &chance) {
            case 0..<4:
                let key = "k\(Int.random(in: 0..<4, using: &chance))"
                // A second call under a key would wait for the first.
                let isOpen = bodies.contains {
                    $0.isAwaited && $0.open.record.callKey == Digest(of: .string(key)).text
                }
                guard !isOpen else { continue }
                let item = "i\(Int.random(in: 0..<3, using: &chance))"
                let refreshes = Int.random(in: 0..<4, using: &chance) == 0
                let options = CallOptions(cache: CachePolicy(refresh: refreshes))
                attempts += 1
                switch try await program.open(key, of: item, attempt: attempts, options: options) {
                case .hit: hits += 1
                case .proceed(let open): bodies.append(Body(item: item, open: open, program: programs.count - 1))
                }
            case 4..<9:
                guard !bodies.isEmpty else { continue }
                let body = bodies.remove(at: Int.random(in: 0..<bodies.count, using: &chance))
                let isKnown = body.program == programs.count - 1
                var ends = Int.random(in: 0..<6, using: &chance)
                // A service that honors keys does not refuse what it has done.
                if ends == 5, service.done.contains(body.open.call.idempotencyKey) { ends = 0 }
                if ends < 4 || ends == 4 && Bool.random(using: &chance) {
                    service.work(body.open.call.idempotencyKey)
                }
                if ends == 3 { body.open.call.settle("0.75") }
                let end: CallEnd =
                    switch ends {
                    case 0, 1: .returned(Payload(body.item))
                    case 2: .made
                    case 3: .threw(CallClosingTests.refused)
                    case 4: .threw(CallClosingTests.unknown)
                    default: .threw(CallClosingTests.refused)
                    }
                // A desk drops the failure of a call that no one waits for, unless it was paid for.
                guard body.isAwaited || end.isMade || body.open.call.settlement != nil else { continue }
                let settlement = body.open.call.settlement
                if isKnown {
                    try await program.calls.close(
                        body.open, end, settlement, isLate: !body.isAwaited, for: body.item)
                } else {
                    try await program.calls.close(
                        callNamed: body.open.call.id, end, settlement,
                        by: program.work(on: body.item, attempt: attempts))
                }
            default:
                // Attempts are given up, or their program ends.
                let ends = Bool.random(using: &chance)
                for place in bodies.indices where bodies[place].isAwaited {
                    bodies[place].isAwaited = false
                    let open = bodies[place].open
                    if ends {
                        try await store.file(open.record.abandoned, charge: nil, cached: nil)
                    } else {
                        try await program.calls.close(
                            open, .threw(CancellationError()), nil, isLate: false, for: bodies[place].item)
                    }
                }
                guard ends else { continue }
                // Bodies may outlive their program, on another machine.
                if Bool.random(using: &chance) { bodies = [] }
                let run = CostsSupport.run(programs.count + 1)
                programs.append(try await PayingProgram(store, run: run, prices: Self.prices, world: world))
            }
        }
        let ledger = programs[programs.count - 1].calls.ledger
        for call in try await store.calls(matching: CallFilter(states: [.open, .inDoubt])) {
            let isDone = service.done.contains(call.idempotencyKey)
            if isDone {
                try await ledger.settle(call, .resolver, at: "0.75")
            } else {
                try await ledger.release(call, .resolver)
            }
        }
        let charges = try await store.charges(matching: ChargeFilter())
        let paid = charges.filter { !$0.isCacheHit }
        #expect(paid.count == service.done.count)
        let keys = try await store.calls(matching: CallFilter()).filter { $0.state == .settled }.map(\.idempotencyKey)
        #expect(Set(keys) == service.done && keys.count == service.done.count)
        let charged = charges.reduce(MoneySum.zero) { $0 + $1.cost }
        let avoided = charges.reduce(MoneySum.zero) { $0 + ($1.avoidedCost ?? .zero) }
        let uses = MoneySum(Money(billionths: Int64(service.done.count + hits) * 750_000_000))
        #expect(charged + avoided == uses)
    }
}
