import AssayTesting
import Synchronization

@testable import Assay

enum CostsSupport {
    static let run = run(1)

    static func run(_ number: Int) -> Run {
        let id = Identifier.numbered("run_", number)
        return Run(
            id: id, executionID: .numbered("exec_", 1), processorID: .numbered("p_", 1), definition: Digest(of: []),
            scope: Scope(), lineage: Lineage(parentRunID: id), runner: "test", request: [:],
            startedAt: Timestamp(milliseconds: 0))
    }

    static let terms = SpendingTerms(
        budgets: [], breakers: [:], services: [:], billing: .onSuccess, doubtPolicy: .hold, strictCosts: false,
        caching: .asConfigured, looksUp: true, refreshedSince: nil, setAt: SettingPlaces())
}

/// A run that pays, of which nothing but its payments exists.
final class TestPayer: Payer {
    let run: Run
    private let state = Mutex((charges: [Charge](), number: 0))

    init(_ run: Run) { self.run = run }

    var charges: [Charge] { state.withLock { $0.charges } }

    func nextCostID() -> String {
        state.withLock { state in
            state.number += 1
            return "\(run.id)-\(state.number)"
        }
    }

    func note(_ charge: Charge) { state.withLock { $0.charges.append(charge) } }
    func noteLookup(hit avoided: Money?) {}
    func noteRepeat(of service: String) {}
    func noteDoubt() {}
    func noteMeeting(with callID: String) {}
    func noteIncomplete(_ reason: String) {}
    func emit(_ kind: Event.Kind, item: String?, _ data: () -> JSONObject) {}
    func hint(_ kind: String, about subject: String, _ message: @autoclosure () -> String) {}
    func hasHinted(_ kind: String, about subject: String) -> Bool { true }
    func tell(_ warnings: [BudgetBook.Warning]) {}
    func refused(_ refusal: ProcessingError, item: String?) -> ProcessingError { refusal }
}

/// The paid calls of one program over a store, and of the programs that take it over.
struct PayingProgram {
    let calls: PaidCalls
    let payer: TestPayer

    init(_ store: any Store, run: Run, prices: PriceList, world: World) async throws {
        payer = TestPayer(run)
        let ledger = Ledger(store: store, prices: prices, policies: [:], resolvers: [:], world: world)
        calls = PaidCalls(
            ledger: ledger, breakers: CircuitBreakers(), terms: CostsSupport.terms, payer: payer)
        try await ledger.budgets.begin(run)
    }

    /// An attempt at an item.
    func work(on item: String, attempt: Int = 1) -> PayingWork {
        PayingWork(
            inputID: item, scope: Scope(), attempt: AttemptID(of: payer.run, place: 0, number: attempt)
        ) { wait, body in try await body(WaitSign(wait)) }
    }

    /// Opens a call of an item under a key.
    func open(
        _ key: String, of item: String, attempt: Int = 1, options: CallOptions = CallOptions()
    ) async throws -> PaidCalls.Opening {
        let work = work(on: item, attempt: attempt)
        let request = CallRequest(service: "clear", operation: "search", key: .string(key), options: options)
        return try await calls.open(request, identity: Digest(of: .string(key)), by: work)
    }
}
